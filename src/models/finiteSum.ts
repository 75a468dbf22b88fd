import { breathe } from "../engine/interrupt.js";

/**
 * A mean of N deterministic terms, `F(x) = (1/N) Σ_i f_i(x)`, in Float64: what SGD, SVRG and SAGA descend.
 *
 * Deterministic means that f_i(x) is a function of i and x alone. Variance reduction remembers the gradient of a term and subtracts it later; with noise drawn anew
 * in every evaluation there is nothing to remember, and F is no sum over finitely many terms.
 */
export interface FiniteSum {
  readonly name: string;
  /** N. */
  readonly size: number;
  /** D. */
  readonly dimension: number;
  /**
   * Adds `Σ_{i in rows} ∇f_i(point)` to `gradient`, in place, and returns `Σ_{i in rows} f_i(point)`.
   *
   * @param point - `[D]`.
   * @param rows - numbers of terms, 0 to N − 1.
   * @param gradient - `[D]`.
   */
  accumulate(point: Float64Array, rows: Int32Array, gradient: Float64Array): number;
}

/** A finite sum of convex terms with the two constants that rates are stated in. */
export interface SmoothSum extends FiniteSum {
  /** L: every ∇f_i is L-Lipschitz. */
  readonly smoothness: number;
  /** μ > 0: F − ½ μ ‖x‖² is convex. */
  readonly strongConvexity: number;
}

/** A finite sum of terms that can be differentiated twice. */
export interface CurvedSum extends FiniteSum {
  /**
   * Adds `Σ_{i in rows} ∇²f_i(point)` to `hessian`, in place.
   *
   * @param hessian - `[D · D]` row by row.
   */
  accumulateHessian(point: Float64Array, rows: Int32Array, hessian: Float64Array): void;
}

/** F and ∇F at a point. */
export interface SumAndGradient {
  readonly value: number;
  /** `[D]`. */
  readonly gradient: Float64Array;
}

/** Terms that are summed without giving way to the event loop. */
const block = 2048;

/**
 * F and ∇F at a point: one pass through the terms.
 *
 * @throws RangeError if the point has not D finite numbers.
 */
export async function evaluateSum(sum: FiniteSum, point: Float64Array): Promise<SumAndGradient> {
  checkPoint("evaluateSum", sum, point);
  const gradient = new Float64Array(sum.dimension);
  let value = 0;
  for (let from = 0; from < sum.size; from += block) {
    await breathe();
    const rows = Int32Array.from({ length: Math.min(block, sum.size - from) }, (_, i) => from + i);
    value += sum.accumulate(point, rows, gradient);
  }
  return { value: value / sum.size, gradient: gradient.map((g) => g / sum.size) };
}

/**
 * The error of a minibatch gradient about ∇F, exactly and without sampling: `E ‖g − ∇F‖² = (N − S)/(N − 1) · (1/S) · (1/N) Σ_i ‖d_i − d̄‖²`, for S distinct rows and
 * `d_i = ∇f_i(x) − a_i`.
 *
 * @param options.control - adds a_i to its second argument with the weight of the third, where the gradient has a control variate with terms a_i. Default: none, plain SGD.
 * @throws RangeError if S is not an integer from 1 to N.
 */
export async function minibatchVariance(options: {
  readonly sum: FiniteSum;
  readonly point: Float64Array;
  /** S. */
  readonly batchSize: number;
  readonly control?: (row: Int32Array, into: Float64Array, weight: number) => void;
}): Promise<number> {
  const { sum, point, batchSize: S, control } = options;
  const { size: N, dimension: D } = sum;
  checkBatchSize("minibatchVariance", S, N);
  if (S === N) return 0;
  const mean = new Float64Array(D);
  const term = new Float64Array(D);
  const row = new Int32Array(1);
  let spread = 0; // Σ_i ‖d_i − d̄‖², by Welford's updates
  for (let i = 0; i < N; i++) {
    if (i % block === 0) await breathe();
    row[0] = i;
    term.fill(0);
    sum.accumulate(point, row, term);
    control?.(row, term, -1);
    for (let d = 0; d < D; d++) {
      const before = term[d] - mean[d];
      mean[d] += before / (i + 1);
      spread += before * (term[d] - mean[d]);
    }
  }
  return ((N - S) / (N - 1) / S) * (spread / N);
}

/**
 * Refuses terms that are not functions of their number and the point: evaluates some twice, and adds some up.
 *
 * @throws Error if a term has two gradients or values at one point, or a batch is not the sum of its terms; RangeError if a term is not finite there.
 */
export function checkFiniteSum(where: string, sum: FiniteSum, point: Float64Array): void {
  const count = Math.min(sum.size, 8);
  const rows = Int32Array.from({ length: count }, (_, j) => Math.floor((j * sum.size) / count));
  const total = new Float64Array(sum.dimension);
  const size = new Float64Array(sum.dimension);
  for (const i of rows) {
    const [first, second] = [new Float64Array(sum.dimension), new Float64Array(sum.dimension)];
    const values = [sum.accumulate(point, Int32Array.of(i), first), sum.accumulate(point, Int32Array.of(i), second)];
    if (!Number.isFinite(values[0]) || !first.every(Number.isFinite))
      throw new RangeError(`${where}: term ${i} or its gradient is not finite at the start; check its data.`);
    if (values[0] !== values[1] || first.some((g, d) => g !== second[d])) {
      throw new Error(
        `${where}: term ${i} has two values at one point, so its noise is drawn anew in every evaluation and no earlier gradient can be subtracted; ` +
          "give terms that depend on their number and the point alone (a closed form, quadrature, or draws held fixed).",
      );
    }
    first.forEach((g, d) => {
      total[d] += g;
      size[d] += Math.abs(g);
    });
  }
  const together = new Float64Array(sum.dimension);
  sum.accumulate(point, rows, together);
  const bad = together.findIndex((g, d) => Math.abs(g - total[d]) > 1e-9 * (size[d] + 1e-300));
  if (bad !== -1) {
    throw new Error(
      `${where}: the gradient of a batch is not the sum of its terms' (${together[bad]} and ${total[bad]} in coordinate ${bad}); accumulate must add sums, not means.`,
    );
  }
}

/** @throws RangeError unless the sum has terms and the point its D finite numbers. */
export function checkPoint(where: string, sum: FiniteSum, point: Float64Array): void {
  if (!(Number.isInteger(sum.size) && sum.size >= 1))
    throw new RangeError(`${where}: the sum "${sum.name}" has ${sum.size} terms, but needs at least one.`);
  const bad = point.findIndex((x) => !Number.isFinite(x));
  if (point.length !== sum.dimension || bad !== -1) {
    throw new RangeError(
      `${where}: the point must have ${sum.dimension} finite numbers, ${bad === -1 ? `not ${point.length}` : `but number ${bad} is ${point[bad]}`}.`,
    );
  }
}

/** @throws RangeError unless 1 ≤ S ≤ N. */
export function checkBatchSize(where: string, S: number, N: number): void {
  if (!Number.isInteger(S) || S < 1 || S > N)
    throw new RangeError(`${where}: the batch size must be an integer from 1 to the ${N} terms, not ${S}.`);
}
