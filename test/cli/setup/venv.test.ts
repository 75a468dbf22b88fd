import { expect, it } from "vitest";
import { lastLines, pipEnvironment, pipTrouble } from "../../../src/cli/setup/venv.js";

it.each([
  ["OSError: [Errno 28] No space left on device", "the disk is full"],
  [
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
    "the package index offers a file whose checksum is not the pinned one",
  ],
  [
    "WARNING: Retrying (…) NewConnectionError('…: Failed to establish a new connection')\nERROR: No matching distribution found for x",
    "the Python package index cannot be reached",
  ],
  [
    "ERROR: No matching distribution found for x==1",
    "the Python package index has no file for this platform and Python",
  ],
  ["something new", "pip stopped with an error"],
])("reads what pip wrote: %s", (stderr, why) => expect(pipTrouble(stderr).why).toBe(why));

it("keeps the user's pip from installing elsewhere", () => {
  process.env.PIP_TARGET = "/elsewhere";
  try {
    expect(pipEnvironment()).not.toHaveProperty("PIP_TARGET");
    expect(pipEnvironment().PIP_USER).toBe("0");
  } finally {
    delete process.env.PIP_TARGET;
  }
});

it("keeps the end of a long output", () => {
  expect(lastLines("a\nb\nc\n", 2)).toBe("b\nc");
});
