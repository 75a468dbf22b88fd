import type { NumberTable } from "../../src/data/csv.js";
import { randomKey } from "../../src/engine/random.js";
import type { SmoothSum } from "../../src/models/finiteSum.js";
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
