import { OneHotCategorical } from "../distributions/oneHotCategorical.js";
import { normal } from "../engine/random.js";
import { type Tensor3D, tf } from "../engine/tf.js";
import { checkSize, type Family } from "./family.js";

/** Parameters of {@link meanFieldCategorical}. */
export type MeanFieldCategoricalParameters = {
  /** l, `[B, N, C]`: q(z_n = c) = softmax(l_n)_c. */
  readonly logits: Tensor3D;
};

/** Options of {@link meanFieldCategorical}. */
export interface MeanFieldCategoricalOptions {
  /** N. */
  readonly variables: number;
  /** C ≥ 2, states of each. */
  readonly states: number;
  /** B, independent posteriors held at once. Default 1. */
  readonly batchSize?: number;
  /** Standard deviation of the start's random logits. Default 0.1. */
  readonly initialSpread?: number;
}

/**
 * Independent categorical variables, each one-hot: q(z; φ) = ∏_n Cat(z_n; softmax(l_n)), with φ = l and draws of D = N·C numbers.
 *
 * Adding a number to the logits of a variable leaves q as it is; the gradient is at right angles to that, so that nothing drifts.
 *
 * @throws Error if a size is not a positive integer, or there are fewer than two states.
 */
export function meanFieldCategorical(options: MeanFieldCategoricalOptions): Family<MeanFieldCategoricalParameters> {
  const { variables, states, batchSize = 1, initialSpread = 0.1 } = options;
  checkSize("meanFieldCategorical: variables", variables);
  checkStates("meanFieldCategorical", states);
  checkSize("meanFieldCategorical: batchSize", batchSize);
  return {
    dimension: variables * states,
    init: (key) => ({
      logits: tf.tidy(() => tf.mul(normal(key, [batchSize, variables, states]), initialSpread) as Tensor3D),
    }),
    distribution: ({ logits }) => new OneHotCategorical({ logits }),
  };
}

/** @throws Error unless there are at least two states. @internal */
export function checkStates(name: string, states: number): void {
  if (!Number.isInteger(states) || states < 2)
    throw new Error(`${name}: states must be an integer of at least 2, not ${states}.`);
}
