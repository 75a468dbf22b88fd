import type { Parameters } from "../engine/parameters.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { InducingPosterior } from "../families/inducingPosterior.js";
import type { LearnedKernel } from "../kernels/learnedKernel.js";
import { checkPositive } from "../kernels/radialKernel.js";
import { matMul } from "../ops/matMul.js";
import { relu } from "../ops/relu.js";
import { triangularSolve } from "../ops/triangularSolve.js";
import { checkInducing, inducingFactor } from "./collapsedBound.js";
import { objectiveProblem } from "./objectiveProblem.js";
import type { PointLikelihood } from "./pointLikelihood.js";
import type { NoParameters, Problem } from "./problem.js";

/** A Gaussian process through inducing variables: kernel, inducing points and q of the whitened inducing variables. */
export type SparseProcessParameters<K extends Parameters, Q extends Parameters> = {
  readonly q: Q;
  readonly kernel: K;
  /** Z, `[M, D]`. */
  readonly inducing: Tensor2D;
};

/** What {@link svgp} learns. */
export type SvgpParameters<K extends Parameters, L extends Parameters, Q extends Parameters> = SparseProcessParameters<
  K,
  Q
> & { readonly likelihood: L };

/** Options of {@link svgp}. */
export interface SvgpOptions<K extends Parameters, L extends Parameters, Q extends Parameters> {
  readonly kernel: LearnedKernel<K>;
  readonly likelihood: PointLikelihood<L>;
  /** q of the whitened inducing variables: `naturalPosterior`, to be moved by `naturalSteps`, or `choleskyPosterior`. */
  readonly posterior: InducingPosterior<Q>;
  /** What is added to the diagonal of K_ZZ, as a share of its mean. Default 1e-4. */
  readonly jitter?: number;
}

/** q(f(x)) at points, `[S]` each. */
export interface Marginals {
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
}

/** A sparse variational Gaussian process. */
export interface Svgp<K extends Parameters, L extends Parameters, Q extends Parameters> {
  /** Where a fit starts: kernel, likelihood and q at their own starts, and the given inducing points `[M, D]` (kept, not copied). */
  init(inducing: Tensor2D): SvgpParameters<K, L, Q>;
  /** The problem of a batch of rows (y, x), `[S, 1 + D]`, that stands for N = scale · S of them. Its numbers are not read here. */
  problem(batch: {
    readonly x: Tensor2D;
    readonly scale: number;
  }): Problem<NoParameters, SvgpParameters<K, L, Q>, Tensor2D>;
  /** q(f(x)) at points `[S, D]`. */
  predict(parameters: SvgpParameters<K, L, Q>, x: Tensor2D): Marginals;
}

/**
 * A sparse Gaussian process for any likelihood and any number of data: `L = (N/S) Σ_s E_{q(f_s)}[log p(y_s | f_s)] − KL(q(u) ‖ p(u))`, O(S M² + M³) a step.
 *
 * With u = L v whitened and a_s = L⁻¹ k(Z, x_s), `q(f_s) = N(a_sᵀ m, k(x_s, x_s) − |a_s|² + a_sᵀ S a_s)`. Over minibatches of equal size the bound is unbiased. With a Gaussian
 * likelihood and all data, one natural step of ρ = 1 reaches Titsias' collapsed bound.
 *
 * ```ts
 * const model = svgp({ kernel, likelihood: gaussianLikelihood({ noiseVariance: 0.1 }), posterior: naturalPosterior({ dimension: 50 }) });
 * await fit({
 *   batches: minibatches({ data: rows, size: 256, key }), problem: (batch) => model.problem(batch), init: { phi: model.init(inducing) },
 *   bound: elbo, samples: 1, optimizer: naturalSteps({ optimizer: adam({ learningRate: 0.01 }), rate: 0.1 }), steps, key,
 * });
 * ```
 *
 * @throws Error if the jitter is not positive; if the inducing points do not fit kernel and posterior or are not finite; if a batch is empty or of another width, or the scale is not positive.
 * Source: Hensman, Fusi & Lawrence 2013, "Gaussian processes for big data"; Hensman, Matthews & Ghahramani 2015, "Scalable variational Gaussian process classification".
 */
export function svgp<K extends Parameters, L extends Parameters, Q extends Parameters>(
  options: SvgpOptions<K, L, Q>,
): Svgp<K, L, Q> {
  const { kernel, likelihood, posterior, jitter = 1e-4 } = options;
  checkPositive("svgp: jitter", jitter);
  return {
    init: (inducing) => ({
      ...initialProcess("svgp", { kernel, posterior }, inducing),
      likelihood: likelihood.init(),
    }),
    problem: ({ x: rows, scale }) => {
      checkBatch("svgp", rows, scale, kernel.dimension);
      return objectiveProblem((parameters) =>
        tf.tidy(() => {
          const [y, x] = tf.split(rows, [1, kernel.dimension], 1) as [Tensor2D, Tensor2D];
          const { mean, variance } = sparseMarginals({ kernel, posterior, jitter }, parameters, x);
          const perDatum = likelihood.expected(parameters.likelihood, tf.squeeze(y, [1]), mean, variance);
          return tf.sub(tf.mul(scale, tf.sum(perDatum)), posterior.kl(parameters.q));
        }),
      );
    },
    predict: (parameters, x) => {
      checkShape("svgp: x", x, ["*", kernel.dimension]);
      return sparseMarginals({ kernel, posterior, jitter }, parameters, x);
    },
  };
}

/** q(f(x)) of one process. @internal */
export function sparseMarginals<K extends Parameters, Q extends Parameters>(
  model: { readonly kernel: LearnedKernel<K>; readonly posterior: InducingPosterior<Q>; readonly jitter: number },
  { q, kernel: parameters, inducing }: SparseProcessParameters<K, Q>,
  x: Tensor2D,
): Marginals {
  const { kernel, posterior, jitter } = model;
  return tidied(() => {
    const factor = inducingFactor(kernel, parameters, inducing, jitter);
    const a: Tensor = triangularSolve(factor, kernel.matrix(parameters, inducing, x)); // [M, S]
    const mean = tf.squeeze(matMul(a, posterior.mean(q), { transposeA: true }), [1]) as Tensor1D;
    // Not below 0, where rounding would have it at an inducing point.
    const unexplained = relu(tf.sub(kernel.diagonal(parameters, x), tf.sum(tf.square(a), 0)));
    return { mean, variance: tf.add(unexplained, posterior.variance(q, a)) as Tensor1D };
  });
}

/** @internal */
export function initialProcess<K extends Parameters, Q extends Parameters>(
  name: string,
  model: { readonly kernel: LearnedKernel<K>; readonly posterior: InducingPosterior<Q> },
  inducing: Tensor2D,
): SparseProcessParameters<K, Q> {
  checkInducing(name, inducing, model.kernel.dimension);
  if (inducing.shape[0] !== model.posterior.dimension)
    throw new Error(
      `${name}: there are ${inducing.shape[0]} inducing points, but the posterior is of ${model.posterior.dimension}; make them equal.`,
    );
  return { q: model.posterior.init(), kernel: model.kernel.init(), inducing };
}

/** @internal */
export function checkBatch(name: string, rows: Tensor2D, scale: number, dimension: number): void {
  checkShape(`${name}: the rows (y, x)`, rows, ["*", 1 + dimension]);
  if (rows.shape[0] === 0) throw new Error(`${name}: the batch is empty; give it at least one row (y, x).`);
  if (!(scale > 0 && scale < Infinity))
    throw new Error(
      `${name}: scale must be N/S, the size of the data set over that of the batch, not ${scale}; use 1 for the whole data set.`,
    );
}
