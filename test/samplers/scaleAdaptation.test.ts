import { expect, test } from "vitest";
import { ScaleEstimate, scaleWindows } from "../../src/samplers/scaleAdaptation.js";
import { normals } from "../diagnostics/uniforms.js";

test("has Stan's windows", () => {
  const ends = (warmUp: number): number[] => scaleWindows(warmUp).map(({ to }) => to);
  expect(ends(1000)).toEqual([100, 150, 250, 450, 950]);
  expect(ends(500)).toEqual([100, 150, 250, 450]);
  expect(ends(499)).toEqual([100, 150, 449]);
  expect(ends(150)).toEqual([100]);
  expect(ends(100)).toEqual([90]);
  expect(ends(19)).toEqual([]);
  for (const warmUp of [20, 100, 149, 150, 777, 1000]) {
    const windows = scaleWindows(warmUp);
    windows.slice(1).forEach(({ from }, i) => {
      expect(from).toBe(windows[i].to);
    });
  }
  expect(scaleWindows(1000)[0].from).toBe(75);
  expect(scaleWindows(100)[0].from).toBe(15);
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
