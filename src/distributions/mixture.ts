import { categorical, type Key, split } from "../engine/random.js";
import { broadcastShapes, formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { logSumExp } from "../ops/logSumExp.js";
import { stopGradient } from "../ops/stopGradient.js";
import { checkEvent, fill } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of a {@link Mixture}: the weights, in one of two forms, and the components. */
export type MixtureOptions = {
  /** One distribution whose last batch dimension counts the components, or a list of distributions of equal shapes. */
  readonly components: Distribution | readonly Distribution[];
} & (
  | {
      /** Unnormalised log-weights `[..., M]`. */
      readonly logits: Tensor;
      readonly weights?: undefined;
    }
  | {
      /** Non-negative weights, normalised to sum to 1: numbers, or a tensor `[..., M]`. */
      readonly weights: Tensor | readonly number[];
      readonly logits?: undefined;
    }
);

/**
 * A finite mixture: `p(x) = Σ_m w_m p_m(x)`, summed as log-sum-exp.
 *
 * Batch shape: that of a component; event shape: that of a component. Samples carry no gradient (the choice of a component has none).
 *
 * @throws Error if the components differ in shape, if the number of weights is not that of the components, or if a weight given as a number is
 * negative.
 */
export class Mixture implements Distribution {
  readonly parameters: MixtureOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  readonly reparameterised = false;
  /** M, the number of components. */
  readonly size: number;

  constructor(options: MixtureOptions) {
    const { components } = options;
    this.parameters = options;
    if (isList(components)) {
      const [first] = components;
      if (!first) throw new Error("Mixture: the list of components is empty.");
      for (const component of components) {
        const fits =
          `${component.batchShape}` === `${first.batchShape}` && `${component.eventShape}` === `${first.eventShape}`;
        if (!fits) throw new Error("Mixture: the components must all have the same batch shape and event shape.");
      }
      this.size = components.length;
      this.batchShape = first.batchShape;
      this.eventShape = first.eventShape;
    } else {
      const size = components.batchShape[components.batchShape.length - 1];
      if (size === undefined)
        throw new Error("Mixture: one distribution of components needs a last batch dimension that counts them.");
      this.size = size;
      this.batchShape = components.batchShape.slice(0, -1);
      this.eventShape = components.eventShape;
    }
    this.checkWeights();
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const [choice, draw] = split(key);
    return stopGradient(() => {
      const logits = fill(this.logWeights(), [...this.batchShape, this.size]);
      const chosen = tf.oneHot(categorical(choice, logits, sampleShape), this.size);
      const axis = sampleShape.length + this.batchShape.length;
      const ones = this.eventShape.map(() => 1);
      const mask = tf.cast(tf.reshape(chosen, [...sampleShape, ...this.batchShape, this.size, ...ones]), "bool");
      const draws = this.each(axis, (component, m) =>
        component.sample(m === undefined ? draw : split(draw, this.size)[m]!, sampleShape),
      );
      return tf.sum(tf.where(mask, draws, tf.zerosLike(draws)), axis);
    });
  }

  logProb(x: Tensor): Tensor {
    checkEvent("Mixture", x, this.eventShape);
    return tf.tidy(() => {
      const logW = this.logWeights();
      const normalised = tf.sub(logW, logSumExp(logW, -1, true));
      const axis = x.rank - this.eventShape.length;
      const logP = isList(this.parameters.components)
        ? tf.stack(
            this.parameters.components.map((component) => component.logProb(x)),
            -1,
          )
        : this.parameters.components.logProb(tf.expandDims(x, axis));
      return logSumExp(tf.add(logP, normalised));
    });
  }

  /** @throws Error always: the entropy of a mixture has no closed form. */
  entropy(): Tensor {
    throw new Error("Mixture: the entropy of a mixture has no closed form; average −logProb over samples.");
  }

  mean(): Tensor {
    return tf.tidy(() => this.average(this.each(this.batchShape.length, (component) => component.mean())));
  }

  /** `Σ_m w_m (σ_m² + (μ_m − μ)²)`. */
  variance(): Tensor {
    return tf.tidy(() => {
      const axis = this.batchShape.length;
      const means = this.each(axis, (component) => component.mean());
      const deviations = tf.sub(means, tf.expandDims(this.average(means), axis));
      return this.average(
        tf.add(
          this.each(axis, (component) => component.variance()),
          tf.square(deviations),
        ),
      );
    });
  }

  /** What `get` gives for every component, with the components along `axis`; m is undefined where one call serves all. */
  private each(axis: number, get: (component: Distribution, m?: number) => Tensor): Tensor {
    const { components } = this.parameters;
    return isList(components)
      ? tf.stack(
          components.map((component, m) => get(component, m)),
          axis,
        )
      : get(components);
  }

  /** Σ_m w_m values, for values `[...batch, M, ...event]`. */
  private average(values: Tensor): Tensor {
    const weights = fill(tf.softmax(this.logWeights()), [...this.batchShape, this.size]);
    const ones = this.eventShape.map(() => 1);
    return tf.sum(tf.mul(values, tf.reshape(weights, [...weights.shape, ...ones])), this.batchShape.length);
  }

  private logWeights(): Tensor {
    const { logits, weights } = this.parameters;
    if (logits) return logits;
    return isNumbers(weights) ? tf.tensor1d(weights.map(Math.log)) : tf.log(weights as Tensor);
  }

  private checkWeights(): void {
    const { logits, weights } = this.parameters;
    const given = logits ?? weights;
    const valid = (weight: number): boolean => weight >= 0 && weight < Number.POSITIVE_INFINITY;
    if (isNumbers(given) && !(given.every(valid) && given.some((weight) => weight > 0))) {
      throw new Error(`Mixture: the weights must be non-negative, finite and not all 0, not ${formatShape(given)}.`);
    }
    const shape = isNumbers(given) ? [given.length] : (given as Tensor).shape;
    const broadcast = broadcastShapes(shape, [...this.batchShape, this.size]);
    if (shape[shape.length - 1] === this.size && `${broadcast}` === `${[...this.batchShape, this.size]}`) return;
    throw new Error(
      `Mixture: the weights have the shape ${formatShape(shape)}, but need ${formatShape([...this.batchShape, this.size])} (or its last dimensions).`,
    );
  }
}

function isList(components: Distribution | readonly Distribution[]): components is readonly Distribution[] {
  return Array.isArray(components);
}

function isNumbers(weights: Tensor | readonly number[] | undefined): weights is readonly number[] {
  return Array.isArray(weights);
}
