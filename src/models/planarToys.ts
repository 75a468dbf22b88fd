import { Mixture } from "../distributions/mixture.js";
import { MultivariateNormal } from "../distributions/multivariateNormal.js";
import type { Key } from "../engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { logSumExp } from "../ops/logSumExp.js";

/** A normalised density on the plane, with exact draws. */
export interface PlanarToy {
  readonly name: string;
  /** D. */
  readonly dimension: 2;
  /** log ∫ p = 0, which plays the part of log p(x): an ELBO is −KL(q ‖ p). */
  readonly logEvidence: 0;
  readonly mean: readonly [number, number];
  /** `[[Var z₁, Cov], [Cov, Var z₂]]`. */
  readonly covariance: readonly [readonly [number, number], readonly [number, number]];
  /** log p(z), `[...]`, for z `[..., 2]`. */
  logDensity(z: Tensor): Tensor;
  /** p(z) in Float64 at one point, for figures and quadrature. */
  density(z: readonly [number, number]): number;
  /** N independent draws, `[N, 2]`; the same key gives the same draws. */
  sample(key: Key, count: number): Tensor2D;
}

/** N(m, [[variance, covariance], [covariance, variance]]). */
interface Component {
  readonly mean: readonly [number, number];
  readonly variance: number;
  readonly covariance: number;
}

/**
 * The banana N((z₁, z₂ + z₁² + 1); 0, [[1, .9], [.9, 1]]): a correlated Gaussian bent along a parabola, which leaves volumes as they are.
 *
 * Mean (0, −2), variances 1 and 3, covariance .9.
 *
 * Source: Titsias & Ruiz 2019, the table of synthetic targets.
 */
export const banana: PlanarToy = toy(
  "banana",
  [{ mean: [0, 0], variance: 1, covariance: 0.9 }],
  {
    mean: [0, -2],
    covariance: [
      [1, 0.9],
      [0.9, 3],
    ],
  },
  1,
);

/**
 * Two unit Gaussians, ½ N((−2, 0), I) + ½ N((2, 0), I).
 *
 * Mean 0, variances 5 and 1, no correlation.
 *
 * Source: Titsias & Ruiz 2019, the table of synthetic targets ("multimodal").
 */
export const multimodal: PlanarToy = toy(
  "multimodal",
  [
    { mean: [-2, 0], variance: 1, covariance: 0 },
    { mean: [2, 0], variance: 1, covariance: 0 },
  ],
  {
    mean: [0, 0],
    covariance: [
      [5, 0],
      [0, 1],
    ],
  },
  0,
);

/**
 * Two Gaussians across each other, ½ N(0, [[2, 1.8], [1.8, 2]]) + ½ N(0, [[2, −1.8], [−1.8, 2]]).
 *
 * Mean 0, variances 2, no correlation.
 *
 * Source: Titsias & Ruiz 2019, the table of synthetic targets ("x-shaped").
 */
export const xShaped: PlanarToy = toy(
  "x-shaped",
  [
    { mean: [0, 0], variance: 2, covariance: 1.8 },
    { mean: [0, 0], variance: 2, covariance: -1.8 },
  ],
  {
    mean: [0, 0],
    covariance: [
      [2, 0],
      [0, 2],
    ],
  },
  0,
);

/** An equal mixture of Gaussians in (z₁, z₂ + bend · (z₁² + 1)). */
function toy(
  name: string,
  components: readonly Component[],
  moments: Pick<PlanarToy, "mean" | "covariance">,
  bend: 0 | 1,
): PlanarToy {
  const share = -Math.log(components.length);
  return {
    name,
    dimension: 2,
    logEvidence: 0,
    ...moments,
    logDensity: (z) =>
      tf.tidy(() => {
        const [first, second] = coordinates(z);
        const unbent = bend === 0 ? second : tf.add(second, tf.add(tf.square(first), 1));
        const terms = components.map((component) => logNormal(component, first, unbent));
        return terms.length === 1 ? terms[0] : tf.add(logSumExp(tf.stack(terms, 0), 0), share);
      }),
    density: ([first, second]) => {
      const unbent = second + bend * (first ** 2 + 1);
      return components.reduce((sum, { mean, variance, covariance }) => {
        const [u, v] = [first - mean[0], unbent - mean[1]];
        const determinant = variance ** 2 - covariance ** 2;
        const form = (variance * (u * u + v * v) - 2 * covariance * u * v) / determinant;
        return sum + Math.exp(-form / 2) / (2 * Math.PI * Math.sqrt(determinant) * components.length);
      }, 0);
    },
    sample: (key, count) => {
      if (!Number.isInteger(count) || count < 1)
        throw new Error(`${name}.sample: the number of draws must be a positive integer, not ${count}.`);
      return tf.tidy(() => {
        const normals = components.map(
          ({ mean, variance, covariance }) =>
            new MultivariateNormal({ mean: tf.tensor1d([...mean]), scaleTril: factor(variance, covariance) }),
        );
        const law =
          normals.length === 1 ? normals[0] : new Mixture({ components: normals, weights: normals.map(() => 1) });
        const drawn = law.sample(key, [count]);
        const [first, second] = coordinates(drawn);
        const bent = bend === 0 ? second : tf.sub(second, tf.add(tf.square(first), 1));
        return tf.stack([first, bent], -1) as Tensor2D;
      });
    },
  };
}

/** z₁ and z₂, `[...]` each. */
function coordinates(z: Tensor): [Tensor, Tensor] {
  if (z.shape[z.rank - 1] !== 2)
    throw new Error(`A density on the plane needs z of the shape [..., 2], not [${z.shape}].`);
  const [first, second] = tf.unstack(z, -1);
  return [first, second];
}

/** log N((u, v)), written out: no Cholesky factor in a training step. */
function logNormal({ mean, variance, covariance }: Component, u: Tensor, v: Tensor): Tensor {
  const determinant = variance ** 2 - covariance ** 2;
  const [a, b] = [mean[0] === 0 ? u : tf.sub(u, mean[0]), mean[1] === 0 ? v : tf.sub(v, mean[1])];
  const squares = tf.mul(tf.add(tf.square(a), tf.square(b)), -variance / (2 * determinant));
  const form = covariance === 0 ? squares : tf.add(squares, tf.mul(tf.mul(a, b), covariance / determinant));
  return tf.sub(form, Math.log(2 * Math.PI) + Math.log(determinant) / 2);
}

/** L of [[variance, covariance], [covariance, variance]]. */
function factor(variance: number, covariance: number): Tensor2D {
  const scale = Math.sqrt(variance);
  return tf.tensor2d([
    [scale, 0],
    [covariance / scale, Math.sqrt(variance - covariance ** 2 / variance)],
  ]);
}
