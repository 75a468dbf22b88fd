import { logMeanExp } from "../diagnostics/logSumExp.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { logMeanExp as logMeanExpOf } from "../ops/logMeanExp.js";
import type { Bound } from "./bound.js";

/**
 * The importance-weighted bound: L_K = log (1/K) Σ_k w_k, which rises in expectation with K from the ELBO to log p(x).
 *
 * c = w̃ (the normalised weights), d = w̃ (1 − w̃). Weights of zero (−∞) count as zero; where all K are zero L_K is −∞ and its derivatives
 * are given as 0.
 *
 * @throws Error if the log-weights are no matrix `[K, B]` with K ≥ 1.
 * Source: Cremer, Morris & Duvenaud 2017, "Background" (L_IWAE); Burda, Grosse & Salakhutdinov 2016, eq. 8.
 */
export const iwae: Bound = {
  name: "IWAE",
  value: (logW) => logMeanExpOf(checked(logW), 0) as Tensor1D,
  weights: (logW) => tf.tidy(() => normalisedWeights(checked(logW)) as Tensor2D),
  curvature: (logW) =>
    tf.tidy(() => {
      const weights = normalisedWeights(checked(logW));
      return tf.mul(weights, tf.sub(1, weights)) as Tensor2D;
    }),
  evaluate: (logW) => logMeanExp(logW),
};

/** w̃, `[K, B]`. */
function normalisedWeights(logW: Tensor): Tensor {
  const largest = tf.max(logW, 0, true);
  // Where every weight is zero the shift must not be −∞: −∞ − (−∞) is no number.
  const shift = tf.where(tf.equal(largest, Number.NEGATIVE_INFINITY), tf.zerosLike(largest), largest);
  const scaled = tf.exp(tf.sub(logW, shift));
  return tf.divNoNan(scaled, tf.sum(scaled, 0, true));
}

function checked(logW: Tensor2D): Tensor2D {
  checkShape("iwae: log-weights", logW, ["*", "*"]);
  if (logW.shape[0] === 0) throw new Error("iwae: there are no samples (K = 0); draw at least one.");
  return logW;
}
