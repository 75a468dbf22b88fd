import type { Key } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { type Activation, activations, type MlpParameters, mlp } from "./mlp.js";

/** Options of {@link jointMlp}. */
export interface JointMlpOptions {
  /** Size of the input of which there are many for each datum. */
  readonly input: number;
  /** P, size of the datum that they share; 0 where there is none. */
  readonly context: number;
  /** Sizes of the hidden layers; none makes a linear map. */
  readonly hidden: readonly number[];
  readonly output: number;
  readonly activation: Activation;
}

/** A perceptron of the pair (a, x), with many a for each x. */
export interface JointMlp {
  /** As `mlp`'s, for the concatenated input (a, x). */
  init(key: Key): MlpParameters;
  /**
   * The network at x `[B, P]`, as a map from a `[..., B, input]` to `[..., B, output]`; to be used inside one `tf.tidy`.
   *
   * @throws Error if x is missing though the network has a context, or has another width; the map throws if a has.
   */
  given(parameters: MlpParameters, x?: Tensor2D): (a: Tensor) => Tensor;
}

/**
 * A perceptron of (a, x) whose first layer splits as a W_a + (x W_x + b): the part of x is computed once a datum, however many a there are.
 *
 * The same function as `mlp` on the concatenated input; for a latent of 10 numbers beside a picture of 784 the first layer costs a seventy-ninth.
 *
 * @throws Error if a size is not a positive integer (the context may be 0).
 */
export function jointMlp(options: JointMlpOptions): JointMlp {
  const { input, context, hidden, output, activation } = options;
  if (!Number.isInteger(input) || input < 1)
    throw new Error(`jointMlp: input must be a positive integer, not ${input}.`);
  if (!Number.isInteger(context) || context < 0)
    throw new Error(`jointMlp: context must be an integer of at least 0, not ${context}.`);
  const whole = mlp({ sizes: [input + context, ...hidden, output], activation });
  const rest = hidden.length > 0 ? mlp({ sizes: [...hidden, output], activation }) : undefined;
  const width = hidden[0] ?? output;
  return {
    init: whole.init,
    given: ({ layers: [first, ...others] }, x) => {
      const weights = tf.slice(first.weights, [0, 0], [input, -1]);
      let shared: Tensor = first.bias;
      if (context > 0) {
        if (!x) throw new Error(`This network looks at data x [B, ${context}], but none were given.`);
        checkShape("jointMlp: x", x, ["*", context]);
        shared = tf.add(tf.matMul(x, tf.slice(first.weights, [input, 0], [context, -1])), shared);
      }
      return (a) => {
        checkShape("jointMlp: the input", a, ["...", input]);
        return tf.tidy(() => {
          const own = tf.matMul(tf.reshape(a, [-1, input]) as Tensor2D, weights);
          const layer = tf.add(tf.reshape(own, [...a.shape.slice(0, -1), width]), shared);
          return rest ? rest.apply({ layers: others }, activations[activation](layer)) : layer;
        });
      };
    },
  };
}
