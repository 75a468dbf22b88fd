import type { Key } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import type { Bijection } from "../transforms/bijection.js";
import { checkEvent } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of {@link Transformed}. */
export interface TransformedOptions {
  /** The law of x. */
  readonly base: Distribution;
  /** y = f(x); it acts on one event of the base. */
  readonly bijection: Bijection;
}

/**
 * The law of y = f(x) for x of a base law and a bijection f: `log p(y) = log p_base(x) − log |det ∂f/∂x|` at x = f⁻¹(y).
 *
 * Batch shape: the base's; event shape: that of one y. Reparameterised where the base is. With a learnt f it is a normalising flow.
 *
 * @throws Error if the bijection does not take the base's events; always from `entropy`, `mean` and `variance`, which have no closed form.
 * Source: Rezende & Mohamed 2015, "Variational inference with normalizing flows", section 3.
 */
export class Transformed implements Distribution {
  readonly parameters: TransformedOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  readonly reparameterised: boolean;

  constructor(options: TransformedOptions) {
    const { base, bijection } = options;
    if (`${base.eventShape}` !== `${bijection.unconstrainedShape}`) {
      throw new Error(
        `Transformed: ${bijection.name} takes the shape ${formatShape(bijection.unconstrainedShape)}, but the base's events have ${formatShape(base.eventShape)}; make them equal.`,
      );
    }
    this.parameters = options;
    this.batchShape = base.batchShape;
    this.eventShape = bijection.shape;
    this.reparameterised = base.reparameterised;
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const { base, bijection } = this.parameters;
    return tf.tidy(() => bijection.forward(base.sample(key, sampleShape)));
  }

  logProb(y: Tensor): Tensor {
    checkEvent("Transformed", y, this.eventShape);
    const { base, bijection } = this.parameters;
    return tf.tidy(() => {
      const x = bijection.inverse(y);
      return tf.sub(base.logProb(x), bijection.logDeterminant(x));
    });
  }

  /** @throws Error always: it has no closed form. */
  entropy(): Tensor {
    throw new Error("Transformed: the entropy of a transformed law has no closed form; average −logProb over samples.");
  }

  /** @throws Error always: it has no closed form. */
  mean(): Tensor {
    throw new Error("Transformed: the mean of a transformed law has no closed form; average over samples.");
  }

  /** @throws Error always: it has no closed form. */
  variance(): Tensor {
    throw new Error("Transformed: the variance of a transformed law has no closed form; average over samples.");
  }
}
