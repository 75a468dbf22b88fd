import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import { type Key, normal } from "../engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { checkSize } from "./family.js";
import type { ExactHierarchicalFamily } from "./hierarchicalFamily.js";
import { reverseOf } from "./reverseConditional.js";

/** Parameters of {@link hierarchicalLinearGaussian}, `[B, D]` each. */
export type HierarchicalLinearGaussianParameters = {
  /** a. */
  readonly slope: Tensor2D;
  /** b. */
  readonly shift: Tensor2D;
  /** log σ. */
  readonly logScale: Tensor2D;
};

/**
 * ψ ~ N(0, I), z | ψ ~ N(aψ + b, σ²), coordinate by coordinate: the hierarchy in which every estimate of log q(z) can be held to the truth.
 *
 * q(z) = N(z; b, a² + σ²) and q(ψ | z) = N(ψ; a (z − b) / (a² + σ²), σ² / (a² + σ²)).
 *
 * @param options.initialScale σ to start from; slopes start at 1 and shifts near 0. Default 1.
 * @throws Error if a size is not a positive integer or `initialScale` is not positive.
 */
export function hierarchicalLinearGaussian(options: {
  /** D, and Dψ. */
  readonly dimension: number;
  /** B. Default 1. */
  readonly batchSize?: number;
  readonly initialScale?: number;
}): ExactHierarchicalFamily<HierarchicalLinearGaussianParameters> {
  const { dimension, batchSize = 1, initialScale = 1 } = options;
  checkSize("hierarchicalLinearGaussian: dimension", dimension);
  checkSize("hierarchicalLinearGaussian: batchSize", batchSize);
  if (!(initialScale > 0))
    throw new Error(`hierarchicalLinearGaussian: initialScale must be positive, not ${initialScale}.`);
  const shape: [number, number] = [batchSize, dimension];
  return {
    dimension,
    mixingDimension: dimension,
    init: (key: Key) => ({
      slope: tf.ones(shape) as Tensor2D,
      shift: tf.tidy(() => tf.mul(normal(key, shape), 0.1) as Tensor2D),
      logScale: tf.fill(shape, Math.log(initialScale)) as Tensor2D,
    }),
    hierarchy: ({ slope, shift, logScale }) => {
      const scale = exp(logScale);
      const total = tf.sqrt(tf.add(tf.square(slope), tf.square(scale))); // the standard deviation of z
      return {
        mixing: diagonal(tf.zeros(shape), 1),
        conditional: (psi) => diagonal(tf.add(tf.mul(psi, slope), shift), scale),
        reverse: (z) =>
          reverseOf(diagonal(tf.div(tf.mul(slope, tf.sub(z, shift)), tf.square(total)), tf.div(scale, total))),
        logDensity: (z) => diagonal(shift, total).logProb(z) as Tensor2D,
      };
    },
  };
}

function diagonal(mean: Tensor, scale: Tensor | number): Independent<Normal> {
  return new Independent({ base: new Normal({ mean, scale }), eventRank: 1 });
}
