import type { RadialKernel } from "../kernels/radialKernel.js";
import type { Estimate } from "./moments.js";
import { pointsOf, resamplingPValue, uStatistic } from "./uStatistic.js";

/** What {@link kernelSteinDiscrepancy} looks at. */
export interface KernelSteinOptions {
  /** Draws of q, `[n · D]`, row by row, n ≥ 3. */
  readonly x: ArrayLike<number>;
  /** ∇ log p at each of them, `[n · D]`: p's normalising constant is not needed. */
  readonly score: ArrayLike<number>;
  /** D. */
  readonly dimension: number;
  /** k; `inverseMultiquadric()` is the safe choice. */
  readonly kernel: RadialKernel;
  /** B rows of n independent signs ±1, for the p-value. */
  readonly signs?: readonly ArrayLike<number>[];
}

/** What {@link kernelSteinDiscrepancy} finds. */
export interface KernelSteinDiscrepancy {
  /** KSD², unbiased: about 0 where q = p, and then as often below as not. Under q = p its standard error is about a quarter too large. */
  readonly squared: Estimate;
  /** The V-statistic, KSD² of the n points themselves as a law: never negative, above KSD² in expectation. */
  readonly biased: number;
  /** Probability of a statistic at least this large if x are independent draws of p; where signs are given. */
  readonly pValue?: number;
}

/**
 * The kernel Stein discrepancy between draws of q and a density p of which only the score is known.
 *
 * `KSD² = E u(x, x′)` over independent x, x′ ~ q, with s = ∇ log p and
 * `u(x, y) = k s(x)·s(y) + s(x)·∇_y k + ∇_x k·s(y) + ∇_x·∇_y k`; also `E (s_p − s_q)(x)ᵀ k(x, x′) (s_p − s_q)(x′)`.
 *
 * It is 0 where q = p, for every kernel; elsewhere above 0 for the kernels of this library if q has a density and its score a mean square. The p-value is that of the
 * wild bootstrap, whose statistics `Σ_{i≠j} w_i w_j u_ij` have random signs w; it supposes independent draws (a chain's are not: thin them).
 * Time O(n² (D + B)), memory O(n B).
 *
 * @throws RangeError if sizes do not fit, if there are fewer than three points, if a number is not finite or a sign not ±1.
 * Source: Liu, Lee & Jordan 2016, "A kernelized Stein discrepancy for goodness-of-fit tests"; Chwialkowski, Strathmann &
 * Gretton 2016, "A kernel test of goodness of fit" (the wild bootstrap); Gorham & Mackey 2017, "Measuring sample quality with kernels".
 */
export function kernelSteinDiscrepancy(options: KernelSteinOptions): KernelSteinDiscrepancy {
  const { dimension, kernel, signs } = options;
  const x = pointsOf("kernelSteinDiscrepancy: x", options.x, dimension);
  const score = pointsOf("kernelSteinDiscrepancy: score", options.score, dimension);
  if (x.length !== score.length) {
    throw new RangeError(
      `kernelSteinDiscrepancy got ${x.length / dimension} points but ${score.length / dimension} scores; give one score a point.`,
    );
  }
  const n = x.length / dimension;
  const bootstrap = signs && flatSigns(signs, n);
  const rows = new Float64Array(n);
  let squares = 0;
  const resampled = new Float64Array(signs?.length ?? 0);
  const partial = new Float64Array(resampled.length);
  for (let i = 0; i < n; i++) {
    partial.fill(0);
    for (let j = 0; j < i; j++) {
      const u = steinKernel(kernel, x, score, i * dimension, j * dimension, dimension);
      rows[i] += u;
      rows[j] += u;
      squares += 2 * u * u;
      if (bootstrap)
        for (let b = 0, at = j * partial.length; b < partial.length; b++) partial[b] += u * bootstrap[at + b];
    }
    if (bootstrap)
      for (let b = 0; b < partial.length; b++) resampled[b] += partial[b] * bootstrap[i * partial.length + b];
  }
  const squared = uStatistic({ rows, squares });
  let diagonal = 0;
  for (let i = 0; i < n; i++) diagonal += steinKernel(kernel, x, score, i * dimension, i * dimension, dimension);
  const biased = Math.max(0, ((n - 1) * squared.value) / n + diagonal / (n * n));
  if (!signs) return { squared, biased };
  // Both over unordered pairs.
  return { squared, biased, pValue: resamplingPValue((squared.value * n * (n - 1)) / 2, resampled) };
}

/** u(x_i, x_j), the rows given by where they begin. */
function steinKernel(
  kernel: RadialKernel,
  x: Float64Array,
  score: Float64Array,
  i: number,
  j: number,
  dimension: number,
): number {
  let [square, along, both] = [0, 0, 0];
  for (let d = 0; d < dimension; d++) {
    const apart = x[i + d] - x[j + d];
    square += apart * apart;
    along += apart * (score[j + d] - score[i + d]);
    both += score[i + d] * score[j + d];
  }
  const slope = kernel.slope(square);
  return kernel.value(square) * both + 2 * slope * (along - dimension) - 4 * square * kernel.curvature(square);
}

/** `[n · B]`, one point's signs side by side. */
function flatSigns(signs: readonly ArrayLike<number>[], n: number): Int8Array {
  const flat = new Int8Array(n * signs.length);
  signs.forEach((row, b) => {
    if (row.length !== n)
      throw new RangeError(`kernelSteinDiscrepancy: row ${b} of signs has ${row.length} entries for ${n} points.`);
    for (let i = 0; i < n; i++) {
      if (Math.abs(row[i]) !== 1)
        throw new RangeError(`kernelSteinDiscrepancy: a sign must be 1 or −1, not ${row[i]}.`);
      flat[i * signs.length + b] = row[i];
    }
  });
  return flat;
}
