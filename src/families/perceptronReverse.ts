import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import { jointMlp } from "../models/jointMlp.js";
import { type Activation, type MlpParameters, withConstantOutput } from "../models/mlp.js";
import { checkSize } from "./family.js";
import type { Reverse } from "./hierarchicalFamily.js";
import type { ReverseConditional, ReverseInputs } from "./reverseConditional.js";

/** The perceptron behind an auxiliary τ(ψ | z, x). */
export interface ReversePerceptronOptions {
  /** D, size of z. */
  readonly latent: number;
  /** Dψ, size of ψ. */
  readonly mixing: number;
  /** P, size of a datum, where τ looks at data. Default 0: it does not. */
  readonly observed?: number;
  /** Sizes of the hidden layers. */
  readonly hidden: readonly number[];
  /** Default "softplus". */
  readonly activation?: Activation;
  /** Whether one network of z_d alone, the same for all d, gives τ(ψ_d | z_d): for a q that factorises over d. Default false. */
  readonly elementwise?: boolean;
}

/** Options of {@link perceptronReverse}. */
export interface PerceptronReverseOptions extends ReversePerceptronOptions {
  /** What errors call it. Default "perceptronReverse". */
  readonly name?: string;
  /** How many numbers τ takes for each ψ_d. */
  readonly outputs: number;
  /** What these numbers are at the start, whatever z: the last layer's biases, its weights being 0. Left out, biases are 0 and weights random. */
  readonly start?: readonly number[];
  /** τ, from `outputs` tensors `[M, B, Dψ]`. Its gradients must flow through its draws. */
  law(outputs: readonly Tensor[], inputs: ReverseInputs): Reverse;
}

/**
 * τ(ψ | z, x; η) = ∏_d τ(ψ_d; a_d) of any law, its parameters a perceptron's of (z, x).
 *
 * @throws Error if a size is not a positive integer, `start` has another length than `outputs`, or elementwise is asked for with D ≠ Dψ or with data; when
 *   evaluated, if z or x has another width.
 * Source: Sobolev & Vetrov 2019, section 3; Ranganath, Tran & Blei 2016, section 3.
 */
export function perceptronReverse(options: PerceptronReverseOptions): ReverseConditional<MlpParameters> {
  const { latent, mixing, observed = 0, hidden, activation = "softplus", elementwise = false } = options;
  const { name = "perceptronReverse", outputs, start, law } = options;
  checkSize(`${name}: latent`, latent);
  checkSize(`${name}: mixing`, mixing);
  checkSize(`${name}: outputs`, outputs);
  if (start && start.length !== outputs)
    throw new Error(`${name}: start has ${start.length} numbers for ${outputs} outputs; give one each.`);
  if (elementwise && (latent !== mixing || observed > 0)) {
    throw new Error(
      `${name}: elementwise needs one ψ for each z and no data, not ${mixing} for ${latent} and ${observed} observed.`,
    );
  }
  const copies = elementwise ? 1 : mixing;
  const input = elementwise ? 1 : latent;
  const network = jointMlp({ input, context: observed, hidden, output: outputs * copies, activation });
  const bias = start?.flatMap((value) => Array<number>(copies).fill(value));
  return {
    reparameterised: true,
    init: (key) => (bias ? withConstantOutput(network.init(key), tf.tensor1d(bias) as Tensor1D) : network.init(key)),
    given: (eta, inputs) => {
      const { z, x } = inputs;
      checkShape(`${name}: z`, z, ["*", "*", latent]);
      const raw = network.given(eta, x)(elementwise ? tf.expandDims(z, 3) : z);
      const parts = tf.split(raw, outputs, -1);
      return law(elementwise ? parts.map((part) => tf.squeeze(part, [3])) : parts, inputs);
    },
  };
}
