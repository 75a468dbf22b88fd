import { leaves, mapParameters, type Parameters } from "../engine/parameters.js";
import { type Scalar, type Tensor, tf } from "../engine/tf.js";
import { tidied } from "../models/values.js";
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

/** Adam's state: the number of steps taken and both moments, records of the parameters' structure. */
export type AdamState = {
  readonly step: Scalar;
  readonly mean: Parameters;
  readonly meanSquare: Parameters;
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
    schedule: typeof learningRate === "number" ? constant(learningRate) : learningRate,
    init: (parameters): AdamState => ({
      step: tf.scalar(0),
      mean: mapParameters(parameters, (tensor) => tf.zerosLike(tensor)),
      meanSquare: mapParameters(parameters, (tensor) => tf.zerosLike(tensor)),
    }),
    step: ({ parameters, gradient, state: given, learningRate: rate }) =>
      tidied(() => {
        const state = given as AdamState;
        const step = tf.add(state.step, 1) as Scalar;
        const mean = combine(state.mean, gradient, (m, g) => tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)));
        const meanSquare = combine(state.meanSquare, gradient, (v, g) =>
          tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)),
        );
        const correction1 = oneMinusPower(beta1, step);
        const correction2 = oneMinusPower(beta2, step);
        const rateOverBias = tf.div(rate, correction1);
        const updates = combine(mean, meanSquare, (m, v) =>
          tf.div(tf.mul(rateOverBias, m), tf.add(tf.sqrt(tf.div(v, correction2)), epsilon)),
        );
        const next = combine(parameters, updates, (p, u) => tf.sub(p, u));
        return { parameters: next, state: { step, mean, meanSquare } };
      }),
  };
}

/** 1 − βᵗ as −expm1(t log β), which keeps its digits where βᵗ is near 1. */
function oneMinusPower(beta: number, step: Scalar): Tensor {
  return beta === 0 ? tf.scalar(1) : tf.neg(tf.expm1(tf.mul(step, Math.log(beta))));
}

/** A record of the first one's type whose tensors combine those at the same place of two records. */
function combine<P extends Parameters>(left: P, right: Parameters, operation: (a: Tensor, b: Tensor) => Tensor): P {
  const others = leaves(right);
  let next = 0;
  return mapParameters(left, (tensor) => operation(tensor, others[next++].tensor));
}
