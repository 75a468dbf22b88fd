import { broadcastShapes, checkShape, formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { logSumExp } from "./logSumExp.js";
import { logNormaliser, normalLogDensity, normalLogDensityOver } from "./normalLogDensity.js";
import { pairwiseQuadratic } from "./pairwiseQuadratic.js";
import { stopGradient } from "./stopGradient.js";

/** Options of {@link pairwiseNormalLogDensity}. */
export interface PairwiseOptions {
  /**
   * `"products"` goes through matrix products, S K numbers in memory instead of S K D, and needs a scale that is shared by the
   * components or by the dimensions; `"direct"` subtracts. Default: products where the scale allows it and D ≥ 4.
   */
  readonly form?: "direct" | "products";
}

/** Options of {@link pairwiseNormalLogMeanExp}. */
export interface LogMeanExpOptions extends PairwiseOptions {
  /** One more component for each point, which no other point sees: mean `[..., S, D]` and a scale that broadcasts against it. */
  readonly own?: { readonly mean: Tensor; readonly scale: Tensor | number };
}

/** Up to here the differences themselves, D of them a pair, are the faster way. */
const fewDimensions = 3;

/**
 * Log-densities of every point under every diagonal Gaussian: `out[s, k] = log N(z_s; μ_k, diag σ²)`.
 *
 * Differentiable any number of times in z, μ and σ. With R the largest coordinate |z − c|/σ or |μ − c|/σ, c the mean of the μ_k, and δ the distance
 * ‖(z − μ)/σ‖ of a pair, products err by some ε (δ² + δ R √D + R² D^1.5/4000), ε = 6e-8, and differences by ε δ². (Expanding the square as it stands
 * errs by ε R² D, which costs all digits where σ is small; the products are taken of halves of the digits, which avoids that. Compiled by XLA, for processors where
 * it contracts products and sums into one operation, they err by some ε R²: a coordinate is then not of the same digits everywhere.) The gradient of products is made of
 * products too; in z/σ it errs by ε R.
 *
 * @param z points, `[..., S, D]`.
 * @param mean μ, `[..., K, D]`, with the leading dimensions of z or fewer.
 * @param scale σ > 0: a number, one for all components (`[]`, `[D]`, `[..., 1, D]`), or one for each (`[..., K, 1]`, `[..., K, D]`).
 * @returns `[..., S, K]`.
 * @throws Error if the shapes do not fit, or if products are asked for with a scale `[..., K, D]`.
 */
export function pairwiseNormalLogDensity(
  z: Tensor,
  mean: Tensor,
  scale: Tensor | number,
  options: PairwiseOptions = {},
): Tensor {
  return tf.tidy(() => {
    const { matrix, normaliser } = terms(z, mean, scale, options);
    return normaliser === 0 ? matrix : tf.sub(matrix, normaliser);
  });
}

/**
 * The log-density of a mixture of equal weights at every point, `log (1/K) Σ_k N(z_s; μ_k, diag σ²)`: what a semi-implicit q estimates its
 * marginal by. With `own`, a further component for each point, it is `log (1/(K+1)) (N(z_s; own_s) + Σ_k N(z_s; μ_k, σ))`.
 *
 * Shapes, errors and accuracy as {@link pairwiseNormalLogDensity}; its gradient goes by the responsibilities r[s, k] that the sum leaves behind.
 *
 * @returns `[..., S]`.
 * Source of the use: Yin & Zhou 2018, "Semi-implicit variational inference" (the own component is what drew z_s).
 */
export function pairwiseNormalLogMeanExp(
  z: Tensor,
  mean: Tensor,
  scale: Tensor | number,
  options: LogMeanExpOptions = {},
): Tensor {
  return tf.tidy(() => {
    const { matrix, normaliser } = terms(z, mean, scale, options);
    const components = mean.shape[mean.rank - 2]!;
    // What the components share need not be subtracted from every pair.
    const shared = typeof normaliser === "number" || normaliser.rank === 0;
    const sum = shared ? tf.sub(logSumExp(matrix), normaliser) : logSumExp(tf.sub(matrix, normaliser));
    const { own } = options;
    if (!own) return tf.sub(sum, Math.log(components));
    const ownDensity = normalLogDensity(z, own.mean, own.scale, 1);
    return tf.sub(logSumExp(tf.stack([sum, ownDensity], -1)), Math.log(components + 1));
  });
}

interface Terms {
  /** `[..., S, K]`. */
  readonly matrix: Tensor;
  /** What is still to be subtracted: a number, or of a shape that broadcasts to the matrix. */
  readonly normaliser: Tensor | number;
}

function terms(z: Tensor, mean: Tensor, scale: Tensor | number, { form }: PairwiseOptions): Terms {
  const owner = "pairwiseNormalLogDensity";
  checkShape(`${owner}: z`, z, ["...", "*", "*"]);
  const size = z.shape[z.rank - 1]!;
  checkShape(`${owner}: mean`, mean, ["...", "*", size]);
  const lead = broadcastShapes(z.shape.slice(0, -2), mean.shape.slice(0, -2));
  const means = [...(lead ?? []), ...mean.shape.slice(-2)];
  const scaleShape = typeof scale === "number" ? [] : scale.shape;
  if (`${lead}` !== `${z.shape.slice(0, -2)}` || `${broadcastShapes(means, scaleShape)}` !== `${means}`) {
    throw new Error(
      `${owner}: z ${formatShape(z.shape)}, mean ${formatShape(mean.shape)} and scale ${formatShape(scaleShape)} do not fit as [..., S, D], [..., K, D] and what broadcasts to the mean.`,
    );
  }
  const [rows, columns] = [scaleShape[scaleShape.length - 2] ?? 1, scaleShape[scaleShape.length - 1] ?? 1];
  const separate = rows > 1 && columns > 1;
  if (form === "products" && separate)
    throw new Error(
      `${owner}: products need a scale that is shared by the components or by the dimensions, not ${formatShape(scaleShape)}; use the direct form.`,
    );
  const products = form ? form === "products" : !separate && size > fewDimensions;
  if (!products) return { matrix: byDifferences(z, mean, scale, means.length), normaliser: 0 };
  const centre = stopGradient(() => tf.mean(mean, -2, true));
  const points = tf.sub(z, centre);
  const centred = tf.sub(mean, centre);
  const components = mean.rank === means.length ? centred : tf.add(centred, tf.zeros(means));
  const sum = logNormaliser(scale, means, [means.length - 1]);
  const normaliser = typeof sum === "number" || sum.rank === 0 ? sum : tf.expandDims(sum, -2);
  if (rows === 1) return { matrix: pairwiseQuadratic(tf.div(points, scale), tf.div(components, scale)), normaliser };
  const variances = tf.square(swapLast(scale as Tensor)); // [..., 1, K]
  return { matrix: tf.div(pairwiseQuadratic(points, components), variances), normaliser };
}

/** The dimensions come first, so that broadcasting runs along the pairs: five times faster than along a D of 2. */
function byDifferences(z: Tensor, mean: Tensor, scale: Tensor | number, rank: number): Tensor {
  const sigma =
    typeof scale === "number" || scale.rank === 0 ? scale : scale.rank === 1 ? tf.expandDims(scale, 0) : scale;
  return normalLogDensityOver(
    [rank - 2],
    tf.expandDims(swapLast(z), -1), // [..., D, S, 1]
    tf.expandDims(swapLast(mean), -2), // [..., D, 1, K]
    typeof sigma === "number" || sigma.rank === 0 ? sigma : tf.expandDims(swapLast(sigma), -2),
  );
}

/** The transpose of every matrix. */
function swapLast(x: Tensor): Tensor {
  return tf.transpose(x, [...x.shape.map((_, i) => i).slice(0, -2), x.rank - 1, x.rank - 2]);
}
