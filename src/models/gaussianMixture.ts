import { type Key, permutation } from "../engine/random.js";
import { dirichletFamily } from "../families/dirichletFamily.js";
import { checkLength, klDivergence } from "../families/exponentialFamily.js";
import {
  addObservation,
  expectedLogDensity,
  type NormalWishartParameters,
  normalWishartFamily,
} from "../families/normalWishartFamily.js";
import { aboutOrigin } from "./aboutOrigin.js";
import {
  type ConjugateModel,
  globalStep,
  type LocalStep,
  type NaturalParameters,
  type Rows,
} from "./conjugateModel.js";
import { nearestRow } from "./nearestRow.js";

/** q(π) q(μ, Λ) of a mixture, in natural parameters. */
export interface MixtureGlobal extends NaturalParameters {
  /** The Dirichlet's concentration, `[K]`. */
  readonly weights: Float64Array;
  /** `[K · (D + D² + 2)]`, a Normal–Wishart after another, of points less the model's `origin`. */
  readonly components: Float64Array;
}

/** What `parameters` of a {@link GaussianMixture} returns and its `natural` takes: usual parameters, in the points' own coordinates. */
export interface MixtureParameters {
  /** Of the Dirichlet, `[K]`. */
  readonly concentration: Float64Array;
  /** m, β, W⁻¹ and ν of each component. */
  readonly components: readonly NormalWishartParameters[];
}

/** Options of {@link gaussianMixture}. */
export interface GaussianMixtureOptions {
  /** K ≥ 2. */
  readonly components: number;
  /** The Dirichlet's concentration for each weight, positive. */
  readonly concentration: number;
  /** The prior of every component. */
  readonly prior: NormalWishartParameters;
}

/** The model, and how to start and read it. */
export interface GaussianMixture extends ConjugateModel<MixtureGlobal, Rows, never> {
  /** K. */
  readonly components: number;
  /** D. */
  readonly dimension: number;
  /** `[D]`, the prior's mean: natural parameters are of the points less this, so that they keep their digits however far from zero all lie. */
  readonly origin: Float64Array;
  /** The update from each point given whole to the nearest of K points drawn at random. */
  start(key: Key, batch: Rows): MixtureGlobal;
  /** q(component of each point), `[size · K]`, row by row. */
  responsibilities(global: MixtureGlobal, batch: Rows): Float64Array;
  /** The Dirichlet's concentration and each component's m, β, W⁻¹ and ν. */
  parameters(global: MixtureGlobal): MixtureParameters;
  /**
   * The inverse of `parameters`: to start at means that are known, say.
   *
   * @throws RangeError if there are not K components, or a parameter is out of range.
   */
  natural(parameters: MixtureParameters): MixtureGlobal;
}

/**
 * Mixture of K Gaussians with unknown means and precisions: `π ~ Dirichlet`, `(μ_k, Λ_k) ~ NormalWishart`, `ξ_i ~ Categorical(π)`,
 * `x_i ~ N(μ_ξ, Λ_ξ⁻¹)`.
 *
 * The local step is exact: `q(ξ_i = k) ∝ ρ_ik = exp(E[log π_k] + E[log N(x_i; μ_k, Λ_k⁻¹)])`, and its bound `Σ_i log Σ_k ρ_ik`.
 *
 * Natural parameters count from the prior's mean: `W⁻¹ + β m mᵀ` would lose the digits of W⁻¹ where m is large. Take a prior mean among the data, above all where its β is small: a
 * component r of its spreads away costs r² of the 10¹⁶ that Float64 tells apart, and from r = 10⁶ on is refused. `parameters`, `natural` and all that takes points are in the points' own
 * coordinates.
 *
 * @throws RangeError if K < 2 or the prior is out of range; from its functions, if points have another number of columns or lie too far from the prior's mean, or K is above their
 *   number in `start`.
 * Source: Bishop 2006, "Pattern recognition and machine learning", section 10.2.
 */
export function gaussianMixture(options: GaussianMixtureOptions): GaussianMixture {
  const { components: K, concentration } = options;
  const D = options.prior.mean.length;
  const [weights, component] = [dirichletFamily(K), normalWishartFamily(D)];
  const size = component.size;
  checkLength("gaussianMixture: the prior's mean", options.prior.mean, D);
  const origin = Float64Array.from(options.prior.mean);
  const natural = (of: MixtureParameters): MixtureGlobal => {
    if (of.components.length !== K)
      throw new RangeError(
        `gaussianMixture: natural takes the parameters of ${K} components, not ${of.components.length}.`,
      );
    const components = new Float64Array(K * size);
    for (const [k, { mean, ...others }] of of.components.entries()) {
      checkLength(`gaussianMixture: the mean of component ${k}`, mean, D);
      components.set(component.natural({ ...others, mean: aboutOrigin(mean, origin) }), k * size);
    }
    return { weights: weights.natural(of), components };
  };
  const prior = natural({
    concentration: new Float64Array(K).fill(concentration),
    components: new Array<NormalWishartParameters>(K).fill(options.prior),
  });
  const ofComponent = (global: MixtureGlobal, k: number): Float64Array =>
    global.components.subarray(k * size, (k + 1) * size);

  const visit = (
    global: MixtureGlobal,
    batch: Rows,
    each: (row: number, responsibilities: Float64Array, values: Float64Array) => void,
  ) => {
    checkColumns(batch, D);
    const values = aboutOrigin(batch.values, origin);
    const logWeights = weights.mean(global.weights);
    const means = Array.from({ length: K }, (_, k) => component.mean(ofComponent(global, k)));
    const share = new Float64Array(K);
    let bound = 0;
    for (let row = 0; row < batch.size; row++) {
      let largest = -Infinity;
      for (let k = 0; k < K; k++) {
        share[k] = logWeights[k] + expectedLogDensity(means[k], D, values, row * D);
        if (share[k] > largest) largest = share[k];
      }
      let total = 0;
      for (let k = 0; k < K; k++) {
        share[k] = Math.exp(share[k] - largest);
        total += share[k];
      }
      for (let k = 0; k < K; k++) share[k] /= total;
      bound += largest + Math.log(total);
      each(row, share, values);
    }
    return bound;
  };
  const zero = (): MixtureGlobal => ({ weights: new Float64Array(K), components: new Float64Array(K * size) });
  const give = (statistics: MixtureGlobal, values: Float64Array, row: number, k: number, weight: number): void => {
    statistics.weights[k] += weight;
    addObservation(statistics.components, k * size, D, values, row * D, weight);
  };

  return {
    name: "Gaussian mixture",
    settings: { components: K, origin: origin.join(" ") },
    components: K,
    dimension: D,
    origin,
    prior,
    kl: (global, from = prior) => {
      let total = klDivergence(weights, global.weights, from.weights);
      for (let k = 0; k < K; k++) total += klDivergence(component, ofComponent(global, k), ofComponent(from, k));
      return total;
    },
    local: (global, batch): LocalStep<MixtureGlobal, never> => {
      const statistics = zero();
      const bound = visit(global, batch, (row, share, values) => {
        for (let k = 0; k < K; k++) give(statistics, values, row, k, share[k]);
      });
      return { statistics, bound };
    },
    start: (key, batch) => {
      checkColumns(batch, D);
      if (batch.size < K)
        throw new RangeError(
          `gaussianMixture: ${K} components start from as many points, but there are ${batch.size}.`,
        );
      const centres = permutation(key, batch.size).subarray(0, K);
      const statistics = zero();
      const values = aboutOrigin(batch.values, origin);
      for (let row = 0; row < batch.size; row++) give(statistics, values, row, nearestRow(batch, row, centres), 1);
      return globalStep({ global: prior, prior, statistics, scale: 1, rate: 1 });
    },
    responsibilities: (global, batch) => {
      const out = new Float64Array(batch.size * K);
      visit(global, batch, (row, share) => out.set(share, row * K));
      return out;
    },
    parameters: (global) => ({
      concentration: Float64Array.from(global.weights),
      components: Array.from({ length: K }, (_, k) => {
        const { mean, ...others } = component.parameters(ofComponent(global, k));
        return { ...others, mean: mean.map((value, d) => value + origin[d]) };
      }),
    }),
    natural,
  };
}

function checkColumns(batch: Rows, D: number): void {
  if (batch.columns !== D || batch.size === 0) {
    throw new RangeError(
      `gaussianMixture needs points with the ${D} columns of its prior, at least one, not ${batch.size} points of ${batch.columns}.`,
    );
  }
}
