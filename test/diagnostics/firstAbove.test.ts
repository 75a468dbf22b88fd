import { expect, it } from "vitest";
import { firstAbove } from "../../src/diagnostics/firstAbove.js";

it("firstAbove finds the step of a cumulative law, and no step of height 0", () => {
  const cumulative = Float64Array.of(0.25, 0.25, 0.75, 1);
  expect([0, 0.2499, 0.25, 0.5, 0.75, 0.9999, 1].map((u) => firstAbove(cumulative, u))).toEqual([0, 0, 2, 2, 3, 3, 3]);
  expect(firstAbove(Float64Array.of(1), 0.3)).toBe(0);
});
