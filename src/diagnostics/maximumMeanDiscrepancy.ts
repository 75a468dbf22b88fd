import type { RadialKernel } from "../kernels/radialKernel.js";
import { type Estimate, sum } from "./moments.js";
import { pairMoments, pointsOf, resamplingPValue } from "./uStatistic.js";

/** What {@link maximumMeanDiscrepancy} looks at. */
export interface MaximumMeanOptions {
  /** Draws of one law, `[m · D]`, row by row, m ≥ 3. */
  readonly x: ArrayLike<number>;
  /** Draws of the other, `[n · D]`, n ≥ 3. */
  readonly y: ArrayLike<number>;
  /** D. */
  readonly dimension: number;
  /** k; `squaredExponential({ lengthScale: medianDistance([...x, ...y], D) })` is customary. */
  readonly kernel: RadialKernel;
  /** B orders of the numbers from 0 to m + n − 1, for the p-value: of each, the first m are taken for x's. */
  readonly permutations?: readonly ArrayLike<number>[];
}

/** What {@link maximumMeanDiscrepancy} finds. */
export interface MaximumMeanDiscrepancy {
  /** MMD², unbiased: about 0 where the laws are one, and then as often below as not. There its standard error is about a quarter too large. */
  readonly squared: Estimate;
  /** MMD² of the two empirical laws: never negative, above MMD² in expectation. */
  readonly biased: number;
  /** Probability of a statistic at least this large if all draws have one law; where permutations are given. */
  readonly pValue?: number;
}

/**
 * The maximum mean discrepancy between two samples: the distance of their mean embeddings in a kernel's Hilbert space.
 *
 * `MMD² = E k(x, x′) + E k(y, y′) − 2 E k(x, y)`; for the kernels of this library 0 only where the laws are one. The unbiased estimate leaves out the pairs of a
 * point with itself, the biased one keeps them. The p-value is that of the permutation test and exact for any number of permutations of exchangeable draws.
 * Time O((m + n)² (D + B)), memory O((m + n) B).
 *
 * @throws RangeError if sizes do not fit, if a sample has fewer than three points, if a number is not finite or an order is none.
 * Source: Gretton, Borgwardt, Rasch, Schölkopf & Smola 2012, "A kernel two-sample test", lemma 6.
 */
export function maximumMeanDiscrepancy(options: MaximumMeanOptions): MaximumMeanDiscrepancy {
  const { dimension, kernel, permutations } = options;
  const x = pointsOf("maximumMeanDiscrepancy: x", options.x, dimension);
  const y = pointsOf("maximumMeanDiscrepancy: y", options.y, dimension);
  const [m, n] = [x.length / dimension, y.length / dimension];
  const pooled = new Float64Array(x.length + y.length);
  pooled.set(x);
  pooled.set(y, x.length);
  const labels = permutations && flatLabels(permutations, m, m + n);
  const firsts = new Float64Array(permutations?.length ?? 0); // Σ of k over pairs within the first m, of each order
  const seconds = new Float64Array(firsts.length);
  const inner = new Float64Array(firsts.length);
  const own = new Float64Array(m + n); // Σ of k over the other points of the same sample
  const cross = new Float64Array(m + n);
  const squares = { xx: 0, yy: 0, xy: 0 };
  for (let i = 0; i < m + n; i++) {
    inner.fill(0);
    let row = 0;
    for (let j = 0; j < i; j++) {
      let square = 0;
      for (let d = 0, a = i * dimension, b = j * dimension; d < dimension; d++, a++, b++)
        square += (pooled[a] - pooled[b]) * (pooled[a] - pooled[b]);
      const k = kernel.value(square);
      const sums = i >= m && j < m ? cross : own;
      sums[i] += k;
      sums[j] += k;
      if (sums === cross) squares.xy += k * k;
      else if (i < m) squares.xx += 2 * k * k;
      else squares.yy += 2 * k * k;
      row += k;
      if (labels) for (let b = 0, at = j * inner.length; b < inner.length; b++) inner[b] += k * labels[at + b];
    }
    if (!labels) continue;
    for (let b = 0; b < inner.length; b++) {
      if (labels[i * inner.length + b] === 1) firsts[b] += inner[b];
      else seconds[b] += row - inner[b];
    }
  }
  const xx = pairMoments({ rows: own.subarray(0, m), squares: squares.xx });
  const yy = pairMoments({ rows: own.subarray(m), squares: squares.yy });
  const between = sum(cross) / (2 * m * n);
  const value = xx.mean + yy.mean - 2 * between;

  // Hoeffding's decomposition: the points' own terms (4 ζ / n), and what is left of each pair (C).
  const [projectedX, projectedY] = [projection(cross, 0, m, n, squares.xy), projection(cross, m, n, m, squares.xy)];
  const pairXX = Math.max(0, xx.square - 2 * xx.projected + xx.mean ** 2);
  const pairYY = Math.max(0, yy.square - 2 * yy.projected + yy.mean ** 2);
  const pairXY = Math.max(0, squares.xy / (m * n) - projectedX - projectedY + between ** 2);
  const [ownX, ownY] = [witness(own, cross, 0, m, n), witness(own, cross, m, n, m)];
  const zetaX = Math.max(0, ownX - pairXX / (m - 1) - pairXY / n);
  const zetaY = Math.max(0, ownY - pairYY / (n - 1) - pairXY / m);
  const variance =
    (4 * zetaX) / m +
    (4 * zetaY) / n +
    (2 * pairXX) / (m * (m - 1)) +
    (2 * pairYY) / (n * (n - 1)) +
    (4 * pairXY) / (m * n);
  const self = kernel.value(0);
  const biased = Math.max(0, ((m - 1) * xx.mean + self) / m + ((n - 1) * yy.mean + self) / n - 2 * between);
  const squared = { value, standardError: Math.sqrt(variance), n: Math.min(m, n) };
  if (!permutations) return { squared, biased };
  const all = (sum(own) + sum(cross)) / 2;
  const resampled = firsts.map((first, b) => {
    const rest = all - first - seconds[b];
    return (2 * first) / (m * (m - 1)) + (2 * seconds[b]) / (n * (n - 1)) - (2 * rest) / (m * n);
  });
  return { squared, biased, pValue: resamplingPValue(value, resampled) };
}

/** E (E[k(x, y) | x])² over the `count` points that begin at `from`, each with a sum over `others`. */
function projection(cross: Float64Array, from: number, count: number, others: number, squares: number): number {
  const rows = cross.subarray(from, from + count).map((row) => (row / others) ** 2);
  return (others * (sum(rows) / count) - squares / (count * others)) / (others - 1);
}

/** Variance over a sample of the witness function, mean k within less mean k across. */
function witness(own: Float64Array, cross: Float64Array, from: number, count: number, others: number): number {
  const values = Float64Array.from({ length: count }, (_, i) => own[from + i] / (count - 1) - cross[from + i] / others);
  const centre = sum(values) / count;
  return sum(values.map((value) => (value - centre) ** 2)) / (count - 1);
}

/** `[N · B]`, 1 where a point is one of an order's first m. */
function flatLabels(orders: readonly ArrayLike<number>[], m: number, all: number): Uint8Array {
  const labels = new Uint8Array(all * orders.length);
  orders.forEach((order, b) => {
    const seen = new Uint8Array(all);
    for (let i = 0; i < order.length; i++) if (order[i] >= 0 && order[i] < all) seen[order[i]] = 1;
    if (order.length !== all || seen.includes(0)) {
      throw new RangeError(
        `maximumMeanDiscrepancy: permutation ${b} is not an order of the numbers from 0 to ${all - 1}.`,
      );
    }
    for (let i = 0; i < m; i++) labels[order[i] * orders.length + b] = 1;
  });
  return labels;
}
