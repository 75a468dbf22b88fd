import { gaussHermite } from "../diagnostics/quadrature.js";
import type { Parameters } from "../engine/parameters.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import { checkPositive } from "../kernels/radialKernel.js";
import { exp } from "../ops/exp.js";
import { logSigmoid } from "../ops/logSigmoid.js";
import type { NoParameters } from "./problem.js";

/** A likelihood p(y_s | f_s) of one latent number a datum. */
export interface PointLikelihood<L extends Parameters> {
  readonly name: string;
  /** The parameters it starts with: new tensors, the caller's. */
  init(): L;
  /** E_{f ~ N(μ, v)}[log p(y | f)], elementwise over `[S]`. */
  expected(parameters: L, y: Tensor1D, mean: Tensor1D, variance: Tensor1D): Tensor1D;
}

/** Parameters of {@link gaussianLikelihood}. */
export type NoiseParameters = {
  /** log σ². */
  readonly logNoise: Scalar;
};

/**
 * y ~ N(f, σ²) with a learned σ²: the expectation is `−½ log 2πσ² − ((y − μ)² + v) / (2σ²)`.
 *
 * @throws RangeError if σ² at the start is not positive and finite.
 */
export function gaussianLikelihood(options: {
  /** σ² at the start. */
  readonly noiseVariance: number;
}): PointLikelihood<NoiseParameters> {
  checkPositive("gaussianLikelihood: noiseVariance", options.noiseVariance);
  return {
    name: "Gaussian",
    init: () => ({ logNoise: tf.scalar(Math.log(options.noiseVariance)) }),
    expected: ({ logNoise }, y, mean, variance) =>
      tf.tidy(() => {
        const squares = tf.add(tf.square(tf.sub(y, mean)), variance);
        const normaliser = tf.add(logNoise, Math.log(2 * Math.PI));
        return tf.mul(-0.5, tf.add(normaliser, tf.mul(squares, exp(tf.neg(logNoise)))));
      }) as Tensor1D,
  };
}

/**
 * y ∈ {0, 1} with the odds e^f: the expectation of log σ((2y − 1) f) by Gauss–Hermite quadrature.
 *
 * @param options.nodes of the rule. Default 20.
 * @throws RangeError if the number of nodes is not an integer from 1 to 300.
 */
export function bernoulliLikelihood(options: { readonly nodes?: number } = {}): PointLikelihood<NoParameters> {
  const { points, logWeights } = gaussHermite(options.nodes ?? 20);
  const [at, weights] = [Array.from(points), Array.from(logWeights, Math.exp)];
  return {
    name: "Bernoulli",
    init: () => ({}),
    expected: (_parameters, y, mean, variance) =>
      tf.tidy(() => {
        // The number below the root keeps its slope finite where v = 0.
        const deviation = tf.sqrt(tf.add(variance, 1e-12));
        const f = tf.add(tf.expandDims(mean, 1), tf.mul(tf.expandDims(deviation, 1), tf.tensor2d([at])));
        const signed: Tensor = tf.mul(tf.expandDims(tf.sub(tf.mul(2, y), 1), 1), f);
        return tf.sum(tf.mul(logSigmoid(signed), tf.tensor2d([weights])), 1);
      }) as Tensor1D,
  };
}
