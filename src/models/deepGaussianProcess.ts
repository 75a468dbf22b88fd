import type { Parameters } from "../engine/parameters.js";
import { type Key, normal } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { InducingPosterior } from "../families/inducingPosterior.js";
import type { LearnedKernel } from "../kernels/learnedKernel.js";
import { checkPositive } from "../kernels/radialKernel.js";
import { objectiveProblem } from "./objectiveProblem.js";
import type { PointLikelihood } from "./pointLikelihood.js";
import { checkSamples, type NoParameters, type Problem } from "./problem.js";
import { checkBatch, initialProcess, type SparseProcessParameters, sparseMarginals } from "./svgp.js";

/** Parameters of the inner layer: D processes that share kernel and inducing points, each with a q of its own. */
export type InnerLayerParameters<K extends Parameters, Q extends Parameters> = {
  readonly q: readonly Q[];
  readonly kernel: K;
  /** Z, `[M, D]`. */
  readonly inducing: Tensor2D;
};

/** What {@link deepGaussianProcess} learns. */
export type DeepGaussianProcessParameters<
  K1 extends Parameters,
  Q1 extends Parameters,
  K2 extends Parameters,
  Q2 extends Parameters,
  L extends Parameters,
> = {
  readonly inner: InnerLayerParameters<K1, Q1>;
  readonly outer: SparseProcessParameters<K2, Q2>;
  readonly likelihood: L;
};

/** A layer of a deep process: its kernel and the q of its whitened inducing variables. */
export interface GaussianProcessLayer<K extends Parameters, Q extends Parameters> {
  readonly kernel: LearnedKernel<K>;
  readonly posterior: InducingPosterior<Q>;
}

/** Options of {@link deepGaussianProcess}. */
export interface DeepGaussianProcessOptions<
  K1 extends Parameters,
  Q1 extends Parameters,
  K2 extends Parameters,
  Q2 extends Parameters,
  L extends Parameters,
> {
  /** Its posterior is best a `choleskyPosterior` with a small scale, so that the layer starts as the identity without noise. */
  readonly inner: GaussianProcessLayer<K1, Q1>;
  readonly outer: GaussianProcessLayer<K2, Q2>;
  readonly likelihood: PointLikelihood<L>;
  /** What is added to the diagonal of each K_ZZ, as a share of its mean. Default 1e-4. */
  readonly jitter?: number;
}

/** A deep Gaussian process of two layers, D → D → 1. */
export interface DeepGaussianProcess<P extends Parameters> {
  /** Where a fit starts: both layers with these inducing points `[M, D]` (the inner one keeps them, the outer one a copy). */
  init(inducing: Tensor2D): P;
  /** The problem of a batch of rows (y, x), `[S, 1 + D]`, that stands for N = scale · S of them. */
  problem(batch: { readonly x: Tensor2D; readonly scale: number }): Problem<NoParameters, P, Tensor2D>;
  /** Mean and variance of the outer process at points `[S, D]` given each of K draws of the inner layer, `[K, S]` each: q(f(x)) is their equal mixture. */
  predict(
    parameters: P,
    x: Tensor2D,
    draws: { readonly key: Key; readonly samples: number },
  ): { readonly mean: Tensor2D; readonly variance: Tensor2D };
}

/**
 * A deep Gaussian process of two layers by doubly stochastic inference: `h_d(x) = x_d + g_d(x)`, `y ~ p(· | f(h(x)))`, with g_d and f sparse Gaussian processes.
 *
 * `L = (N/S) Σ_s E_{q(h_s)} E_{q(f | h_s)}[log p(y_s | f)] − KL(inner) − KL(outer)`. Given the inducing variables a datum's bound looks at its own h_s alone, so that one draw of
 * `h_s = x_s + μ(x_s) + σ(x_s) ε` a datum is an unbiased, reparameterised estimate; the other source of noise is the minibatch. In `fit`, `samples` is the number of such draws.
 *
 * @throws Error if the dimensions of the layers differ or the jitter is not positive; if inducing points or a batch do not fit.
 * Source: Salimbeni & Deisenroth 2017, "Doubly stochastic variational inference for deep Gaussian processes".
 */
export function deepGaussianProcess<
  K1 extends Parameters,
  Q1 extends Parameters,
  K2 extends Parameters,
  Q2 extends Parameters,
  L extends Parameters,
>(
  options: DeepGaussianProcessOptions<K1, Q1, K2, Q2, L>,
): DeepGaussianProcess<DeepGaussianProcessParameters<K1, Q1, K2, Q2, L>> {
  type P = DeepGaussianProcessParameters<K1, Q1, K2, Q2, L>;
  const { inner, outer, likelihood, jitter = 1e-4 } = options;
  const { dimension } = inner.kernel;
  checkPositive("deepGaussianProcess: jitter", jitter);
  if (outer.kernel.dimension !== dimension)
    throw new Error(
      `deepGaussianProcess: the inner layer is of ${dimension} coordinates, the outer one of ${outer.kernel.dimension}; make them equal.`,
    );
  /** K draws of h, `[K · S, D]`. */
  const hidden = (layer: P["inner"], x: Tensor2D, key: Key, samples: number): Tensor2D => {
    const units = layer.q.map((q) => sparseMarginals({ ...inner, jitter }, { ...layer, q }, x));
    const stack = (tensors: readonly Tensor1D[]): Tensor => tf.stack([...tensors], 1); // [S, D]
    // The number below the root keeps its slope finite where a variance is 0.
    const deviation = tf.sqrt(tf.add(stack(units.map(({ variance }) => variance)), 1e-12));
    const mean = tf.add(x, stack(units.map(({ mean }) => mean)));
    const noise = normal(key, [samples, ...x.shape]);
    return tf.reshape(tf.add(mean, tf.mul(deviation, noise)), [-1, dimension]);
  };
  return {
    init: (inducing) => {
      const first = initialProcess("deepGaussianProcess: the inner layer", inner, inducing);
      return {
        inner: { ...first, q: [first.q, ...Array.from({ length: dimension - 1 }, () => inner.posterior.init())] },
        outer: initialProcess("deepGaussianProcess: the outer layer", outer, tf.clone(inducing)),
        likelihood: likelihood.init(),
      };
    },
    problem: ({ x: rows, scale }) => {
      checkBatch("deepGaussianProcess", rows, scale, dimension);
      return objectiveProblem((parameters, key) =>
        tf.tidy(() => {
          const [y, x] = tf.split(rows, [1, dimension], 1) as [Tensor2D, Tensor2D];
          const h = hidden(parameters.inner, x, key, 1);
          const { mean, variance } = sparseMarginals({ ...outer, jitter }, parameters.outer, h);
          const perDatum = likelihood.expected(parameters.likelihood, tf.squeeze(y, [1]), mean, variance);
          const divergence = parameters.inner.q.reduce<Tensor>(
            (sum, q) => tf.add(sum, inner.posterior.kl(q)),
            outer.posterior.kl(parameters.outer.q),
          );
          return tf.sub(tf.mul(scale, tf.sum(perDatum)), divergence);
        }),
      );
    },
    predict: (parameters, x, { key, samples }) => {
      checkShape("deepGaussianProcess: x", x, ["*", dimension]);
      checkSamples(samples);
      return tidied(() => {
        const h = hidden(parameters.inner, x, key, samples);
        const { mean, variance } = sparseMarginals({ ...outer, jitter }, parameters.outer, h);
        const shape: [number, number] = [samples, x.shape[0]];
        return { mean: tf.reshape(mean, shape), variance: tf.reshape(variance, shape) };
      });
    },
  };
}
