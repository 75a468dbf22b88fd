import type { Distribution } from "../distributions/distribution.js";
import { type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import { jointMlp } from "../models/jointMlp.js";
import { type Activation, type MlpParameters, withOutputBias } from "../models/mlp.js";
import { checkSize } from "./family.js";
import type { Conditional } from "./hierarchical.js";

/** The perceptron behind a conditional q(z | ψ, x). */
export interface PerceptronOptions {
  /** D, size of z. */
  readonly latent: number;
  /** Dψ, size of ψ. */
  readonly mixing: number;
  /** P, size of a datum, where q looks at data. Default 0: it does not. */
  readonly observed?: number;
  /** Sizes of the hidden layers; none makes a linear map. */
  readonly hidden: readonly number[];
  /** Default "relu". */
  readonly activation?: Activation;
}

/** Options of {@link perceptronConditional}. */
export interface PerceptronConditionalOptions extends PerceptronOptions {
  /** What errors call it. Default "perceptronConditional". */
  readonly name?: string;
  /** How the network's output is cut: one size for each tensor that `law` is handed. */
  readonly outputs: readonly number[];
  /** What each of these starts about: the biases of the last layer. Default 0. */
  readonly start?: readonly number[];
  /** q(z | ψ, x), batch `[..., B]` and event `[D]`, from tensors `[..., B, size]`. */
  law(outputs: readonly Tensor[]): Distribution;
}

/**
 * q(z | ψ, x) of any law whose parameters are a perceptron's of (ψ, x).
 *
 * ```ts
 * // A rate beside a probability, ψ of ten numbers.
 * perceptronConditional({
 *   latent: 2, mixing: 10, hidden: [40, 60, 40], outputs: [1, 1],
 *   law: (means) => {
 *     const [r, p] = means.map((mean) => ({ mean: tf.squeeze(mean, [-1]), scale: 0.1 }));
 *     return new Stacked({ parts: [new LogNormal(r), new LogitNormal(p)] });
 *   },
 * });
 * ```
 *
 * @throws Error if a size is not a positive integer, or `start` has another length than `outputs`; when evaluated, if ψ or x has another width, or
 *   the law's event is not `[D]`.
 */
export function perceptronConditional(options: PerceptronConditionalOptions): Conditional<MlpParameters> {
  const { latent, mixing, observed = 0, hidden, activation = "relu", name = "perceptronConditional" } = options;
  const { outputs, start = outputs.map(() => 0), law } = options;
  checkSize(`${name}: latent`, latent);
  checkSize(`${name}: mixing`, mixing);
  for (const size of outputs) checkSize(`${name}: a size in outputs`, size);
  if (start.length !== outputs.length)
    throw new Error(`${name}: start has ${start.length} numbers for ${outputs.length} outputs; give one each.`);
  const output = outputs.reduce((sum, size) => sum + size, 0);
  const network = jointMlp({ input: mixing, context: observed, hidden, output, activation });
  const bias = outputs.flatMap((size, i) => Array<number>(size).fill(start[i]!));
  return {
    dimension: latent,
    mixingDimension: mixing,
    init: (key) => withOutputBias(network.init(key), tf.tensor1d(bias) as Tensor1D),
    given: (parameters, x) => {
      const apply = network.given(parameters, x);
      return (psi) => {
        const distribution = law(tf.split(apply(psi), [...outputs], -1));
        const { eventShape } = distribution;
        if (eventShape.length === 1 && eventShape[0] === latent) return distribution;
        throw new Error(`${name}: the law has the event shape [${eventShape.join(", ")}], but z needs [${latent}].`);
      };
    },
  };
}
