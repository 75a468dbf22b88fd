import { leaves, mapParameters } from "../engine/parameters.js";
import { type Tensor, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { Optimizer } from "./optimizer.js";

/** Options of {@link naturalSteps}. */
export interface NaturalStepsOptions {
  /** What moves all other parameters. */
  readonly optimizer: Optimizer;
  /** ρ in (0, 1]: the share of the way to the optimum of the local quadratic; 1 is the whole of it, right for a conjugate likelihood and all data. */
  readonly rate: number;
  /** The record of natural parameters, such as those of `naturalPosterior`. Default `"phi.q"`. */
  readonly path?: string;
}

/**
 * An optimizer that takes natural-gradient steps, θ ← θ + ρ ∇_η L, on one record of natural parameters whose gradient is natural already, and leaves the rest to another.
 *
 * ```ts
 * naturalSteps({ optimizer: adam({ learningRate: 0.01 }), rate: 0.1 }); // q(u) by natural gradients; kernel, noise and inducing points by Adam
 * ```
 *
 * ρ is a number of its own: the other optimizer's schedule does not scale it.
 *
 * @throws Error if the rate is not in (0, 1]; when it starts, if there is no such parameter.
 */
export function naturalSteps({ optimizer, rate, path = "phi.q" }: NaturalStepsOptions): Optimizer {
  if (!(rate > 0 && rate <= 1)) throw new Error(`naturalSteps: rate must be in (0, 1], not ${rate}.`);
  const isNatural = (leaf: string): boolean => leaf === path || leaf.startsWith(`${path}.`);
  return {
    ...optimizer,
    name: `natural steps and ${optimizer.name}`,
    settings: { ...optimizer.settings, [`natural rate of ${path}`]: rate },
    init: (parameters) => {
      const known = leaves(parameters).map((leaf) => leaf.path);
      if (!known.some(isNatural))
        throw new Error(`naturalSteps: there is no parameter "${path}"; there are ${known.join(", ")}.`);
      return optimizer.init(parameters);
    },
    step: ({ parameters, gradient, state, learningRate }) =>
      tidied(() => {
        const next = optimizer.step({ parameters, gradient, state, learningRate });
        const before = new Map(leaves(parameters).map((leaf) => [leaf.path, leaf.tensor]));
        const slopes = new Map(leaves(gradient).map((leaf) => [leaf.path, leaf.tensor]));
        // A negative size ascends: only its sign is read here. (The wasm backend's own sign is 0 for small numbers.)
        const downhill = tf.mul(rate, tf.clipByValue(tf.mul(learningRate, 1e30), -1, 1));
        const moved = mapParameters(
          next.parameters,
          (after, leaf): Tensor =>
            isNatural(leaf) ? tf.sub(before.get(leaf)!, tf.mul(downhill, slopes.get(leaf)!)) : after,
        );
        return { parameters: moved, state: next.state };
      }),
  };
}
