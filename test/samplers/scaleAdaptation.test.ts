import { expect, test } from "vitest";
import { ScaleEstimate, scaleWindows } from "../../src/samplers/scaleAdaptation.js";
import { normals } from "../diagnostics/uniforms.js";

test("has windows that double between the first 15 % and the last 20 %, and leave no gap", () => {
  const ends = (warmUp: number): number[] => scaleWindows(warmUp).map(({ to }) => to);
  expect(ends(1000)).toEqual([175, 225, 325, 800]);
  expect(ends(500)).toEqual([100, 150, 400]);
  expect(ends(20)).toEqual([16]);
  expect(ends(19)).toEqual([]);
  for (const warmUp of [20, 100, 149, 150, 777, 5000]) {
    const windows = scaleWindows(warmUp);
    expect(windows[0].from).toBe(Math.floor(0.15 * warmUp));
    windows.slice(1).forEach(({ from }, i) => {
      expect(from).toBe(windows[i].to);
    });
  }
});

test("estimates each coordinate's standard deviation over chains and transitions, under a large mean", () => {
  const [transitions, chains] = [500, 8];
  const noise = normals(transitions * chains * 2, 3);
  const estimate = new ScaleEstimate(2);
  for (let t = 0; t < transitions; t++) {
    const rows = noise.subarray(t * chains * 2, (t + 1) * chains * 2);
    estimate.add(rows.map((e, i) => (i % 2 === 0 ? 1e6 + 0.5 * e : 20 * e)));
  }
  const [first, second] = estimate.scale();
  // Relative standard error of a standard deviation of 4,000 draws: 1/√8000.
  expect(Math.abs(first / 0.5 - 1)).toBeLessThan(4 / Math.sqrt(8000));
  expect(Math.abs(second / 20 - 1)).toBeLessThan(4 / Math.sqrt(8000));
});

test("is positive where nothing moved", () => {
  const estimate = new ScaleEstimate(1);
  for (let t = 0; t < 10; t++) estimate.add([3]);
  expect(estimate.scale()[0]).toBeCloseTo(Math.sqrt(5e-3 / 15), 6);
});
