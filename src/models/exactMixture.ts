import { dirichletFamily } from "../families/dirichletFamily.js";
import { addObservation, type NormalWishartParameters, normalWishartFamily } from "../families/normalWishartFamily.js";
import { aboutOrigin } from "./aboutOrigin.js";
import type { Rows } from "./conjugateModel.js";
import type { GaussianMixture, MixtureGlobal } from "./gaussianMixture.js";

/** Mean and variances of the centre μ_{ξ_1} of the component that the first point belongs to: it does not depend on how components are numbered. */
export interface CentreMoments {
  /** `[D]`. */
  readonly mean: Float64Array;
  /** `[D]`. */
  readonly variances: Float64Array;
}

/** What {@link exactMixture} sums up. */
export interface ExactMixture {
  /** log p(x). */
  readonly logEvidence: number;
  /** log p(x) of one of the K! numberings of the components, which an approximation about one of its K! equal modes sees: log p(x) − log K!. */
  readonly ofOneNumbering: number;
  readonly centre: CentreMoments;
}

/** Assignments that are enumerated at most. */
const most = 2 ** 18;

/**
 * The exact posterior of a Gaussian mixture of few points, by enumeration: `p(x) = Σ_ξ p(ξ) Π_k p(x_k | ξ)`, with weights, means and precisions integrated out,
 * `log p(x, ξ) = A_Dir(α + n) − A_Dir(α) + Σ_k [A_NW(η + Σ_{i: ξ_i = k} t(x_i)) − A_NW(η)] − ½ N D log 2π`.
 *
 * Every component has the same prior, so the first point's is called the first and K^(N−1) assignments are enough.
 *
 * @throws RangeError if there are more than 2¹⁸ of them, the points have another number of columns, or a centre has no finite variance (ν ≤ D before the first point).
 */
export function exactMixture(model: GaussianMixture, batch: Rows): ExactMixture {
  const { components: K, dimension: D, prior, origin } = model;
  const N = batch.size;
  const count = K ** (N - 1);
  if (batch.columns !== D || N < 1)
    throw new RangeError(`exactMixture: the points must have ${D} columns, and be at least one.`);
  if (count > most)
    throw new RangeError(`exactMixture: ${N} points and ${K} components have ${count} assignments, more than ${most}.`);
  const [dirichlet, component] = [dirichletFamily(K), normalWishartFamily(D)];
  const size = component.size;
  const empty = prior.components.subarray(0, size);
  const base = component.logNormaliser(empty);
  const constant = -dirichlet.logNormaliser(prior.weights) - (N * D * Math.log(2 * Math.PI)) / 2;
  const logs = new Float64Array(count);
  const values = aboutOrigin(batch.values, origin);
  const [means, variances] = [new Float64Array(count * D), new Float64Array(count * D)];
  for (let code = 0; code < count; code++) {
    const natural = Float64Array.from(prior.components);
    const weights = Float64Array.from(prior.weights);
    for (let i = 0, rest = code; i < N; i++) {
      // The first point is in component 0.
      const k = i === 0 ? 0 : rest % K;
      if (i > 0) rest = Math.floor(rest / K);
      weights[k] += 1;
      addObservation(natural, k * size, D, values, i * D, 1);
    }
    let log = constant + dirichlet.logNormaliser(weights);
    for (let k = 0; k < K; k++) {
      if (weights[k] > prior.weights[k])
        log += component.logNormaliser(natural.subarray(k * size, (k + 1) * size)) - base;
    }
    logs[code] = log;
    const first = component.parameters(natural.subarray(0, size));
    means.set(first.mean, code * D);
    variances.set(centreVariances(first), code * D);
  }
  const largest = logs.reduce((a, b) => Math.max(a, b));
  const total = logs.reduce((sum, log) => sum + Math.exp(log - largest), 0);
  const logEvidence = Math.log(K) + largest + Math.log(total);
  let logOrders = 0;
  for (let k = 2; k <= K; k++) logOrders += Math.log(k);
  const shares = logs.map((log) => Math.exp(log - largest) / total);
  const centre = mixed(shares, means, variances, D);
  return {
    logEvidence,
    ofOneNumbering: logEvidence - logOrders,
    centre: { ...centre, mean: centre.mean.map((value, d) => value + origin[d]) },
  };
}

/**
 * The same moments under q(ξ) q(μ, Λ): of the centre of the component that the batch's first point belongs to.
 *
 * @throws RangeError as {@link exactMixture} does for variances.
 */
export function approximateCentre(model: GaussianMixture, global: MixtureGlobal, batch: Rows): CentreMoments {
  const { components: K, dimension: D } = model;
  const parameters = model.parameters(global).components;
  const [means, variances] = [new Float64Array(K * D), new Float64Array(K * D)];
  for (const [k, component] of parameters.entries()) {
    means.set(component.mean, k * D);
    variances.set(centreVariances(component), k * D);
  }
  return mixed(model.responsibilities(global, batch).subarray(0, K), means, variances, D);
}

/** Var[μ_d] of a Normal–Wishart, whose μ is Student t with ν − D + 1 degrees of freedom: `W⁻¹_dd / (β (ν − D − 1))`. */
function centreVariances({ mean, inverseScale, meanPrecision, degrees }: NormalWishartParameters): Float64Array {
  const D = mean.length;
  if (!(degrees > D + 1))
    throw new RangeError(
      `exactMixture: a centre has a finite variance only with more than ${D + 1} degrees of freedom, not ${degrees}.`,
    );
  return mean.map((_, d) => inverseScale[d * D + d] / (meanPrecision * (degrees - D - 1)));
}

/** Mean and variances of a mixture of laws with these weights, means and variances. */
function mixed(shares: Float64Array, means: Float64Array, variances: Float64Array, D: number): CentreMoments {
  const [mean, variance] = [new Float64Array(D), new Float64Array(D)];
  shares.forEach((share, s) => {
    for (let d = 0; d < D; d++) mean[d] += share * means[s * D + d];
  });
  shares.forEach((share, s) => {
    for (let d = 0; d < D; d++) variance[d] += share * (variances[s * D + d] + (means[s * D + d] - mean[d]) ** 2);
  });
  return { mean, variances: variance };
}
