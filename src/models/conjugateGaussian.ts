import type { Tensor2D, Tensor3D } from "../engine/tf.js";
import { tf } from "../engine/tf.js";
import { normalLogDensity } from "../ops/normalLogDensity.js";
import type { LatentVariableModel, NoParameters } from "./problem.js";

/** A normal distribution of one number. */
export interface Normal1 {
  readonly mean: number;
  readonly scale: number;
}

/** The conjugate Gaussian, with everything about it that has a closed form. */
export interface ConjugateGaussian extends Required<LatentVariableModel<NoParameters>> {
  /** log p(x) = log N(x; 0, 2). */
  logEvidence(x: number): number;
  /** p(z | x) = N(x/2, ½). */
  posterior(x: number): Normal1;
  /** ELBO of q = N(m, s²): −log 2π − ½(m² + (x − m)² + 2s²) + log s + ½ log 2πe. */
  elbo(x: number, q: Normal1): number;
  /**
   * The law of one importance weight under q, as a quadrature rule over 14 standard deviations: what `exactIwae`, `exactMarginalElbo` and their
   * kin take.
   */
  weightDistribution(
    x: number,
    q: Normal1,
    nodes?: number,
  ): { readonly logWeights: Float64Array; readonly probabilities: Float64Array };
}

/**
 * z ~ N(0, 1), x | z ~ N(z, 1): the smallest model on which every claim about L_k can be held to the truth.
 *
 * At x = 2 with q = prior: log p = −2.265512, L_1 = −3.418939, L_2 = −2.757902.
 */
export const conjugateGaussian: ConjugateGaussian = {
  dimension: 1,
  logJoint: (_theta, z: Tensor3D, x: Tensor2D) =>
    tf.tidy(() => tf.add(normalLogDensity(z, 0, 1, 1), normalLogDensity(z, x, 1, 1)) as Tensor2D),
  logPrior: (_theta, z) => normalLogDensity(z, 0, 1, 1) as Tensor2D,
  logEvidence: (x) => logNormal(x, { mean: 0, scale: Math.SQRT2 }),
  posterior: (x) => ({ mean: x / 2, scale: Math.SQRT1_2 }),
  elbo: (x, { mean, scale }) =>
    -Math.log(2 * Math.PI) -
    (mean ** 2 + (x - mean) ** 2 + 2 * scale ** 2) / 2 +
    Math.log(scale) +
    (Math.log(2 * Math.PI) + 1) / 2,
  weightDistribution: (x, q, nodes = 2001) => {
    const logWeights = new Float64Array(nodes);
    const probabilities = new Float64Array(nodes);
    const step = 28 / (nodes - 1);
    for (let i = 0; i < nodes; i++) {
      const z = q.mean + q.scale * (-14 + i * step);
      const logQ = logNormal(z, q);
      logWeights[i] = logNormal(z, { mean: 0, scale: 1 }) + logNormal(x, { mean: z, scale: 1 }) - logQ;
      probabilities[i] = Math.exp(logQ) * step * q.scale;
    }
    return { logWeights, probabilities };
  },
};

function logNormal(x: number, { mean, scale }: Normal1): number {
  return -(((x - mean) / scale) ** 2) / 2 - Math.log(scale) - Math.log(2 * Math.PI) / 2;
}
