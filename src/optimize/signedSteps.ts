import { leaves, mapParameters } from "../engine/parameters.js";
import { type Tensor, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { Optimizer } from "./optimizer.js";

/** Options of {@link signedSteps}. */
export interface SignedStepsOptions {
  /** What moves the other parameters. */
  readonly optimizer: Optimizer;
  /** The path of the parameter, or of a record of several, that moves by signs (`"phi.dispersion"`). */
  readonly path: string;
  /** Length of a step, positive. */
  readonly size: number;
  /** Where the parameter is held between: [low, high]. */
  readonly range: readonly [number, number];
}

/**
 * An optimizer that moves some parameters by the sign of their gradient alone, within a range: θ_i ← clip(θ_i ± size, low, high).
 *
 * For a gradient whose magnitude says nothing, such as that of a variance in the dispersion of a proposal: it may be larger than the parameter by orders of
 * magnitude. No schedule scales these steps. Where the gradient is 0 the parameter stays.
 *
 * @throws Error if the size is not positive or the range is empty; when it starts, if the path names no parameter.
 * Source: Ruiz, Titsias & Blei 2016, "Overdispersed black-box variational inference", section 3.2.
 */
export function signedSteps({ optimizer, path, size, range }: SignedStepsOptions): Optimizer {
  const [low, high] = range;
  if (!(size > 0 && size < Infinity)) throw new Error(`signedSteps: size must be positive and finite, not ${size}.`);
  if (!(low < high))
    throw new Error(`signedSteps: the range must be [low, high] with low < high, not [${low}, ${high}].`);
  const holds = (leaf: string): boolean => leaf === path || leaf.startsWith(`${path}.`);
  return {
    ...optimizer,
    settings: { ...optimizer.settings, [`signed step of ${path}`]: size, "from at least": low, "to at most": high },
    init: (parameters) => {
      const known = leaves(parameters).map((leaf) => leaf.path);
      if (!known.some(holds))
        throw new Error(`signedSteps: there is no parameter "${path}"; there are ${known.join(", ")}.`);
      return optimizer.init(parameters);
    },
    step: ({ parameters, gradient, learningRate, ...inputs }) =>
      tidied(() => {
        const next = optimizer.step({ parameters, gradient, learningRate, ...inputs });
        const slopes = new Map(leaves(gradient).map((leaf) => [leaf.path, leaf.tensor]));
        const before = new Map(leaves(parameters).map((leaf) => [leaf.path, leaf.tensor]));
        // Uphill where the learning rate is negative: `fit` ascends.
        const downhill = typeof learningRate === "number" ? -Math.sign(learningRate) : tf.neg(tf.sign(learningRate));
        const moved = mapParameters(next.parameters, (after, leaf): Tensor => {
          if (!holds(leaf)) return after;
          const step = tf.mul(tf.mul(downhill, size), tf.sign(slopes.get(leaf)!));
          return tf.clipByValue(tf.add(before.get(leaf)!, step), low, high);
        });
        return { parameters: moved, state: next.state };
      }),
  };
}
