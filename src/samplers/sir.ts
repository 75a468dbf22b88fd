import type { Key } from "../engine/random.js";
import { uniform } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";

/**
 * One index for every batch of K log-weights, j ~ Cat(w̃): the resampling of SIR.
 *
 * By inversion: j is the first index whose cumulative weight exceeds u Σ w, u uniform on [0, 1), so an index of weight zero is never drawn.
 * Probabilities are right to float32's rounding of the cumulative sum, about K · 6e-8.
 *
 * @param logW unnormalised log-weights `[K, ...rest]`; −∞ marks a weight of zero.
 * @returns int32 indices `[...rest]`.
 * @throws Error if there are no samples, if a log-weight is NaN or +∞, or if all K weights of a batch are zero.
 * Source: Cremer, Morris & Duvenaud 2017, Algorithm 1, lines 5 and 6; Rubin 1988.
 */
export function sirIndices(logW: Tensor, key: Key): Tensor {
  const [samples, ...rest] = logW.shape;
  if (logW.rank === 0 || samples === 0) {
    throw new Error(`sirIndices: log-weights need the shape [K, ...] with K ≥ 1, not ${formatShape(logW.shape)}.`);
  }
  return tf.tidy(() => {
    const cumulative = tf.cumsum(tf.exp(tf.sub(logW, tf.max(logW, 0))), 0);
    const total = tf.squeeze(tf.slice(cumulative, [samples - 1], [1]), [0]);
    if (!total.dataSync().every((value) => Number.isFinite(value))) throw unusable(logW);
    const threshold = tf.mul(uniform(key, rest), total);
    return tf.sum(tf.cast(tf.lessEqual(cumulative, threshold), "int32"), 0);
  });
}

/** What is wrong with log-weights whose sum relative to their maximum is no number. */
function unusable(logW: Tensor): Error {
  const bad = logW.dataSync().some((value) => Number.isNaN(value) || value === Number.POSITIVE_INFINITY);
  return new Error(
    bad
      ? "sirIndices: a log-weight is NaN or +∞; look at log p(x, z) and log q(z | x) of the draws."
      : "sirIndices: all weights of a batch are zero, so there is nothing to resample from.",
  );
}

/**
 * Sampling-importance-resampling: from each batch z_1 … z_K ~ q with weights w, return one z_j with j ~ Cat(w̃).
 *
 * The draws are exact samples of the marginal q_IW (often q_EW), which is q for K = 1 and tends to p(z | x).
 *
 * @param z draws `[K, ...rest, D]`.
 * @param logW their log-weights `[K, ...rest]`.
 * @returns z_j, `[...rest, D]`.
 * @throws Error as {@link sirIndices}, or if the shapes of z and logW do not agree.
 * Source: Cremer, Morris & Duvenaud 2017, Algorithm 1 (whose last line must read "return z_j").
 */
export function sir(z: Tensor, logW: Tensor, key: Key): Tensor {
  const [samples, ...rest] = logW.shape;
  const dimension = z.shape[z.rank - 1];
  if (z.rank !== logW.rank + 1 || logW.shape.some((size, axis) => z.shape[axis] !== size)) {
    throw new Error(
      `sir: z needs the shape of the log-weights with one more axis, not ${formatShape(z.shape)} beside ${formatShape(logW.shape)}.`,
    );
  }
  return tf.tidy(() => {
    const columns = rest.reduce((product, size) => product * size, 1);
    const chosen = tf.reshape(sirIndices(logW, key), [columns]);
    const rows = tf.add(tf.mul(chosen, tf.scalar(columns, "int32")), tf.range(0, columns, 1, "int32"));
    return tf.reshape(tf.gather(tf.reshape(z, [samples * columns, dimension]), rows), [...rest, dimension]);
  });
}
