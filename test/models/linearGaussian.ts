import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import type { MlpParameters } from "../../src/models/mlp.js";
import type { LatentVariableModel, NoParameters } from "../../src/models/problem.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";

/** W `[D, P]` with orthogonal rows, so that the posterior of z is a diagonal Gaussian. */
const loadings = [
  [1, 1, 0.5],
  [0.6, -0.6, 0],
];
const offset = [0.3, -1, 2];
const sigma = 0.8;

/** z ~ N(0, I₂), x | z ~ N(μ + Wᵀz, σ² I₃): everything about it is known. */
export const linearGaussian: LatentVariableModel<NoParameters> & {
  logLikelihoodMatrix(theta: NoParameters, z: Tensor2D, x: Tensor2D): Tensor2D;
} = {
  dimension: 2,
  logJoint: (_theta, z: Tensor3D, x: Tensor2D): Tensor2D => {
    const means = tf.reshape(meansOf(tf.reshape(z, [-1, 2]) as Tensor2D), [z.shape[0], z.shape[1], 3]);
    return tf.add(normalLogDensity(z, 0, 1, 1), normalLogDensity(x, means, sigma, 1));
  },
  logPrior: (_theta, z) => normalLogDensity(z, 0, 1, 1) as Tensor2D,
  logLikelihoodMatrix: (_theta, z, x) => normalLogDensity(x, tf.expandDims(meansOf(z), 1), sigma, 1) as Tensor2D,
};

function meansOf(z: Tensor2D): Tensor {
  return tf.add(tf.matMul(z, tf.tensor2d(loadings)), tf.tensor1d(offset));
}

/** log p(x) = log N(x; μ, WᵀW + σ² I), in Float64: rows of W are orthogonal, so the covariance is diagonal in their frame. */
export function exactLogEvidence(x: readonly number[]): number {
  const centred = x.map((value, p) => value - offset[p]);
  let [rest, value] = [centred.reduce((sum, c) => sum + c * c, 0), 0];
  for (const row of loadings) {
    const length2 = row.reduce((sum, w) => sum + w * w, 0);
    const along2 = row.reduce((sum, w, p) => sum + w * centred[p], 0) ** 2 / length2;
    const variance = length2 + sigma ** 2;
    value -= (along2 / variance + Math.log(2 * Math.PI * variance)) / 2;
    rest -= along2;
  }
  return value - (rest / sigma ** 2 + Math.log(2 * Math.PI * sigma ** 2)) / 2;
}

/** The linear encoder that is the exact posterior, for `amortisedGaussian({ latent: 2, observed: 3, hidden: [] })`. */
export function exactEncoder(): MlpParameters {
  const precision = loadings.map((row) => 1 + row.reduce((sum, w) => sum + w * w, 0) / sigma ** 2);
  const gain = loadings.map((row, d) => row.map((w) => w / sigma ** 2 / precision[d])); // [D][P]
  const weights = [0, 1, 2].map((p) => [gain[0][p], gain[1][p], 0, 0]);
  const bias = [
    ...gain.map((row) => -row.reduce((sum, g, p) => sum + g * offset[p], 0)),
    ...precision.map((value) => -Math.log(value) / 2),
  ];
  return { layers: [{ weights: tf.tensor2d(weights), bias: tf.tensor1d(bias) }] };
}
