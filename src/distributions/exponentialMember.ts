import { type Tensor, tf } from "../engine/tf.js";
import { deviance } from "../ops/deviance.js";
import { digamma } from "../ops/digamma.js";
import { Bernoulli } from "./bernoulli.js";
import { fill } from "./check.js";
import { Concatenated } from "./concatenated.js";
import type { Distribution } from "./distribution.js";
import { Gamma, type GammaOptions } from "./gamma.js";
import { Independent } from "./independent.js";
import { LogGamma } from "./logGamma.js";
import { Normal } from "./normal.js";
import { Poisson } from "./poisson.js";

/** Consecutive coordinates of z whose laws belong to one exponential family, `[B, n]`, elementwise. */
export interface ExponentialMember {
  readonly law: Distribution;
  /** The law's unconstrained parameters, `[B, n]` each, differentiable. */
  readonly coordinates: readonly Tensor[];
  /** ∂ log q(z) / ∂ coordinate, for each of them, of z's shape `[..., B, n]`. Not to be differentiated. */
  scores(z: Tensor): Tensor[];
  /**
   * The overdispersed member r(z) ∝ g(z) exp(ηᵀt(z)/τ) of the same family, where q(z) ∝ g(z) exp(ηᵀt(z)); differentiable in τ.
   *
   * @param tau τ ≥ 1, which broadcasts against `[B, n]`.
   */
  overdispersed(tau: Tensor): Distribution;
}

/**
 * The exponential families that a product distribution over vectors z is made of, in the order of its coordinates; undefined where one of them is none
 * of those below.
 *
 * | law | coordinates | overdispersed |
 * |---|---|---|
 * | N(μ, σ²) | μ, log σ | N(μ, τσ²) |
 * | Gamma(α, β) | log α, log α/β | Gamma((α + τ − 1)/τ, β/τ) |
 * | log of a Gamma(α, β) | log α, log α/β | log of a Gamma(α/τ, β/τ) |
 * | Poisson(λ) | log λ | Poisson(λ^{1/τ}) |
 * | Bernoulli(σ(l)) | l | Bernoulli(σ(l/τ)) |
 *
 * It makes tensors on its way, so call it in a tidy. What is wider depends on the base measure g: the gamma's is Lebesgue's in z, or in log z. In z the weight q/r has a second moment under r only
 * for α > (τ − 1)/(2τ − 1); in log z it is bounded. And a Poisson law of mean λ > 1 is *not* widened: λ^{1/τ} < λ, so that its right tail is cut.
 *
 * Source: Ruiz, Titsias & Blei 2016, "Overdispersed black-box variational inference", sections 3 and 4.1.
 */
export function exponentialMembers(q: Distribution): readonly ExponentialMember[] | undefined {
  if (q instanceof Concatenated) {
    const parts = q.parameters.parts.map(exponentialMembers);
    return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
  }
  if (!(q instanceof Independent) || q.eventRank !== 1 || q.base.eventShape.length > 0) return undefined;
  const member = memberOf(q.base);
  return member && [member];
}

/**
 * log q_n(z_n) of every coordinate of a product distribution, of z's shape `[..., B, D]`; differentiable in q's parameters.
 *
 * @throws Error if a coordinate's law is in none of the families of {@link exponentialMembers}.
 */
export function coordinateLogProb(q: Distribution, z: Tensor): Tensor {
  return tf.tidy(() => {
    const members = exponentialMembers(q);
    if (!members)
      throw new Error("coordinateLogProb: q must be a product of normal, gamma, log-gamma, Poisson or Bernoulli laws.");
    const sizes = members.map(({ law }) => law.batchShape[1]!);
    const stretches = members.length === 1 ? [z] : tf.split(z, sizes, -1);
    const each = members.map(({ law }, i) => law.logProb(stretches[i]!));
    return each.length === 1 ? each[0]! : tf.concat(each, -1);
  });
}

function memberOf(law: Distribution): ExponentialMember | undefined {
  if (law instanceof Normal) {
    const [mean, scale] = [law.parameters.mean, law.parameters.scale].map((x) => fill(x, law.batchShape));
    return {
      law,
      coordinates: [mean, tf.log(scale)],
      scores: (z) => {
        const e = tf.div(tf.sub(z, mean), scale);
        return [tf.div(e, scale), tf.sub(tf.square(e), 1)];
      },
      overdispersed: (tau) => new Normal({ mean, scale: tf.mul(scale, tf.sqrt(tau)) }),
    };
  }
  if (law instanceof Gamma) {
    return gammaMember(law, tf.log, (alpha, rate, tau) => {
      // (α − 1, −β)/τ; as 1 + (α − 1)/τ a small α would lose its digits.
      const concentration = tf.div(tf.add(alpha, tf.sub(tau, 1)), tau);
      return new Gamma({ concentration, rate: tf.div(rate, tau) });
    });
  }
  if (law instanceof LogGamma) {
    return gammaMember(
      law,
      (y) => y,
      (alpha, rate, tau) => new LogGamma({ concentration: tf.div(alpha, tau), rate: tf.div(rate, tau) }),
    );
  }
  if (law instanceof Poisson) {
    const logRate = tf.log(fill(law.parameters.rate, law.batchShape));
    return {
      law,
      coordinates: [logRate],
      scores: (z) => [tf.sub(z, tf.exp(logRate))],
      overdispersed: (tau) => new Poisson({ rate: tf.exp(tf.div(logRate, tau)) }),
    };
  }
  if (law instanceof Bernoulli) {
    const { logits } = law.parameters;
    return {
      law,
      coordinates: [logits],
      scores: (z) => [tf.sub(z, tf.sigmoid(logits))],
      overdispersed: (tau) => new Bernoulli({ logits: tf.div(logits, tau) }),
    };
  }
  return undefined;
}

/** With u = log z less the log of the mean, the scores are α (log α − ψ(α) + u + 1 − eᵘ) and α (eᵘ − 1). */
function gammaMember(
  law: Distribution & { readonly parameters: GammaOptions },
  logOf: (z: Tensor) => Tensor,
  overdispersed: (alpha: Tensor, rate: Tensor, tau: Tensor) => Distribution,
): ExponentialMember {
  const [alpha, rate] = [law.parameters.concentration, law.parameters.rate].map((x) => fill(x, law.batchShape));
  const logMean = tf.sub(tf.log(alpha), tf.log(rate));
  return {
    law,
    coordinates: [tf.log(alpha), logMean],
    scores: (z) => {
      const above = tf.sub(logOf(z), logMean);
      const offset = tf.sub(tf.log(alpha), digamma(alpha));
      return [tf.mul(alpha, tf.add(offset, deviance(above))), tf.mul(alpha, tf.expm1(above))];
    },
    overdispersed: (tau) => overdispersed(alpha, rate, tau),
  };
}
