import type { Parameters } from "../engine/parameters.js";
import { checkShape } from "../engine/shape.js";
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { checkFiniteRows } from "../engine/values.js";
import type { LearnedKernel } from "../kernels/learnedKernel.js";
import { checkPositive } from "../kernels/radialKernel.js";
import { cholesky } from "../ops/cholesky.js";
import { exp } from "../ops/exp.js";
import { diagonal } from "../ops/lowerTriangle.js";
import { matMul } from "../ops/matMul.js";
import { triangularSolve } from "../ops/triangularSolve.js";
import { objectiveProblem } from "./objectiveProblem.js";
import type { NoParameters, Problem } from "./problem.js";

/** What {@link collapsedBound} learns. */
export type CollapsedParameters<K extends Parameters> = {
  readonly kernel: K;
  /** Z, `[M, D]`. */
  readonly inducing: Tensor2D;
  /** log σ². */
  readonly logNoise: Scalar;
};

/** Options of {@link collapsedBound}. */
export interface CollapsedBoundOptions<K extends Parameters> {
  readonly kernel: LearnedKernel<K>;
  /** Rows (y, x), `[N, 1 + D]`. They stay the caller's. */
  readonly rows: Tensor2D;
  /** What is added to the diagonal of K_ZZ, as a share of its mean; the bound stays one. Default 1e-4, which float32 needs where points are near each other. */
  readonly jitter?: number;
  /** False leaves out the trace: what is left, DTC's value, is the evidence of another model and no bound on this one's. Default true. */
  readonly withTrace?: boolean;
}

/**
 * Titsias' collapsed bound as a problem for `fit`, which then learns inducing points, noise and kernel:
 * `log N(y; 0, Q + σ² I) − tr(K − Q) / (2σ²)` with `Q = K_XZ K_ZZ⁻¹ K_ZX`, in O(N M²).
 *
 * ```ts
 * const problem = collapsedBound({ kernel, rows });
 * const { phi } = await fit({ problem, init: { phi: initialCollapsed({ kernel, inducing, noiseVariance: 0.1 }) }, bound: elbo, samples: 1, … });
 * ```
 *
 * In float32 its last digits are lost to y·y/σ²; report what `sparseGaussianProcess` says of the same numbers.
 *
 * @throws Error if the rows do not fit the kernel, are empty or not finite, or the jitter is not positive.
 * Source: Titsias 2009, "Variational learning of inducing variables in sparse Gaussian processes".
 */
export function collapsedBound<K extends Parameters>(
  options: CollapsedBoundOptions<K>,
): Problem<NoParameters, CollapsedParameters<K>, Tensor2D> {
  const { kernel, rows, jitter = 1e-4, withTrace = true } = options;
  checkGaussianProcessRows("collapsedBound", rows, kernel.dimension);
  checkPositive("collapsedBound: jitter", jitter);
  const n = rows.shape[0];
  return objectiveProblem(({ kernel: parameters, inducing, logNoise }) =>
    tf.tidy(() => {
      const [y, x] = tf.split(rows, [1, kernel.dimension], 1) as [Tensor2D, Tensor2D];
      const variance = exp(logNoise);
      const sigma = exp(tf.mul(0.5, logNoise));
      const factor = inducingFactor(kernel, parameters, inducing, jitter);
      const a = tf.div(triangularSolve(factor, kernel.matrix(parameters, inducing, x)), sigma);
      const b = cholesky(tf.add(matMul(a, a, { transposeB: true }), tf.eye(inducing.shape[0])));
      const c = triangularSolve(b, matMul(a, tf.div(y, sigma)));
      const quadratic = tf.sub(tf.div(tf.sum(tf.square(y)), variance), tf.sum(tf.square(c)));
      const logDeterminant = tf.mul(2, tf.sum(tf.log(diagonal(b))));
      const constant = tf.mul(n, tf.add(logNoise, Math.log(2 * Math.PI)));
      const dtc = tf.mul(-0.5, tf.add(tf.add(constant, logDeterminant), quadratic));
      if (!withTrace) return dtc;
      const prior = tf.div(tf.sum(kernel.diagonal(parameters, x)), variance);
      const unexplained = tf.sub(prior, tf.sum(tf.square(a)));
      return tf.sub(dtc, tf.mul(0.5, unexplained));
    }),
  );
}

/**
 * Where a fit of {@link collapsedBound} starts: the kernel's own start, the given inducing points (kept, not copied) and noise.
 *
 * @throws Error if the inducing points do not fit the kernel, are none or not finite, or the noise variance is not positive and finite.
 */
export function initialCollapsed<K extends Parameters>(options: {
  readonly kernel: LearnedKernel<K>;
  /** Z, `[M, D]`. */
  readonly inducing: Tensor2D;
  /** σ². */
  readonly noiseVariance: number;
}): CollapsedParameters<K> {
  const { kernel, inducing, noiseVariance } = options;
  checkInducing("initialCollapsed", inducing, kernel.dimension);
  checkPositive("initialCollapsed: noiseVariance", noiseVariance);
  return { kernel: kernel.init(), inducing, logNoise: tf.scalar(Math.log(noiseVariance)) };
}

/** L of K_ZZ + jitter · mean(diag K_ZZ) I, `[M, M]`. @internal */
export function inducingFactor<K extends Parameters>(
  kernel: LearnedKernel<K>,
  parameters: K,
  inducing: Tensor2D,
  jitter: number,
): Tensor {
  return tf.tidy(() => {
    const scale = tf.mean(kernel.diagonal(parameters, inducing) as Tensor1D);
    const ridge = tf.mul(tf.eye(inducing.shape[0]), tf.mul(jitter, scale));
    return cholesky(tf.add(kernel.matrix(parameters, inducing, inducing), ridge));
  });
}

/** @internal */
export function checkInducing(name: string, inducing: Tensor2D, dimension: number): void {
  checkShape(`${name}: inducing`, inducing, ["*", dimension]);
  if (inducing.shape[0] === 0) throw new Error(`${name}: there are no inducing points; give at least one row.`);
  checkFiniteRows(`${name}: inducing`, inducing);
}

/** Reads the rows: call it once for a data set, not at every step. @internal */
export function checkGaussianProcessRows(name: string, rows: Tensor2D, dimension: number): void {
  checkShape(`${name}: the rows (y, x)`, rows, ["*", 1 + dimension]);
  if (rows.shape[0] === 0) throw new Error(`${name}: there are no rows (y, x); give at least one.`);
  checkFiniteRows(`${name}: rows`, rows);
}
