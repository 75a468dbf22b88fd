import { describe, expect, it } from "vitest";
import { stepwise } from "../../src/optimize/stepwise.js";

describe("stepwise", () => {
  it("has each value from its step to the next, and the last for ever", () => {
    const draws = stepwise({ 500: 25, 0: 0, 250: 5 });
    expect([0, 249, 250, 499, 500, 1e9].map(draws.at)).toEqual([0, 0, 5, 5, 25, 25]);
    expect(draws.changes.map(({ from }) => from)).toEqual([0, 250, 500]);
    expect([0, 3].map(stepwise({ 0: "hvm", 3: "iwhvi" }).at)).toEqual(["hvm", "iwhvi"]);
    expect(stepwise({ 0: true }).at(7)).toBe(true);
  });

  it("says what is wrong with a step or a value", () => {
    expect(() => stepwise({})).toThrow("stepwise: give the value from step 0 on");
    expect(() => stepwise({ 10: 1 })).toThrow("stepwise: give the value from step 0 on");
    expect(() => stepwise({ 0: 1, 2.5: 2 })).toThrow("an integer of at least 0, not at 2.5");
    expect(() => stepwise({ 0: 1, [-1]: 2 })).toThrow("an integer of at least 0, not at -1");
    expect(() => stepwise({ 0: 1, 5: Number.NaN })).toThrow("the value from step 5 on must be finite, not NaN");
  });
});
