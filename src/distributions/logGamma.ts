import { logGamma } from "../engine/gamma.js";
import type { Key } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { deviance } from "../ops/deviance.js";
import { digamma, polygamma } from "../ops/digamma.js";
import { implicitDraw } from "../ops/implicitDraw.js";
import { lgamma } from "../ops/lgamma.js";
import { logGammaSlope } from "../ops/logGammaSlope.js";
import { checkPositive, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { type GammaOptions, gammaPeak } from "./gamma.js";

/**
 * The law of log X for a gamma variable X, elementwise: `p(y) = β^α exp(αy − β eʸ) / Γ(α)` for real y, of mean ψ(α) − log β.
 *
 * It says the same as `Gamma` on a scale where nothing under- or overflows: at α = 1e-3 a typical draw is y = −1000. Batch shape: that of α and β
 * broadcast together; event shape `[]`. Samples are reparameterised, implicitly in α, and can be differentiated once in it.
 *
 * @throws Error if α and β do not broadcast, or if one is a number that is not positive.
 * Source of the gradient: Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization gradients".
 */
export class LogGamma implements Distribution {
  readonly parameters: GammaOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: GammaOptions) {
    const { concentration, rate } = options;
    checkPositive("LogGamma: concentration", concentration);
    checkPositive("LogGamma: rate", rate);
    this.parameters = options;
    this.batchShape = broadcastOf("LogGamma", { concentration, rate });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return tf.tidy(() => {
      const standard = implicitDraw({
        parameters: [this.concentration()],
        draw: () => logGamma(key, this.concentration(), sampleShape),
        slopes: (y, [alpha]) => [() => logGammaSlope(alpha!, y)],
      });
      return tf.sub(standard, tf.log(this.parameters.rate));
    });
  }

  logProb(y: Tensor): Tensor {
    broadcastOf("LogGamma.logProb", { y, ...this.parameters });
    return tf.tidy(() => {
      const alpha = this.concentration();
      const above = tf.sub(tf.add(y, tf.log(this.parameters.rate)), tf.log(alpha)); // y less the mode
      return tf.add(tf.mul(alpha, deviance(above)), gammaPeak(alpha));
    });
  }

  /** `α + log Γ(α) − α ψ(α)`, whatever the rate. */
  entropy(): Tensor {
    return tf.tidy(() => {
      const alpha = this.concentration();
      return tf.sub(tf.add(alpha, lgamma(alpha)), tf.mul(alpha, digamma(alpha)));
    });
  }

  /** `ψ(α) − log β`. */
  mean(): Tensor {
    return tf.tidy(() => tf.sub(digamma(this.concentration()), tf.log(this.parameters.rate)));
  }

  /** `ψ′(α)`. */
  variance(): Tensor {
    return tf.tidy(() => polygamma(1, this.concentration()));
  }

  private concentration(): Tensor {
    return fill(this.parameters.concentration, this.batchShape);
  }
}
