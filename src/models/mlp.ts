import type { Parameters } from "../engine/parameters.js";
import { type Key, split, uniform } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { affine } from "../ops/affine.js";
import { relu } from "../ops/relu.js";
import { softplus } from "../ops/softplus.js";
import { tanh } from "../ops/tanh.js";

/** What comes after a hidden layer. */
export type Activation = "tanh" | "softplus" | "relu";

/** One dense layer: `x W + b`. */
export type DenseParameters = {
  /** W, `[in, out]`. */
  readonly weights: Tensor2D;
  /** b, `[out]`. */
  readonly bias: Tensor1D;
};

/** A perceptron's layers, first to last. */
export type MlpParameters = { readonly layers: readonly DenseParameters[] };

/** A multilayer perceptron: how to make its parameters and how to apply them. */
export interface Mlp {
  /** Sizes of input, hidden layers and output. */
  readonly sizes: readonly number[];
  /** Glorot-uniform weights, U(−a, a) with a = √(6/(in + out)), and biases of zero. */
  init(key: Key): MlpParameters;
  /** Maps `[..., in]` to `[..., out]`; the last layer is linear. */
  apply(parameters: MlpParameters, x: Tensor): Tensor;
}

/** The activations by name. */
export const activations: Readonly<Record<Activation, (x: Tensor) => Tensor>> = { tanh, softplus, relu };

/**
 * A multilayer perceptron: h_i = activation(h_{i−1} W_i + b_i), with a linear last layer.
 *
 * @param options.sizes at least input and output, for instance `[784, 200, 200, 2]`.
 * @throws Error if there are fewer than two sizes or one is not a positive integer.
 * Source of the initialisation: Glorot & Bengio 2010, eq. 16.
 */
export function mlp(options: { readonly sizes: readonly number[]; readonly activation: Activation }): Mlp {
  const { sizes, activation } = options;
  if (sizes.length < 2) throw new Error("mlp: sizes needs at least the size of the input and that of the output.");
  if (!sizes.every((size) => Number.isInteger(size) && size > 0))
    throw new Error(`mlp: every size must be a positive integer, not [${sizes.join(", ")}].`);
  const activate = activations[activation];
  return {
    sizes,
    init: (key) => ({
      layers: split(key, sizes.length - 1).map((layerKey, i) => {
        const limit = Math.sqrt(6 / (sizes[i] + sizes[i + 1]));
        return {
          weights: uniform(layerKey, [sizes[i], sizes[i + 1]], { low: -limit, high: limit }) as Tensor2D,
          bias: tf.zeros([sizes[i + 1]]) as Tensor1D,
        };
      }),
    }),
    apply: ({ layers }, x) => {
      checkShape("mlp: the input", x, ["...", sizes[0]]);
      return tf.tidy(() => {
        // All leading dimensions are one, so that every layer is one product of two matrices.
        const rows: Tensor = x.rank === 2 ? x : tf.reshape(x, [-1, sizes[0]]);
        const output = layers.reduce((h, { weights, bias }, i) => {
          const linear = affine(h as Tensor2D, weights, bias);
          return i === layers.length - 1 ? linear : activate(linear);
        }, rows);
        return x.rank === 2 ? output : tf.reshape(output, [...x.shape.slice(0, -1), sizes[sizes.length - 1]]);
      });
    },
  };
}

/** The parameters with another last bias, of the same size; the one it replaces is disposed. */
export function withOutputBias(parameters: MlpParameters, bias: Tensor1D): MlpParameters {
  const last = parameters.layers[parameters.layers.length - 1];
  checkShape("withOutputBias: bias", bias, last.bias.shape);
  last.bias.dispose();
  return { layers: [...parameters.layers.slice(0, -1), { ...last, bias }] } satisfies Parameters;
}

/** The parameters with an output that is this bias whatever the input: the last layer's weights are 0. What it replaces is disposed. @internal */
export function withConstantOutput(parameters: MlpParameters, bias: Tensor1D): MlpParameters {
  const { layers } = withOutputBias(parameters, bias);
  const last = layers[layers.length - 1];
  const weights = tf.zerosLike(last.weights);
  last.weights.dispose();
  return { layers: [...layers.slice(0, -1), { ...last, weights }] };
}
