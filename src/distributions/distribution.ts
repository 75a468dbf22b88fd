import type { Key } from "../engine/random.js";
import type { Tensor } from "../engine/tf.js";

/**
 * A probability distribution over tensors, after Distrax: a batch of independent distributions (`batchShape`), each over events
 * of shape `eventShape`.
 *
 * Every method is differentiable in the distribution's parameters; `sample` is reparameterised where the class says so.
 */
export interface Distribution {
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  /** Whether gradients flow through `sample` into the parameters. */
  readonly reparameterised: boolean;
  /** Draws of shape `[...sampleShape, ...batchShape, ...eventShape]`; the same key gives the same draws. */
  sample(key: Key, sampleShape?: readonly number[]): Tensor;
  /** log p(x), shape `[...sampleShape, ...batchShape]`, for x of shape `[...sampleShape, ...batchShape, ...eventShape]`. */
  logProb(x: Tensor): Tensor;
  /**
   * log p(x) summed over the last `rank` batch dimensions, where the class has it as one fused operation; `Independent` takes it from here.
   */
  logProbSummed?(x: Tensor, rank: number): Tensor;
  /** Differential (or discrete) entropy in nats, shape `batchShape`; throws where it has no closed form. */
  entropy(): Tensor;
  /** Mean, shape `[...batchShape, ...eventShape]`. */
  mean(): Tensor;
  /** Elementwise variance, shape `[...batchShape, ...eventShape]`. */
  variance(): Tensor;
}
