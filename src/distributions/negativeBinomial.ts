import { gamma } from "../engine/gamma.js";
import { offTape } from "../engine/offTape.js";
import { poisson } from "../engine/poisson.js";
import { type Key, split } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { deviance } from "../ops/deviance.js";
import { exp } from "../ops/exp.js";
import { stirlingRemainder } from "../ops/logBeta.js";
import { logSigmoid } from "../ops/logSigmoid.js";
import { stopGradient } from "../ops/stopGradient.js";
import { where } from "../ops/where.js";
import { checkPositive, checkReal, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { isCount, onSupport } from "./support.js";

/** Parameters of a {@link NegativeBinomial}. */
export interface NegativeBinomialOptions {
  /** r > 0, any real number: the shape of the gamma law that the rate has. */
  readonly concentration: Tensor | number;
  /** l = log p − log(1 − p); broadcasts against r. */
  readonly logits: Tensor | number;
}

/**
 * The negative binomial distribution, elementwise: `P(n) = Γ(n + r) / (n! Γ(r)) pⁿ (1 − p)^r` for the counts n = 0, 1, 2, … as float32.
 *
 * It is the Poisson law whose rate is drawn from `Gamma(r, (1 − p)/p)`: mean `r p/(1 − p) = r eˡ`, variance `r p/(1 − p)² = r eˡ (1 + eˡ)`. (Some count the
 * other way and call 1 − p what is p here.) Batch shape: that of r and l broadcast together; event shape `[]`. Samples are drawn through the gamma and carry no
 * gradient. `log P` is −∞ where n is no count. The entropy has no closed form.
 *
 * @throws Error if r and l do not broadcast, or r is a number that is not positive.
 */
export class NegativeBinomial implements Distribution {
  readonly parameters: NegativeBinomialOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = false;

  constructor(options: NegativeBinomialOptions) {
    const { concentration, logits } = options;
    checkPositive("NegativeBinomial: concentration", concentration);
    checkReal("NegativeBinomial: logits", logits);
    this.parameters = options;
    this.batchShape = broadcastOf("NegativeBinomial", { concentration, logits });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const [mixing, count] = split(key);
    return offTape(() => {
      const rate = tf.mul(gamma(mixing, this.concentration(), sampleShape), tf.exp(this.parameters.logits));
      return poisson(count, rate);
    });
  }

  logProb(n: Tensor): Tensor {
    const { concentration, logits } = this.parameters;
    broadcastOf("NegativeBinomial.logProb", { n, concentration, logits });
    const mass = (n: Tensor): Tensor => {
      const r = this.concentration();
      const [logP, logRest] = [logSigmoid(fill(logits, [])), logSigmoid(tf.neg(fill(logits, [])))];
      const none = stopGradient(() => tf.equal(n, 0));
      const some = where(none, tf.scalar(1), n);
      const total = tf.add(some, r);
      // p and 1 − p against the shares n/(n + r) and r/(n + r).
      const counts = tf.mul(some, deviance(tf.add(logP, tf.log(tf.div(total, some)))));
      const rest = tf.mul(r, deviance(tf.add(logRest, tf.log(tf.div(total, r)))));
      const remainders = tf.sub(stirlingRemainder(total), tf.add(stirlingRemainder(some), stirlingRemainder(r)));
      const peak = tf.mul(tf.log(tf.div(tf.div(r, total), tf.mul(some, 2 * Math.PI))), 0.5);
      return where(none, tf.mul(r, logRest), tf.add(tf.add(counts, rest), tf.add(remainders, peak)));
    };
    return onSupport(n, isCount, 0, mass);
  }

  /** @throws Error always: the entropy of a negative binomial law has no closed form. */
  entropy(): Tensor {
    throw new Error("NegativeBinomial: its entropy has no closed form; average −logProb over samples.");
  }

  /** `r eˡ`. */
  mean(): Tensor {
    return tf.tidy(() => tf.mul(this.concentration(), this.odds()));
  }

  /** `r eˡ (1 + eˡ)`. */
  variance(): Tensor {
    return tf.tidy(() => tf.mul(this.mean(), tf.add(this.odds(), 1)));
  }

  private concentration(): Tensor {
    return fill(this.parameters.concentration, this.batchShape);
  }

  /** p/(1 − p). */
  private odds(): Tensor {
    return exp(fill(this.parameters.logits, this.batchShape));
  }
}
