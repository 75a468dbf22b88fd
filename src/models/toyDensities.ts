import { type Tensor, tf } from "../engine/tf.js";
import { logSumExp } from "../ops/logSumExp.js";
import { pairwiseNormalLogDensity } from "../ops/pairwiseNormalLogDensity.js";

/** One isotropic Gaussian of a toy density. */
export interface ToyComponent {
  /** Weight; a toy's weights need not sum to 1. */
  readonly weight: number;
  readonly mean: readonly number[];
  readonly variance: number;
}

/** A target density given by its parts: f(z) = Σ_i weight_i N(z; mean_i, variance_i I). */
export interface ToyDensity {
  readonly name: string;
  /** D. */
  readonly dimension: number;
  readonly components: readonly ToyComponent[];
  /** log ∫ f, which plays the part of log p(x). */
  readonly logEvidence: number;
  /** log f(z), `[...]`, for z `[..., D]`. */
  logDensity(z: Tensor): Tensor;
  /** f(z) in Float64 at one point, for figures and quadrature. */
  density(z: readonly number[]): number;
}

/**
 * A weighted sum of isotropic Gaussians as a target.
 *
 * @throws Error if there is no component, or their means differ in size, or a weight or variance is not positive.
 */
export function gaussianSum(name: string, components: readonly ToyComponent[]): ToyDensity {
  if (components.length === 0) throw new Error(`gaussianSum "${name}": give at least one component.`);
  const dimension = components[0].mean.length;
  for (const { weight, mean, variance } of components) {
    if (mean.length !== dimension || dimension === 0)
      throw new Error(`gaussianSum "${name}": every mean needs the same number of coordinates, at least one.`);
    if (!(weight > 0 && variance > 0))
      throw new Error(`gaussianSum "${name}": weights and variances must be positive.`);
  }
  return {
    name,
    dimension,
    components,
    logEvidence: Math.log(components.reduce((sum, { weight }) => sum + weight, 0)),
    logDensity: (z) =>
      tf.tidy(() => {
        const means = tf.tensor2d(components.map(({ mean }) => [...mean]));
        const scales = tf.tensor2d(components.map(({ variance }) => [Math.sqrt(variance)]));
        const logWeights = tf.tensor1d(components.map(({ weight }) => Math.log(weight)));
        const points = tf.reshape(z, [-1, dimension]);
        const pairs = pairwiseNormalLogDensity(points, means, scales, { form: "direct" });
        return tf.reshape(logSumExp(tf.add(pairs, logWeights)), z.shape.slice(0, -1));
      }),
    density: (z) =>
      components.reduce((sum, { weight, mean, variance }) => {
        const squared = mean.reduce((total, m, d) => total + (z[d] - m) ** 2, 0);
        return sum + weight * (2 * Math.PI * variance) ** (-dimension / 2) * Math.exp(-squared / (2 * variance));
      }, 0),
  };
}

const unit = (mean: readonly number[], variance: number): ToyComponent => ({ weight: 1, mean, variance });

/**
 * Cremer's two-dimensional target: the *unnormalised* sum of eight unit-weight isotropic Gaussians, five of log-variance .01 and three of
 * log-variance 1 (variances 1.01 and 2.72), so that its integral is 8 and log p = log 8 = 2.0794.
 *
 * The paper's q is N(0, e I), its grid 101² on [−6, 6]², its k 1, 10 and 100.
 *
 * Source: Cremer, Morris & Duvenaud 2017, the figure of the true posterior beside q_IW; settings from the authors' code.
 */
export const eightGaussians: ToyDensity = gaussianSum("eight Gaussians", [
  ...[
    [1, 3],
    [3, 0],
    [1, 1],
    [-3, -1],
    [-1, -3],
  ].map((mean) => unit(mean, Math.exp(0.01))),
  ...[
    [2, 2],
    [-2, -2],
    [0, 0],
  ].map((mean) => unit(mean, Math.exp(1))),
]);

/**
 * A bimodal target on the line: ½ N(−2, ¾²) + ½ N(2, ¾²).
 *
 * The paper shows a bimodal and a trimodal target on [−8, 8] but prints no settings; these are this library's own, with well separated modes
 * that a standard normal q half covers.
 */
export const bimodal: ToyDensity = gaussianSum("bimodal", [
  { weight: 1 / 2, mean: [-2], variance: 0.75 ** 2 },
  { weight: 1 / 2, mean: [2], variance: 0.75 ** 2 },
]);

/** A trimodal target on the line: ⅓ N(−4, .7²) + ⅓ N(0, .7²) + ⅓ N(4, .7²); see {@link bimodal} on where it comes from. */
export const trimodal: ToyDensity = gaussianSum("trimodal", [
  { weight: 1 / 3, mean: [-4], variance: 0.7 ** 2 },
  { weight: 1 / 3, mean: [0], variance: 0.7 ** 2 },
  { weight: 1 / 3, mean: [4], variance: 0.7 ** 2 },
]);
