import { describe, expect, it } from "vitest";
import { eventOf } from "../../../src/cli/reproduce/notebookRun.js";

describe("eventOf", () => {
  it("reads an event, and nothing from other output or half a line", () => {
    expect(eventOf('{"event": "start", "cells": 3}')).toEqual({ event: "start", cells: 3 });
    expect(eventOf("a library's chatter")).toBeUndefined();
    expect(eventOf('{"event": "error", "cell": 1, "traceback": ["Err')).toBeUndefined();
  });
});
