import { Bernoulli } from "../distributions/bernoulli.js";
import { OneHotCategorical, oneHot } from "../distributions/oneHotCategorical.js";
import { gumbel, type Key, split } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { logSumExp } from "../ops/logSumExp.js";
import { sigmoid } from "../ops/sigmoid.js";
import type { DiscreteLogits } from "./discreteLatents.js";

/**
 * A discrete q as noise on its logits, and what estimators do with that noise; the same for bits and for categories, of which bits are the case of two states
 * (the difference of two Gumbel noises is logistic, and σ of a difference is a softmax of two).
 *
 * Draws are D = N bits, or D = N·C numbers, one-hot.
 *
 * @internal
 */
export interface Relaxation {
  /** g, of which the state is a function: l + logistic noise `[K, B, N]`, or log p + Gumbel noise `[K, B, N, C]`. Differentiable in l. */
  noisy(logits: Tensor, key: Key, samples: number): Tensor;
  /** σ(g/τ) or softmax(g/τ), `[K, B, D]`. */
  relax(noisy: Tensor, temperature: number | Scalar): Tensor3D;
  /** The state, 1[g > 0] or the largest of g, `[K, B, D]`; not to be differentiated. */
  harden(noisy: Tensor): Tensor3D;
  /** H(q), `[B]`. */
  entropy(logits: Tensor): Tensor1D;
  /** log q, `[K, B]`, continued linearly between the states. */
  logQ(z: Tensor3D, logits: Tensor): Tensor2D;
  /** ∂ log q(z)/∂l, of g's shape. */
  score(z: Tensor3D, logits: Tensor): Tensor;
  /**
   * From ∂c/∂g, the derivative in l of c(g) − c(g̃): g̃ is g drawn again given its state, with the noise that makes g̃ = g, so that c's values cancel and its paths
   * do not.
   */
  pathOutsideState(slope: Tensor, noisy: Tensor, logits: Tensor): Tensor;
}

/** The relaxation of a q of these logits. @internal */
export function relaxationOf(logits: DiscreteLogits): Relaxation {
  return logits.rank === 2 ? bits : categories;
}

/** g̃ = s log(1 + e^λ (1 + e^(s l))), s = ±1 the state's sign, λ logistic: ∂g̃/∂l = σ(s l)(1 − e^(−|g|)). */
const bits: Relaxation = {
  noisy: (logits, key, samples) => {
    const [one, other] = split(key).map((half) => gumbel(half, [samples, ...logits.shape]));
    return tf.add(logits, tf.sub(one, other));
  },
  relax: (noisy, temperature) => sigmoid(tf.div(noisy, temperature)) as Tensor3D,
  harden: (noisy) => tf.cast(tf.greater(noisy, 0), "float32") as Tensor3D,
  entropy: (logits) => tf.sum(new Bernoulli({ logits }).entropy(), -1) as Tensor1D,
  logQ: (z, logits) => tf.sum(tf.sub(tf.mul(z, logits), tf.softplus(logits)), -1) as Tensor2D,
  score: (z, logits) => tf.sub(z, tf.sigmoid(logits)),
  pathOutsideState: (slope, noisy, logits) => {
    const within = tf.mul(tf.sigmoid(tf.mul(tf.sign(noisy), logits)), tf.neg(tf.expm1(tf.neg(tf.abs(noisy)))));
    return tf.mul(slope, tf.sub(1, within));
  },
};

/**
 * The largest of g = log p + Gumbel noise, m, is a Gumbel number whatever p and the state; the others are then g̃_c = −log(e^(−m) + E_c/p_c), E exponential:
 * ∂g̃_c/∂ log p_c = 1 − e^(g_c − m).
 */
const categories: Relaxation = {
  noisy: (logits, key, samples) => tf.add(logProbabilities(logits), gumbel(key, [samples, ...logits.shape])),
  relax: (noisy, temperature) => flat(tf.softmax(tf.div(noisy, temperature))),
  harden: (noisy) => flat(oneHot(tf.argMax(noisy, -1), noisy.shape[noisy.rank - 1]!)),
  entropy: (logits) => new OneHotCategorical({ logits }).entropy() as Tensor1D,
  logQ: (z, logits) => new OneHotCategorical({ logits }).logProb(z) as Tensor2D,
  score: (z, logits) => tf.sub(tf.reshape(z, [-1, ...logits.shape]), tf.softmax(logits)),
  pathOutsideState: (slope, noisy, logits) => {
    const inLogP = tf.mul(slope, tf.exp(tf.sub(noisy, tf.max(noisy, -1, true))));
    return tf.sub(inLogP, tf.mul(tf.softmax(logits), tf.sum(inLogP, -1, true))); // log p = l − log Σ exp l
  },
};

function logProbabilities(logits: Tensor): Tensor {
  return tf.sub(logits, logSumExp(logits, -1, true));
}

/** `[K, B, N, C]` to `[K, B, N·C]`. */
function flat(x: Tensor): Tensor3D {
  return tf.reshape(x, [x.shape[0]!, x.shape[1]!, -1]) as Tensor3D;
}
