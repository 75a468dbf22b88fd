import type { Sequences } from "../data/sequences.js";
import { permutation } from "../engine/random.js";
import { checkLength, klDivergence } from "../families/exponentialFamily.js";
import {
  addObservation,
  expectedLogDensity,
  type NormalWishartParameters,
  normalWishartFamily,
} from "../families/normalWishartFamily.js";
import { aboutOrigin } from "./aboutOrigin.js";
import type { Emissions } from "./emissions.js";
import { nearestRow } from "./nearestRow.js";

/** The emissions, and where their natural parameters count from. */
export interface GaussianEmissions extends Emissions<NormalWishartParameters> {
  /** `[D]`, the prior's mean: natural parameters are of the observations less this. */
  readonly origin: Float64Array;
}

/**
 * Gaussian emissions with unknown means and precisions: `x_t | z_t = k ~ N(μ_k, Λ_k⁻¹)`, `(μ_k, Λ_k) ~ NormalWishart`.
 *
 * They start from each observation given whole to the nearest of K that are drawn at random. Natural parameters are of observations less the prior's mean, `origin`, as
 * `gaussianMixture`'s; `parameters` and `natural` are in the observations' own coordinates.
 *
 * @param options.states - K ≥ 1.
 * @param options.prior - of every state.
 * @throws RangeError if K is no positive integer or the prior is out of range; from its functions, if observations have another number of columns than the
 *   prior's mean or lie too far from it, or there are fewer than K of them to start from.
 * Source: Bishop 2006, "Pattern recognition and machine learning", sections 10.2.1 and 13.2.
 */
export function gaussianEmissions(options: {
  readonly states: number;
  readonly prior: NormalWishartParameters;
}): GaussianEmissions {
  const { states: K, prior } = options;
  if (!Number.isInteger(K) || K < 1)
    throw new RangeError(`gaussianEmissions: states must be a positive integer, not ${K}.`);
  const D = prior.mean.length;
  const family = normalWishartFamily(D);
  const { size } = family;
  const ofState = (natural: Float64Array, k: number): Float64Array => natural.subarray(k * size, (k + 1) * size);
  const each = <T>(f: (k: number) => T): T[] => Array.from({ length: K }, (_, k) => f(k));
  const check = (batch: Sequences): void => {
    if (batch.columns !== D)
      throw new RangeError(
        `gaussianEmissions: the prior is of ${D} columns, but the observations have ${batch.columns}.`,
      );
  };
  checkLength("gaussianEmissions: the prior's mean", prior.mean, D);
  const origin = Float64Array.from(prior.mean);
  const natural = (parameters: readonly NormalWishartParameters[]): Float64Array => {
    if (parameters.length !== K)
      throw new RangeError(`gaussianEmissions: natural takes the parameters of ${K} states, not ${parameters.length}.`);
    const out = new Float64Array(K * size);
    for (const [k, { mean, ...others }] of parameters.entries()) {
      checkLength(`gaussianEmissions: the mean of state ${k}`, mean, D);
      out.set(family.natural({ ...others, mean: aboutOrigin(mean, origin) }), k * size);
    }
    return out;
  };
  return {
    name: "Gaussian",
    settings: { origin: origin.join(" ") },
    states: K,
    columns: D,
    origin,
    logBase: (-D / 2) * Math.log(2 * Math.PI),
    prior: natural(each(() => prior)),
    logNormaliser: (natural) => each((k) => family.logNormaliser(ofState(natural, k))).reduce((a, b) => a + b),
    kl: (q, p) => each((k) => klDivergence(family, ofState(q, k), ofState(p, k))).reduce((a, b) => a + b),
    expectedLogDensities: (natural, batch) => {
      check(batch);
      const means = each((k) => family.mean(ofState(natural, k)));
      const values = aboutOrigin(batch.values, origin);
      const out = new Float64Array((batch.values.length / D) * K);
      for (let t = 0; t * K < out.length; t++) {
        for (let k = 0; k < K; k++) out[t * K + k] = expectedLogDensity(means[k], D, values, t * D);
      }
      return out;
    },
    statistics: (batch, weights) => {
      const out = new Float64Array(K * size);
      const values = aboutOrigin(batch.values, origin);
      for (let t = 0; t * K < weights.length; t++) {
        for (let k = 0; k < K; k++) addObservation(out, k * size, D, values, t * D, weights[t * K + k]);
      }
      return out;
    },
    start: (key, batch) => {
      check(batch);
      const observations = batch.values.length / D;
      if (observations < K) {
        throw new RangeError(
          `gaussianEmissions: ${K} states start from as many observations, but there are ${observations}.`,
        );
      }
      const centres = permutation(key, observations).subarray(0, K);
      const weights = new Float64Array(observations * K);
      for (let t = 0; t < observations; t++) weights[t * K + nearestRow(batch, t, centres)] = 1;
      return weights;
    },
    parameters: (natural) =>
      each((k) => {
        const { mean, ...others } = family.parameters(ofState(natural, k));
        return { ...others, mean: mean.map((value, d) => value + origin[d]) };
      }),
    natural,
  };
}
