import { describe, expect, it } from "vitest";
import { globToRegExp, History } from "../../src/jupyter/history.js";

function filled(): History {
  const history = new History();
  for (const [index, input] of ["a = 1", "b = 2", "a = 1", "c(x)"].entries()) history.add(index + 1, input);
  history.setOutput({ "text/plain": "shown" });
  return history;
}

const inputs = (request: Record<string, unknown>) =>
  (filled().answer(request).history as [number, number, unknown][]).map((entry) => entry[2]);

describe("history", () => {
  it("gives the tail", () => {
    expect(inputs({ hist_access_type: "tail", n: 2 })).toEqual(["a = 1", "c(x)"]);
    expect(inputs({ hist_access_type: "tail", n: 1, output: true })).toEqual([["c(x)", "shown"]]);
  });

  it("gives a range of this session, which is 0 or its number", () => {
    expect(inputs({ hist_access_type: "range", session: 0, start: 2, stop: 4 })).toEqual(["b = 2", "a = 1"]);
    expect(inputs({ hist_access_type: "range", session: 7, start: 1, stop: 9 })).toEqual([]);
  });

  it("searches by pattern, once for each source if asked to", () => {
    expect(inputs({ hist_access_type: "search", pattern: "a*" })).toEqual(["a = 1", "a = 1"]);
    expect(inputs({ hist_access_type: "search", pattern: "a*", unique: true })).toEqual(["a = 1"]);
    expect(inputs({ hist_access_type: "search", pattern: "*", n: 3 })).toHaveLength(3);
  });

  it("takes other signs of a pattern as they are", () => {
    expect(globToRegExp("c(?)").test("c(x)")).toBe(true);
    expect(globToRegExp("c.x.").test("c(x)")).toBe(false);
  });
});
