import { expect, test } from "vitest";
import { dualAveraging, updatedDualAveraging } from "../../src/samplers/dualAveraging.js";
import { uniforms } from "../diagnostics/uniforms.js";

test("its first two updates by hand", () => {
  const first = updatedDualAveraging(dualAveraging(0.1), 0.5, 0.8);
  const shortfall = 0.3 / 11;
  expect(first.shortfall).toBeCloseTo(shortfall, 14);
  expect(Math.log(first.stepSize)).toBeCloseTo(0 - 20 * shortfall, 12);
  expect(first.averaged).toBeCloseTo(first.stepSize, 12); // 1^−κ = 1 forgets the start
  const second = updatedDualAveraging(first, 1, 0.8);
  const next = (1 - 1 / 12) * shortfall - 0.2 / 12;
  expect(Math.log(second.stepSize)).toBeCloseTo(-Math.SQRT2 * 20 * next, 12);
  const weight = 2 ** -0.75;
  expect(Math.log(second.averaged)).toBeCloseTo(
    weight * Math.log(second.stepSize) + (1 - weight) * Math.log(first.averaged),
    12,
  );
});

test("finds the step size of the target through noise, from either side", () => {
  // Acceptance e^(−ε) plus noise: the target .8 is reached at ε = log 1.25.
  for (const start of [1e-3, 10]) {
    let state = dualAveraging(start);
    for (const u of uniforms(3000, 7)) {
      const acceptance = Math.min(1, Math.max(0, Math.exp(-state.stepSize) + 0.3 * (u - 0.5)));
      state = updatedDualAveraging(state, acceptance, 0.8);
    }
    expect(Math.abs(state.averaged / Math.log(1.25) - 1)).toBeLessThan(0.1);
  }
});
