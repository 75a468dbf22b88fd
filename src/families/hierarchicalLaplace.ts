import { Independent } from "../distributions/independent.js";
import { Laplace } from "../distributions/laplace.js";
import { Normal } from "../distributions/normal.js";
import { exponential, type Key, normal, split, uniform } from "../engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { stopGradient } from "../ops/stopGradient.js";
import { checkSize } from "./family.js";
import type { ExactHierarchicalFamily, Mixing, Reverse } from "./hierarchicalFamily.js";

/** Parameters of {@link hierarchicalLaplace}, `[B, D]` each. */
export type HierarchicalLaplaceParameters = {
  /** μ. */
  readonly location: Tensor2D;
  /** log b. */
  readonly logScale: Tensor2D;
};

const halfLogTwoPi = Math.log(2 * Math.PI) / 2;

/**
 * Laplace as a scale mixture of Gaussians: v ~ Exp(½), z | v ~ N(μ, b² v), so that q(z) = ∏_d Laplace(z_d; μ_d, b_d).
 *
 * ψ = log v, so that a Gaussian τ covers its range; ratios of densities of ψ, and with them every estimate of log q(z), are those of v. The exact reverse
 * conditional is 1/v | z ~ inverse Gaussian of mean b/|z − μ| and shape 1. Entropy: Σ_d (1 + log 2b_d).
 *
 * @throws Error if a size is not a positive integer.
 * Source: Andrews & Mallows 1974, "Scale mixtures of normal distributions"; Sobolev & Vetrov 2019, section 6.1 (the experiment).
 */
export function hierarchicalLaplace(options: {
  /** D, and Dψ. */
  readonly dimension: number;
  /** B. Default 1. */
  readonly batchSize?: number;
}): ExactHierarchicalFamily<HierarchicalLaplaceParameters> {
  const { dimension, batchSize = 1 } = options;
  checkSize("hierarchicalLaplace: dimension", dimension);
  checkSize("hierarchicalLaplace: batchSize", batchSize);
  const shape: [number, number] = [batchSize, dimension];
  return {
    dimension,
    mixingDimension: dimension,
    init: () => ({ location: tf.zeros(shape) as Tensor2D, logScale: tf.zeros(shape) as Tensor2D }),
    hierarchy: ({ location, logScale }) => {
      const b = exp(logScale);
      return {
        mixing: logExponential(shape),
        conditional: (psi) =>
          new Independent({
            base: new Normal({ mean: location, scale: exp(tf.add(tf.div(psi, 2), logScale)) }),
            eventRank: 1,
          }),
        reverse: (z) => exactReverseOf(tf.div(tf.sub(z, location), b)),
        logDensity: (z) =>
          new Independent({ base: new Laplace({ location, scale: b }), eventRank: 1 }).logProb(z) as Tensor2D,
      };
    },
  };
}

/** The law of ψ = log v with v ~ Exp(½): q(ψ) = ½ exp(ψ − ½ e^ψ). E ψ = log 2 − γ, var ψ = π²/6. */
function logExponential(shape: readonly number[]): Required<Mixing> {
  return {
    reparameterised: true, // it has no parameters
    sample: (key, sampleShape = []) =>
      // A draw may round to 0, whose logarithm is not finite.
      tf.tidy(() => tf.log(tf.mul(2, tf.maximum(exponential(key, [...sampleShape, ...shape]), 2 ** -32)))),
    logProb: (psi) => tf.tidy(() => tf.sum(tf.sub(tf.sub(psi, tf.div(exp(psi), 2)), Math.LN2), -1)),
    mean: () => tf.fill([...shape], Math.LN2 - 0.5772156649015329),
    variance: () => tf.fill([...shape], Math.PI ** 2 / 6),
  };
}

/**
 * q(ψ | y) for y = (z − μ)/b: log q = −½ log 2π + ½ψ − ½ (|y| e^(−ψ/2) − e^(ψ/2))², the inverse Gaussian's density in ψ.
 *
 * Drawn as Michael, Schucany & Haas 1976: with t = ν²/(2|y|), ν ~ N(0, 1), and s = 1 + t + √(t (t + 2)), v is s|y| or |y|/s, the former with probability
 * s/(1 + s). The roots are written so that neither cancels as y → 0.
 */
function exactReverseOf(y: Tensor): Reverse {
  const distance = tf.abs(y);
  return {
    // No gradient flows through the draws, and none is missed: as τ it makes weights that do not depend on ψ.
    sample: (key: Key, draws: number) =>
      stopGradient(() => {
        const [noise, choice] = split(key);
        const shape = [draws, ...y.shape];
        const far = tf.maximum(distance, 1e-12);
        const t = tf.div(tf.square(normal(noise, shape)), tf.mul(2, far));
        const s = tf.add(tf.add(1, t), tf.sqrt(tf.mul(t, tf.add(t, 2))));
        const larger = tf.less(tf.mul(uniform(choice, shape), tf.add(1, s)), s);
        const logS = tf.log(s);
        return tf.add(tf.log(far), tf.where(larger, logS, tf.neg(logS)));
      }),
    logProb: (psi) =>
      tf.tidy(() => {
        const half = tf.div(psi, 2);
        const gap = tf.sub(tf.mul(distance, exp(tf.neg(half))), exp(half));
        return tf.sum(tf.sub(tf.sub(half, tf.div(tf.square(gap), 2)), halfLogTwoPi), -1);
      }),
  };
}
