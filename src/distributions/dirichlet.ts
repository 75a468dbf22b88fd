import type { Key } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { digamma } from "../ops/digamma.js";
import { exp } from "../ops/exp.js";
import { logMultivariateBeta } from "../ops/logBeta.js";
import { logSumExp } from "../ops/logSumExp.js";
import { checkEvent, checkReal } from "./check.js";
import type { Distribution } from "./distribution.js";
import { LogGamma } from "./logGamma.js";
import { onSupport, smallestPositive } from "./support.js";

/** Parameters of a {@link Dirichlet}. */
export interface DirichletOptions {
  /** α > 0, `[..., N]` with N ≥ 2 categories. */
  readonly concentration: Tensor;
}

/**
 * The Dirichlet distribution on the simplex of N shares: `p(x) = Π_n x_n^(α_n − 1) / B(α)`, of mean α/Σα.
 *
 * Batch shape: α's but for its last dimension, which is the event shape. The density is with respect to x_1, …, x_{N−1}, and takes x as summing to 1. A draw is the shares
 * of N gamma draws, from their logs, and is reparameterised through all of them (once differentiable); a share below 1.2e-38 becomes that number. `log p` is −∞ where a share is
 * not positive.
 *
 * @throws Error if α is not a float32 tensor of shape `[..., N]` with N ≥ 2.
 * Source of the gradient: Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization gradients".
 */
export class Dirichlet implements Distribution {
  readonly parameters: DirichletOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  readonly reparameterised = true;

  constructor(options: DirichletOptions) {
    const { concentration } = options;
    checkReal("Dirichlet: concentration", concentration);
    const shape = concentration instanceof tf.Tensor ? concentration.shape : [];
    if (!((shape[shape.length - 1] ?? 0) >= 2)) {
      throw new Error(
        `Dirichlet: concentration must be a tensor of shape [..., N] with N ≥ 2 categories, not ${formatShape(shape)}.`,
      );
    }
    this.parameters = options;
    this.batchShape = shape.slice(0, -1);
    this.eventShape = shape.slice(-1);
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return tf.tidy(() => {
      const logs = new LogGamma({ concentration: this.parameters.concentration, rate: 1 }).sample(key, sampleShape);
      return tf.maximum(exp(tf.sub(logs, logSumExp(logs, -1, true))), smallestPositive);
    });
  }

  logProb(x: Tensor): Tensor {
    checkEvent("Dirichlet", x, this.eventShape);
    const { concentration } = this.parameters;
    const density = (shares: Tensor): Tensor => tf.mul(tf.sub(concentration, 1), tf.log(shares));
    return tf.tidy(() => {
      const each = onSupport(x, (shares) => tf.greater(shares, 0), 0.5, density);
      return tf.sub(tf.sum(each, -1), logMultivariateBeta(concentration));
    });
  }

  /** `log B(α) + (Σα − N) ψ(Σα) − Σ_n (α_n − 1) ψ(α_n)`. */
  entropy(): Tensor {
    return tf.tidy(() => {
      const alpha = this.parameters.concentration;
      const total = tf.sum(alpha, -1);
      const own = tf.sum(tf.mul(tf.sub(alpha, 1), digamma(alpha)), -1);
      const ofTotal = tf.mul(tf.sub(total, this.eventShape[0]!), digamma(total));
      return tf.sub(tf.add(logMultivariateBeta(alpha), ofTotal), own);
    });
  }

  mean(): Tensor {
    return tf.tidy(() => tf.div(this.parameters.concentration, this.total()));
  }

  /** `m (1 − m) / (Σα + 1)` with the mean m. */
  variance(): Tensor {
    return tf.tidy(() => {
      const mean = this.mean();
      return tf.div(tf.mul(mean, tf.sub(1, mean)), tf.add(this.total(), 1));
    });
  }

  private total(): Tensor {
    return tf.sum(this.parameters.concentration, -1, true);
  }
}
