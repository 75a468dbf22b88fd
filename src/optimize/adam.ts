import { countParameters } from "../engine/parameters.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { flatten, unflatten } from "./flatten.js";
import type { Optimizer, Schedule } from "./optimizer.js";
import { constant } from "./schedules.js";

/** Options of {@link adam}. */
export interface AdamOptions {
  /** Step size α, or one for every step. */
  readonly learningRate: number | Schedule;
  /** Decay of the gradient's average, β₁. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the squared gradient's average, β₂. Default 0.999. */
  readonly beta2?: number;
  /** What keeps the quotient finite, ε. Default 1e-8. */
  readonly epsilon?: number;
}

/** Adam's state: the number of steps taken and both moments, for all parameters in one vector. */
export type AdamState = {
  readonly step: Scalar;
  /** m, as long as the parameters are many. */
  readonly mean: Tensor1D;
  /** v. */
  readonly meanSquare: Tensor1D;
};

/**
 * Adam: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − α m̂ / (√v̂ + ε), with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).
 *
 * @throws Error if the rate or ε is not positive, or a decay is not in [0, 1).
 * Source: Kingma & Ba 2015, Algorithm 1.
 */
export function adam(options: AdamOptions): Optimizer {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  for (const [name, beta] of Object.entries({ beta1, beta2 })) {
    if (!(beta >= 0 && beta < 1)) throw new Error(`adam: ${name} must be in [0, 1), not ${beta}.`);
  }
  if (!(epsilon > 0)) throw new Error(`adam: epsilon must be positive, not ${epsilon}.`);
  return {
    name: "Adam",
    settings: { beta1, beta2, epsilon },
    schedule: typeof learningRate === "number" ? constant(learningRate) : learningRate,
    init: (parameters): AdamState => ({
      step: tf.scalar(0),
      mean: tf.zeros([countParameters(parameters)]),
      meanSquare: tf.zeros([countParameters(parameters)]),
    }),
    step: ({ parameters, gradient, state: given, learningRate: rate }) =>
      tidied(() => {
        const state = given as AdamState;
        const slope = flatten(gradient);
        const step = tf.add(state.step, 1) as Scalar;
        const mean = tf.add(tf.mul(state.mean, beta1), tf.mul(slope, 1 - beta1)) as Tensor1D;
        const meanSquare = tf.add(tf.mul(state.meanSquare, beta2), tf.mul(tf.square(slope), 1 - beta2)) as Tensor1D;
        const root = tf.sqrt(tf.div(meanSquare, oneMinusPower(beta2, step)));
        const update = tf.div(tf.mul(tf.div(rate, oneMinusPower(beta1, step)), mean), tf.add(root, epsilon));
        const next = unflatten(tf.sub(flatten(parameters), update) as Tensor1D, parameters);
        return { parameters: next, state: { step, mean, meanSquare } };
      }),
  };
}

/** 1 − βᵗ as −expm1(t log β), which keeps its digits where βᵗ is near 1. */
function oneMinusPower(beta: number, step: Scalar): Tensor {
  return beta === 0 ? tf.scalar(1) : tf.neg(tf.expm1(tf.mul(step, Math.log(beta))));
}
