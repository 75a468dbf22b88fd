import { countParameters } from "../engine/parameters.js";
import { type Tensor1D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { flatten, unflatten } from "./flatten.js";
import type { Optimizer, Schedule } from "./optimizer.js";
import { constant } from "./schedules.js";

/** Options of {@link adaGrad}. */
export interface AdaGradOptions {
  /** η, or one for every step: the length of each parameter's first step. */
  readonly learningRate: number | Schedule;
  /** What keeps the quotient finite where a parameter's gradient has always been 0, ε. Default 1e-8. */
  readonly epsilon?: number;
}

/** AdaGrad's state. */
export type AdaGradState = {
  /** G, the sum of the squared gradients, as long as the parameters are many. */
  readonly squares: Tensor1D;
};

/**
 * AdaGrad: G ← G + g², θ ← θ − η g / (√G + ε), each parameter by itself.
 *
 * Steps shrink as 1/√t without a schedule, so that a noisy gradient of constant variance converges; the first step of every parameter has the length η.
 *
 * @throws Error if the rate or ε is not positive.
 * Source: Duchi, Hazan & Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization", with the diagonal of G.
 */
export function adaGrad({ learningRate, epsilon = 1e-8 }: AdaGradOptions): Optimizer {
  if (!(epsilon > 0)) throw new Error(`adaGrad: epsilon must be positive, not ${epsilon}.`);
  return {
    name: "AdaGrad",
    settings: { epsilon },
    schedule: typeof learningRate === "number" ? constant(learningRate) : learningRate,
    init: (parameters): AdaGradState => ({ squares: tf.zeros([countParameters(parameters)]) }),
    step: ({ parameters, gradient, state, learningRate: rate }) =>
      tidied(() => {
        const slope = flatten(gradient);
        const squares = tf.add((state as AdaGradState).squares, tf.square(slope)) as Tensor1D;
        const update = tf.div(tf.mul(rate, slope), tf.add(tf.sqrt(squares), epsilon));
        const next = unflatten(tf.sub(flatten(parameters), update) as Tensor1D, parameters);
        return { parameters: next, state: { squares } };
      }),
  };
}
