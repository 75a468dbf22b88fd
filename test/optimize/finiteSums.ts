import type { NumberTable } from "../../src/data/csv.js";
import { randomKey } from "../../src/engine/random.js";
import { evaluateSum, type FiniteSum, type SmoothSum } from "../../src/models/finiteSum.js";
import { gaussianLogisticSum } from "../../src/models/gaussianLogisticSum.js";
import { uniforms } from "../../src/models/randomStart.js";

/** Rows (y, 1, x) of a logistic regression with n rows. */
export function labelled(n: number, columns: number, seed: number): NumberTable {
  const draws = uniforms(randomKey(seed), n * (columns + 1));
  const values = Float64Array.from({ length: n * (columns + 2) }, (_, at) => {
    const [i, j] = [Math.floor(at / (columns + 2)), at % (columns + 2)];
    const u = (k: number): number => draws[i * (columns + 1) + k];
    if (j === 0) return u(columns) + 0.8 * (u(0) - 0.5) > 0.5 ? 1 : 0;
    return j === 1 ? 1 : 2 * u(j - 2) - 1;
  });
  return { rows: n, columns: columns + 2, values };
}

/** `f_i(x) = ½ a_i (x − c_i)²` in one dimension: everything in closed form. */
export function parabolas(a: readonly number[], c: readonly number[]): SmoothSum {
  const n = a.length;
  return {
    name: "parabolas",
    size: n,
    dimension: 1,
    smoothness: Math.max(...a),
    strongConvexity: a.reduce((s, x) => s + x, 0) / n,
    accumulate: ([x], rows, gradient) => {
      let value = 0;
      for (const i of rows) {
        value += (a[i] * (x - c[i]) ** 2) / 2;
        gradient[0] += a[i] * (x - c[i]);
      }
      return value;
    },
  };
}

/** Every set of S of N rows. */
export function subsets(n: number, size: number): Int32Array[] {
  const all: Int32Array[] = [];
  const grow = (from: number, taken: readonly number[]): void => {
    if (taken.length === size) all.push(Int32Array.from(taken));
    else for (let i = from; i < n; i++) grow(i + 1, [...taken, i]);
  };
  grow(0, []);
  return all;
}

/** −ELBO / N of a mean-field Gaussian, by quadrature; its optimum, by gradient descent to rounding; and the least and largest curvature there. */
export async function variationalObjective(): Promise<{
  readonly sum: FiniteSum;
  readonly start: Float64Array;
  readonly point: Float64Array;
  readonly value: number;
  readonly least: number;
  readonly largest: number;
}> {
  const rows = labelled(60, 2, 9);
  const sum = gaussianLogisticSum({ rows, priorScale: 1, expectation: { kind: "quadrature", nodes: 12 } });
  const start = Float64Array.of(0.5, -1, 0.8, -1, -0.5, -1);
  const gradientAt = async (x: Float64Array): Promise<Float64Array> => (await evaluateSum(sum, x)).gradient;
  let point = start;
  for (let t = 0; t < 2000; t++) {
    const gradient = await gradientAt(point);
    point = point.map((x, d) => x - gradient[d]);
  }
  const hessian: number[][] = [];
  for (let d = 0; d < 6; d++) {
    const [up, down] = [1e-5, -1e-5].map((h) => point.map((x, j) => (j === d ? x + h : x)));
    const [above, below] = [await gradientAt(up), await gradientAt(down)];
    hessian.push(Array.from(above, (g, j) => (g - below[j]) / 2e-5));
  }
  /** The eigenvalue farthest from `shift`, by power iteration. */
  const farthest = (shift: number): number => {
    const times = (v: readonly number[]): number[] =>
      hessian.map((row) => row.reduce((sum, h, j) => sum + h * v[j], 0));
    let v = [1, 2, 3, 4, 5, 6.5];
    for (let t = 0; t < 3000; t++) {
      const w = times(v).map((x, d) => x - shift * v[d]);
      v = w.map((x) => x / Math.hypot(...w));
    }
    return times(v).reduce((sum, x, d) => sum + x * v[d], 0);
  };
  const largest = farthest(0);
  return { sum, start, point, value: (await evaluateSum(sum, point)).value, least: farthest(largest), largest };
}

/** ‖x − x*‖ from when it is below 1e-3 to when it is below 1e-11, against steps: the factors between points, and minus the slope of its logarithm a step. */
export function decrease(distances: readonly { readonly step: number; readonly distance: number }[]): {
  readonly factors: readonly number[];
  readonly slope: number;
} {
  const inside = distances.filter(({ distance }) => distance < 1e-3 && distance > 1e-11);
  const factors = inside.slice(1).map(({ distance }, i) => distance / inside[i].distance);
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const [a, b] = [mean(inside.map(({ step }) => step)), mean(inside.map(({ distance }) => Math.log(distance)))];
  const [across, along] = [
    inside.reduce((sum, { step, distance }) => sum + (step - a) * (Math.log(distance) - b), 0),
    inside.reduce((sum, { step }) => sum + (step - a) ** 2, 0),
  ];
  return { factors, slope: -across / along };
}
