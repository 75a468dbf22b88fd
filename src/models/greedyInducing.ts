import type { KernelFunction } from "../kernels/kernelFunction.js";
import { pointsOf } from "./gaussianProcess.js";

/** Inputs in the order in which {@link greedyInducing} takes them. */
export interface GreedyInducing {
  /** Which rows of X, `[M]`; the first m of them are the choice of m inducing points, so that choices are nested. */
  readonly rows: Int32Array;
  /** Their coordinates, `[M · D]`. */
  readonly inducing: Float64Array;
  /** tr(K − Q) with the first m + 1 of them, `[M]`, which never rises. */
  readonly unexplained: Float64Array;
}

/**
 * Inducing points chosen among the inputs, each where the prior variance given those before it is largest: in Float64, O(N M²) time and O(N M) memory.
 *
 * With `v_m(x) = k(x, x) − k(x, Z_m) K⁻¹ k(Z_m, x)`, `z_{m+1} = argmax_n v_m(x_n)`: the pivots of K's partial Cholesky factor. It stops short of M where what is left is rounding.
 *
 * @param options.inputs - X, `[N · D]`, row by row.
 * @param options.count - M, at most N.
 * @throws RangeError if M is no integer from 1 to N, the inputs are not finite, or their number does not fit the dimension.
 * Source: Fine & Scheinberg 2001, "Efficient SVM training using low-rank kernel representations"; for inducing points, Burt, Rasmussen & van der Wilk 2020, "Convergence of sparse variational inference in Gaussian processes regression", section 4.
 */
export function greedyInducing(options: {
  readonly kernel: KernelFunction;
  readonly inputs: ArrayLike<number>;
  /** D. Default 1. */
  readonly dimension?: number;
  readonly count: number;
}): GreedyInducing {
  const { kernel, inputs, dimension = 1, count } = options;
  const x = pointsOf("greedyInducing", inputs, dimension);
  const n = x.length;
  if (!Number.isInteger(count) || count < 1 || count > n)
    throw new RangeError(`greedyInducing: count must be an integer from 1 to the ${n} inputs, not ${count}.`);
  const left = Float64Array.from(x, (point) => kernel(point, point));
  const negligible = 1e-12 * left.reduce((a, b) => Math.max(a, b), 0);
  const columns: Float64Array[] = []; // of the factor, each `[N]`
  const rows: number[] = [];
  const unexplained: number[] = [];
  while (rows.length < count) {
    const pivot = left.reduce((best, value, i) => (value > left[best] ? i : best), 0);
    if (!(left[pivot] > negligible)) break;
    const column = Float64Array.from(x, (point) => kernel(point, x[pivot]));
    for (const earlier of columns) {
      const weight = earlier[pivot];
      for (let i = 0; i < n; i++) column[i] -= weight * earlier[i];
    }
    const root = Math.sqrt(left[pivot]);
    let total = 0;
    for (let i = 0; i < n; i++) {
      column[i] /= root;
      left[i] = i === pivot ? 0 : Math.max(0, left[i] - column[i] ** 2);
      total += left[i];
    }
    columns.push(column);
    rows.push(pivot);
    unexplained.push(total);
  }
  return {
    rows: Int32Array.from(rows),
    inducing: Float64Array.from(rows.flatMap((row) => Array.from(x[row]))),
    unexplained: Float64Array.from(unexplained),
  };
}
