import { expect, it } from "vitest";
import { normalQuantile } from "../../src/diagnostics/normalQuantile.js";

it("is SciPy's norm.ppf in every region", () => {
  for (const [probability, z] of [
    [1e-300, -37.0470962993612],
    [1e-20, -9.262340089798409],
    [1e-9, -5.9978070150076865],
    [0.01, -2.3263478740408408],
    [0.074, -1.4466320671589785],
    [0.0751, -1.4388253927525403],
    [0.3, -0.5244005127080409],
    [0.9, 1.2815515655446004],
    [0.999999, 4.753424308817087],
  ]) {
    expect(Math.abs(normalQuantile(probability) / z - 1)).toBeLessThan(2e-15);
  }
  expect([0, 0.5, 1].map(normalQuantile)).toEqual([-Infinity, 0, Infinity]);
  expect(() => normalQuantile(1.1)).toThrow("must be between 0 and 1, not 1.1");
  expect(() => normalQuantile(Number.NaN)).toThrow("not NaN");
});
