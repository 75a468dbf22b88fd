import type { Bound } from "../bounds/bound.js";
import { elbo } from "../bounds/elbo.js";
import { type Tensor2D, tf } from "../engine/tf.js";

/** What a score-function gradient multiplies each sample's score by: the bound, less something that this sample has no part in. */
export interface Baseline {
  readonly name: string;
  /** The fewest samples K that it can do with. */
  readonly leastSamples: number;
  /**
   * L − b_k, `[K, B]`, with b_k a function of the other samples' log-weights alone, so that E[b_k ∇log q(z_k)] = 0. Not to be differentiated.
   */
  signal(bound: Bound, logW: Tensor2D): Tensor2D;
}

/**
 * No baseline: the signal is L itself; for the ELBO log w_k / K, since the other samples' terms meet sample k's score with mean zero.
 *
 * Source: Ranganath, Gerrish & Blei 2014, "Black box variational inference".
 */
export const noBaseline: Baseline = {
  name: "no baseline",
  leastSamples: 1,
  signal: (bound, logW) =>
    tf.tidy(() => {
      if (bound === elbo) return tf.div(logW, logW.shape[0]) as Tensor2D;
      return tf.add(tf.expandDims(bound.value(logW), 0), tf.zerosLike(logW)) as Tensor2D;
    }),
};

/**
 * The bound of the other K − 1 samples: L_K(w) − L_{K−1}(w without w_k).
 *
 * For the ELBO that is (log w_k − mean of the others) / K: RLOO, whose gradient is VarGrad's. For IWAE it is VIMCO's with the arithmetic mean. Every
 * log-weight must be finite. It takes K² B numbers, but for the ELBO.
 *
 * Source: Kool, van Hoof & Welling 2019; Richter et al. 2020, "VarGrad"; Mnih & Rezende 2016 (arithmetic mean).
 */
export const leaveOneOut: Baseline = {
  name: "leave-one-out",
  leastSamples: 2,
  signal: (bound, logW) =>
    tf.tidy(() => {
      if (bound === elbo) return centred(logW);
      const [samples, batch] = logW.shape;
      const others = Array.from({ length: samples - 1 }, (_, j) =>
        Array.from({ length: samples }, (_, k) => (k + j + 1) % samples),
      );
      const rest = tf.reshape(tf.gather(logW, tf.tensor1d(others.flat(), "int32")), [samples - 1, samples * batch]);
      return tf.sub(bound.value(logW), tf.reshape(bound.value(rest as Tensor2D), [samples, batch])) as Tensor2D;
    }),
};

/**
 * The bound with log w_k replaced by the mean of the others: L(w) − L(w_1, …, exp(mean_{j≠k} log w_j), …, w_K).
 *
 * For IWAE it is VIMCO, with the geometric mean that its authors prefer; for the ELBO, RLOO. Every log-weight must be finite. It takes K² B numbers, but for the
 * ELBO.
 *
 * Source: Mnih & Rezende 2016, "Variational inference for Monte Carlo objectives" (geometric mean).
 */
export const vimco: Baseline = {
  name: "VIMCO",
  leastSamples: 2,
  signal: (bound, logW) =>
    tf.tidy(() => {
      if (bound === elbo) return centred(logW);
      const [samples, batch] = logW.shape;
      const change = tf.mul(-samples, centred(logW)); // mean of the others − log w_k
      const replaced = tf.add(
        tf.expandDims(logW, 1), // [K, 1, B]: sample j
        tf.mul(tf.expandDims(tf.eye(samples), 2), tf.expandDims(change, 0)), // [K, K, B]: j replaced where j = k
      );
      const without = bound.value(tf.reshape(replaced, [samples, samples * batch]) as Tensor2D);
      return tf.sub(bound.value(logW), tf.reshape(without, [samples, batch])) as Tensor2D;
    }),
};

/** (log w_k − mean of the others) / K = (log w_k − mean of all) / (K − 1). */
function centred(logW: Tensor2D): Tensor2D {
  return tf.div(tf.sub(logW, tf.mean(logW, 0, true)), logW.shape[0] - 1) as Tensor2D;
}
