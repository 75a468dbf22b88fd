import type { Distribution } from "../distributions/distribution.js";
import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { checkShape, formatShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { antitheticDraws } from "./antitheticDraws.js";
import { checkKlWeight, type KlWeight, type KlWeighted, logWeightsOf, withWeightedPrior } from "./klWeight.js";

/** The parameters of a model that has none: `{}`. */
export type NoParameters = Record<string, never>;

/**
 * What an estimator consumes: a model p(x, z) with parameters θ, a variational q(z | x) with parameters φ, and the data they stand on.
 *
 * `Z` is whatever a draw must remember: for a q with a density, the latents `[K, B, D]`; for a hierarchical q, the latents with what
 * produced them. Gradients that need q's density with its parameters held fixed (STL, DReG) call `logQ` with detached φ, so a problem must
 * use the φ that it is handed and no other.
 */
export interface Problem<Theta extends Parameters, Phi extends Parameters, Z = Tensor3D> extends KlWeighted {
  /** B, the number of data (or of independent posteriors) that every `[K, B]` is about. */
  readonly batchSize: number;
  /**
   * What the batch's sum of bounds is multiplied by to estimate that of the whole data set, N/S. It scales gradients, never reported
   * values.
   */
  readonly scale: number;
  /** K draws z ~ q(· | x; φ), differentiable in φ where q is reparameterised. */
  sample(phi: Phi, key: Key, samples: number): Z;
  /** log p(x, z; θ), `[K, B]`; log p(x | z; θ) + β log p(z; θ) where there is a `klWeight` β. */
  logP(theta: Theta, z: Z): Tensor2D;
  /** log q(z | x; φ), `[K, B]`: exact, or an estimate that draws its own randomness from the key. */
  logQ(phi: Phi, z: Z, key: Key): Tensor2D;
  /**
   * `sample` and `logQ` in one, for a q whose draws know their density: it saves the second pass through an encoder.
   * Must return what the two would.
   */
  sampleWithLogQ?(phi: Phi, key: Key, samples: number): DrawsWithLogQ<Z>;
  /**
   * `sampleWithLogQ` with draws in pairs that mirror each other in q's centre, z_{K/2+k} = 2μ − z_k, for a q that is symmetric.
   *
   * @throws Error if K is odd, or if q is not known to be symmetric.
   */
  sampleAntithetic?(phi: Phi, key: Key, samples: number): DrawsWithLogQ<Z>;
  /** q(z | x; φ) itself, batch `[B]`, event `[D]`, where `z` is one tensor and q one distribution of it: for draws of another kind than its own. */
  distribution?(phi: Phi): Distribution;
}

/** Draws and their log-density. */
export interface DrawsWithLogQ<Z> {
  readonly z: Z;
  /** log q(z | x; φ), `[K, B]`. */
  readonly logQ: Tensor2D;
  /** Whether a gradient flows through the draws into φ; gradients that need it refuse draws that do not say. */
  readonly reparameterised?: boolean;
}

/** What turns its parameters into one distribution of z, batch `[B]`, event `[D]`. */
export interface Posterior<Phi extends Parameters> {
  /** D. */
  readonly dimension: number;
  /** q(z; φ), batch `[B]`, event `[D]`. */
  distribution(phi: Phi): Distribution;
}

/** What turns its parameters and data x `[B, P]` into q(z | x), batch `[B]`, event `[D]`. A {@link Posterior} is one that ignores x. */
export interface ConditionalPosterior<Phi extends Parameters> {
  /** D. */
  readonly dimension: number;
  /** q(z | x; φ), batch `[B]`, event `[D]`. */
  distribution(phi: Phi, x: Tensor2D): Distribution;
}

/** A model with one latent vector for each datum: p(x, z) = p(z) p(x | z; θ). */
export interface LatentVariableModel<Theta extends Parameters> {
  /** D. */
  readonly dimension: number;
  /** log p(x, z; θ), `[K, B]`, for latents `[K, B, D]` and data `[B, P]`. */
  logJoint(theta: Theta, z: Tensor3D, x: Tensor2D): Tensor2D;
  /** log p(z; θ), `[K, B]`, the part of `logJoint` that no datum is in: what a `klWeight` weighs. */
  logPrior?(theta: Theta, z: Tensor3D): Tensor2D;
}

/**
 * The problem of an amortised model: one latent for each datum, q(z | x; φ) from a family that looks at x.
 *
 * log w_kb = log p(x_b, z_kb; θ) − log q(z_kb | x_b; φ); with a weight β, log w = log p(x | z) + β (log p(z) − log q(z | x)).
 *
 * The weight is for training (a warm-up from about 0 to 1 keeps q from falling back on the prior); **only at β = 1 are the bounds of these weights bounds on
 * log p(x)**, so evaluate without it. Under the ELBO the objective is ELBO + (1 − β) KL(q(z | x) ‖ p(z)): too high for β < 1, perhaps above log p(x); for β > 1 lower
 * than the ELBO. Under IWAE it rises with K to log E_q[p(x | z) (p(z)/q(z | x))^β], which is log p(x) at β = 1 and otherwise depends on q; at β = 0 it is log E_q p(x | z).
 *
 * @param options.x the data, `[B, P]`, B ≥ 1. Its numbers are not read here (it would stall the device at every step); what reads
 *   log-weights, `fit` and `estimateBound`, names the row of one that is not finite.
 * @param options.scale N/S: the size of the data set over that of the batch; 1 where x is the whole of it.
 * @param options.klWeight β ≥ 0. Default 1. The model must know its `logPrior`.
 * @throws Error if x is no matrix or is empty, if the dimensions of model and family differ, if the scale is not positive, or if β is negative, not finite or no scalar,
 *   or is given for a model that does not know its prior by itself.
 */
export function latentVariableProblem<Theta extends Parameters, Phi extends Parameters>(options: {
  readonly model: LatentVariableModel<Theta>;
  readonly family: ConditionalPosterior<Phi>;
  readonly x: Tensor2D;
  readonly scale: number;
  readonly klWeight?: KlWeight;
}): Problem<Theta, Phi> {
  const { model, family, x, scale } = options;
  checkShape("latentVariableProblem: x", x, ["*", "*"]);
  if (x.shape[0] === 0) throw new Error("latentVariableProblem: the batch x is empty; give it at least one row.");
  checkScale("latentVariableProblem", scale);
  if (model.dimension !== family.dimension) {
    throw new Error(
      `latentVariableProblem: the model has ${model.dimension} latent dimensions, the family ${family.dimension}; make them equal.`,
    );
  }
  const klWeight = options.klWeight === 1 ? undefined : options.klWeight;
  checkKlWeight("latentVariableProblem", klWeight);
  if (klWeight !== undefined && !model.logPrior) {
    throw new Error(
      "latentVariableProblem: a klWeight weighs the model's prior by itself, so give the model logPrior(theta, z), [K, B].",
    );
  }
  const logP = (theta: Theta, z: Tensor3D): Tensor => {
    const logJoint = model.logJoint(theta, z, x);
    if (klWeight === undefined) return logJoint;
    const logPrior = model.logPrior!(theta, z);
    checkShape("latentVariableProblem: what the model's logPrior returns", logPrior, logJoint.shape);
    return withWeightedPrior(logJoint, logPrior, klWeight);
  };
  const problem = problemOf({
    name: "latentVariableProblem",
    batchSize: x.shape[0],
    scale,
    distribution: (phi: Phi) => family.distribution(phi, x),
    logP,
    density: "the model's logJoint",
  });
  return klWeight === undefined ? problem : { ...problem, klWeight };
}

/**
 * The problem of a density that the user writes down: approximate p(z) ∝ exp(logDensity(z)) by q(z; φ).
 *
 * log w_k = logDensity(z_k) − log q(z_k; φ); log p(x) is then the log of the density's integral.
 *
 * @param options.logDensity maps z `[K, B, D]` to `[K, B]`: reduce over the last axis. Any normalising constant may be left out.
 * @throws Error (when it is evaluated) if logDensity returns another shape.
 */
export function densityProblem<Phi extends Parameters>(options: {
  readonly logDensity: (z: Tensor3D) => Tensor;
  readonly family: Posterior<Phi>;
  /** B, where the family holds several posteriors at once. Default 1. */
  readonly batchSize?: number;
}): Problem<NoParameters, Phi> {
  const { logDensity, family, batchSize = 1 } = options;
  return problemOf({
    name: "densityProblem",
    batchSize,
    scale: 1,
    distribution: (phi: Phi) => family.distribution(phi),
    logP: (_theta: NoParameters, z) => logDensity(z),
    density: "logDensity",
  });
}

/**
 * The problem of one global latent z behind a whole data set, of which x is a batch:
 *
 * log p(x, z) ≈ log p(z) + (N/S) Σ_s log p(x_s | z), an unbiased estimate of the full log-joint.
 *
 * @param options.logPrior maps z `[K, 1, D]` to `[K, 1]`.
 * @param options.logLikelihood maps z `[K, 1, D]` and x `[S, P]` to one value a datum, `[K, S]`.
 * @param options.x the batch, `[S, P]`, S ≥ 1.
 * @param options.scale N/S: the size of the data set over that of the batch; 1 where x is the whole of it.
 * @throws Error if x is no matrix or is empty, or if the scale is not positive.
 */
export function posteriorProblem<Phi extends Parameters>(options: {
  readonly logPrior: (z: Tensor3D) => Tensor;
  readonly logLikelihood: (z: Tensor3D, x: Tensor2D) => Tensor;
  readonly family: Posterior<Phi>;
  readonly x: Tensor2D;
  readonly scale: number;
}): Problem<NoParameters, Phi> {
  const { logPrior, logLikelihood, family, x, scale } = options;
  checkShape("posteriorProblem: x", x, ["*", "*"]);
  if (x.shape[0] === 0) throw new Error("posteriorProblem: the batch x is empty; give it at least one row.");
  checkScale("posteriorProblem", scale);
  return densityProblem({
    family,
    logDensity: (z) => {
      const perDatum = logLikelihood(z, x);
      checkShape("posteriorProblem: what logLikelihood returns", perDatum, [z.shape[0], x.shape[0]]);
      return tf.add(logPrior(z), tf.mul(scale, tf.sum(perDatum, 1, true)));
    },
  });
}

/** The same problem with the model's parameters held at θ: only q is left to fit. */
export function withFixedModel<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
  theta: Theta,
): Problem<NoParameters, Phi, Z> {
  return { ...problem, logP: (_theta, z) => problem.logP(theta, z) };
}

/** Where an estimator looks at a problem: its parameters, how many samples, and which. */
export interface Point<Theta extends Parameters, Phi extends Parameters> {
  readonly theta: Theta;
  readonly phi: Phi;
  /** K ≥ 1. */
  readonly samples: number;
  readonly key: Key;
}

/**
 * K draws of z with their log-weights log p(x, z) − log q(z | x), `[K, B]`, differentiable in θ and φ; with the problem's `klWeight`, where it has one.
 *
 * @returns draws and log-weights; `reparameterised` as `sampleWithLogQ` says it, undefined where there is none.
 * @throws Error if K is not a positive integer.
 */
export function drawLogWeights<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
  { theta, phi, samples, key }: Point<Theta, Phi>,
): { readonly z: Z; readonly logW: Tensor2D; readonly reparameterised?: boolean } {
  checkSamples(samples);
  return tidied(() => {
    if (problem.sampleWithLogQ) {
      const { z, logQ, reparameterised } = problem.sampleWithLogQ(phi, key, samples);
      return { z, logW: logWeightsOf(problem, problem.logP(theta, z), logQ), reparameterised };
    }
    const [draw, estimate] = split(key);
    const z = problem.sample(phi, draw, samples);
    return { z, logW: logWeightsOf(problem, problem.logP(theta, z), problem.logQ(phi, z, estimate)) };
  });
}

/** @throws Error unless K is a positive integer. */
export function checkSamples(samples: number): void {
  if (!Number.isInteger(samples) || samples < 1)
    throw new Error(`The number of samples K must be a positive integer, not ${samples}.`);
}

function checkScale(name: string, scale: number): void {
  if (!(Number.isFinite(scale) && scale > 0)) {
    throw new Error(
      `${name}: scale must be N/S, the size of the data set over that of the batch, not ${scale}; use 1 for the whole data set.`,
    );
  }
}

/** A problem whose q has a density and whose z is one tensor. */
function problemOf<Theta extends Parameters, Phi extends Parameters>(parts: {
  readonly name: string;
  readonly batchSize: number;
  readonly scale: number;
  readonly distribution: (phi: Phi) => Distribution;
  readonly logP: (theta: Theta, z: Tensor3D) => Tensor;
  readonly density: string;
}): Problem<Theta, Phi> {
  const { name, batchSize, scale } = parts;
  const distributionOf = (phi: Phi): Distribution => {
    const distribution = parts.distribution(phi);
    const { batchShape, eventShape } = distribution;
    if (batchShape.length !== 1 || batchShape[0] !== batchSize || eventShape.length !== 1) {
      throw new Error(
        `${name}: the family's distribution has batch shape ${formatShape(batchShape)} and event shape ${formatShape(eventShape)}, ` +
          `but needs batch [${batchSize}] and an event of one axis.`,
      );
    }
    return distribution;
  };
  return {
    batchSize,
    scale,
    distribution: distributionOf,
    sample: (phi, key, samples) => tf.tidy(() => distributionOf(phi).sample(key, [samples]) as Tensor3D),
    logP: (theta, z) => {
      const logP = tf.tidy(() => parts.logP(theta, z));
      const expected = z.shape.slice(0, 2);
      if (logP.rank !== 2 || logP.shape[0] !== expected[0] || logP.shape[1] !== expected[1]) {
        throw new Error(
          `${name}: ${parts.density} must map z ${formatShape(z.shape)} to one value a sample, ${formatShape(expected)}, ` +
            `but it returned ${formatShape(logP.shape)}; reduce over the last axis only.`,
        );
      }
      return logP as Tensor2D;
    },
    logQ: (phi, z) => tf.tidy(() => distributionOf(phi).logProb(z) as Tensor2D),
    sampleWithLogQ: (phi, key, samples) =>
      tidied(() => {
        const distribution = distributionOf(phi);
        // The same key as drawLogWeights would hand to `sample`, so that both ways give the same draws.
        const z = distribution.sample(split(key)[0], [samples]) as Tensor3D;
        return { z, logQ: distribution.logProb(z) as Tensor2D, reparameterised: distribution.reparameterised };
      }),
    sampleAntithetic: (phi, key, samples) =>
      tidied(() => {
        const distribution = distributionOf(phi);
        const z = antitheticDraws(distribution, split(key)[0], samples) as Tensor3D;
        return { z, logQ: distribution.logProb(z) as Tensor2D, reparameterised: distribution.reparameterised };
      }),
  };
}
