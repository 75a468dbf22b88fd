import { isNative } from "./native.js";
import { offTape } from "./offTape.js";
import { exponential, type Key, portableElements, split, statelessNative, unit } from "./random.js";
import { broadcastOf } from "./shape.js";
import { type Tensor, tf } from "./tf.js";
import type { Words } from "./threefry.js";

/**
 * Independent draws from the gamma distribution Γ(α, 1), of density x^(α−1) e^(−x) / Γ(α).
 *
 * By Marsaglia and Tsang's rejection in double precision (libtensorflow's own, or portable), rounded to float32; below α = 1 a draw of Γ(α + 1) times
 * U^(1/α). A draw smaller than 1e-38 is 0: half of them are for α = 0.008. {@link logGamma} keeps those. No gradient flows through
 * the draws.
 *
 * @param concentration α > 0. Its values are not read, so that the draw can be compiled: where α is not positive the draw is NaN.
 * @param sampleShape leading shape of independent draws.
 * @returns `[...sampleShape, ...concentration.shape]`.
 * Source: Marsaglia & Tsang 2000, "A simple method for generating gamma variables", ACM TOMS 26.
 */
export function gamma(key: Key, concentration: Tensor, sampleShape: readonly number[] = []): Tensor {
  return offTape(() => {
    const alpha = positive(concentration);
    if (!isNative()) return portableElements(key, alpha, sampleShape, gammaElement);
    return statelessNative("StatelessRandomGammaV2", key, [...sampleShape, ...alpha.shape], { parameters: [alpha] });
  });
}

/**
 * Logs of independent draws from Γ(α, 1): log G with G ~ Γ(α + 1), plus log(U)/α.
 *
 * Accurate for small α, where the draws themselves underflow (at α = 1e-3 their logs are about −1000). No gradient flows through the draws.
 *
 * @param concentration α ≥ 1e-36; where it is not positive the draw is NaN.
 * @param sampleShape leading shape of independent draws.
 * @returns `[...sampleShape, ...concentration.shape]`.
 */
export function logGamma(key: Key, concentration: Tensor, sampleShape: readonly number[] = []): Tensor {
  return offTape(() => {
    const { grown, logShrink } = factors(key, concentration, sampleShape);
    return tf.add(tf.log(grown), logShrink);
  });
}

/**
 * Independent draws from Beta(a, b), the share G_a / (G_a + G_b) of two gamma draws.
 *
 * For small concentrations a draw is often closer to 0 or 1 than float32 can say and then is 0 or 1. No gradient flows through the draws.
 *
 * @param a concentration, positive; it and `b` broadcast against each other; where one is not positive the draw is NaN.
 * @param sampleShape leading shape of independent draws.
 * @returns `[...sampleShape, ...broadcast shape of a and b]`.
 * @throws Error if a and b do not broadcast.
 */
export function beta(key: Key, a: Tensor, b: Tensor, sampleShape: readonly number[] = []): Tensor {
  const shape = broadcastOf("beta", { a, b });
  return offTape(() => {
    const [left, right] = split(key);
    const x = factors(left, tf.broadcastTo(a, shape), sampleShape);
    const y = factors(right, tf.broadcastTo(b, shape), sampleShape);
    const peak = tf.maximum(x.logShrink, y.logShrink);
    const scaled = tf.mul(x.grown, tf.exp(tf.sub(x.logShrink, peak)));
    return tf.div(scaled, tf.add(scaled, tf.mul(y.grown, tf.exp(tf.sub(y.logShrink, peak)))));
  });
}

/**
 * Independent draws from the Dirichlet distribution: gamma draws divided by their sum over the last axis.
 *
 * Each gamma draw is kept as Γ(α + 1) · exp(log(U)/α), and the exponents are taken relative to their largest, so that no sum is 0 however small
 * the concentrations, and large ones are not rounded through a log. No gradient flows through the draws.
 *
 * @param concentration α `[..., K]`, 1e-36 ≤ α; where one is not positive the draw is NaN.
 * @param sampleShape leading shape of independent draws.
 * @returns `[...sampleShape, ..., K]`, non-negative, summing to 1 over the last axis.
 * @throws Error if the concentration is a scalar.
 */
export function dirichlet(key: Key, concentration: Tensor, sampleShape: readonly number[] = []): Tensor {
  if (concentration.rank === 0) throw new Error("dirichlet: concentration must have the shape [..., K], not [].");
  return offTape(() => {
    const { grown, logShrink } = factors(key, concentration, sampleShape);
    const scaled = tf.mul(grown, tf.exp(tf.sub(logShrink, tf.max(logShrink, -1, true))));
    return tf.div(scaled, tf.sum(scaled, -1, true));
  });
}

/** Γ(α) as the product of `grown`, Γ(α + 1), and U^(1/α), whose log is `logShrink`. */
function factors(
  key: Key,
  concentration: Tensor,
  sampleShape: readonly number[],
): { readonly grown: Tensor; readonly logShrink: Tensor } {
  const [growth, shrinkage] = split(key);
  const alpha = positive(concentration);
  const grown = gamma(growth, tf.add(alpha, 1), sampleShape);
  return { grown, logShrink: tf.neg(tf.div(exponential(shrinkage, grown.shape), alpha)) };
}

/** The concentration as float32, NaN where it is not positive: a rejection sampler would draw something there. */
function positive(concentration: Tensor): Tensor {
  const alpha = tf.cast(concentration, "float32");
  return tf.where(tf.greater(alpha, 0), alpha, Number.NaN);
}

/** One draw of Γ(α); attempt j takes the blocks 2j (a normal) and 2j + 1 (to accept it, and U). */
function gammaElement(alpha: number, block: (j: number) => Words): number {
  if (!Number.isFinite(alpha)) return alpha;
  const d = (alpha < 1 ? alpha + 1 : alpha) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (let j = 0; ; j++) {
    const [radius, angle] = block(2 * j);
    const x = Math.sqrt(-2 * Math.log(unit(radius))) * Math.cos(2 * Math.PI * unit(angle));
    const v = (1 + c * x) ** 3;
    const [accept, shrink] = block(2 * j + 1);
    if (v > 0 && Math.log(unit(accept)) < 0.5 * x * x + d * (1 - v + Math.log(v))) {
      return alpha < 1 ? d * v * unit(shrink) ** (1 / alpha) : d * v;
    }
  }
}
