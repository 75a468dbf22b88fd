import { choleskyFactor, choleskySolve } from "../diagnostics/choleskyFactor.js";
import { breathe } from "../engine/interrupt.js";
import type { Key } from "../engine/random.js";
import { dot } from "../families/exponentialFamily.js";
import { addObservation, normalWishartFamily } from "../families/normalWishartFamily.js";
import { gatheredMoments, moveObservation, type NormalWishartMoments } from "../families/normalWishartMoments.js";
import { normalWishartPredictive } from "../families/normalWishartPredictive.js";
import { aboutOrigin } from "../models/aboutOrigin.js";
import type { Rows } from "../models/conjugateModel.js";
import type { GaussianMixture, MixtureGlobal } from "../models/gaussianMixture.js";

/** One sweep of {@link collapsedMixture}: a row of a table. */
export type CollapsedMixturePoint = {
  /** Sweeps through the points. */
  readonly sweep: number;
  /** The mean over points of Σ_k |φ_k − its value a sweep before|. */
  readonly change: number;
  /** Seconds since the start, without those of `onProgress`. */
  readonly seconds: number;
};

/** Where a run of {@link collapsedMixture} stands. */
export interface CollapsedMixtureState {
  /** φ, `[N · K]`: q(component of each point), row by row. */
  readonly responsibilities: Float64Array;
  /** The prior and the expected statistics under q(z), as the model's own q(π) q(μ, Λ): what `mixtureLogPredictive` and `model.parameters` read. */
  readonly global: MixtureGlobal;
}

/** Options of {@link collapsedMixture}. */
export interface CollapsedMixtureOptions {
  readonly model: GaussianMixture;
  /** All the points. */
  readonly data: Rows;
  /** φ starts at the responsibilities of `model.start` from here, as `cavi` with the same key does. */
  readonly key: Key;
  /** φ to start from instead, `[N · K]`. */
  readonly start?: Float64Array;
  /** Stops when φ changes by less in a sweep, in the mean over points. Default 1e-6. */
  readonly tolerance?: number;
  /** Sweeps at most. Default 500. */
  readonly maxSweeps?: number;
  /** Called after every sweep, with what makes the state so far, as copies; what it returns is awaited. */
  readonly onProgress?: (point: CollapsedMixturePoint, state: () => CollapsedMixtureState) => void | Promise<void>;
}

/** What {@link collapsedMixture} returns; it has no bound. */
export interface CollapsedMixtureResult extends CollapsedMixtureState {
  readonly trace: readonly CollapsedMixturePoint[];
  /** Sweeps made. */
  readonly sweeps: number;
  readonly stoppedBecause: "converged" | "all sweeps made";
}

/**
 * Collapsed variational inference for a Gaussian mixture, to zeroth order (CVB0): weights, means and precisions are integrated out, and q(z) = Π_i φ_i is brought, point after point, to
 * `φ_ik ∝ (α + E n_k) St(x_i; m_k, (1 + β_k) W_k⁻¹ / (β_k ν'_k), ν'_k)`, ν'_k = ν_k − D + 1,
 * where (m_k, β_k, W_k, ν_k) is the prior updated by the *expected* statistics `Σ_{j ≠ i} φ_jk t(x_j)` of all other points, and E n_k = Σ_{j ≠ i} φ_jk.
 *
 * Coordinate ascent on the collapsed bound needs `exp E[log(α + n_k) + log p(x_i | t_k)]`, t_k being the random sum of the others' statistics; *the one approximation is to take the
 * logarithms at the means of n_k and t_k*. It is exact where the others' assignments are certain: the conditional of collapsed Gibbs sampling. It is *no bound and raises none*:
 * where components overlap, its fixed point can lie below VB's optimum by the exact collapsed bound. No ELBO is returned; convergence is judged by φ and is not guaranteed.
 * (The exact collapsed bound of a few points is `exactMixtureAssignments`'.)
 *
 * A point's statistics are taken off and given back by rank-one steps on (m, β, W⁻¹). Every sweep begins by gathering them anew, and so is a component that a step would take most digits from.
 *
 * @throws RangeError if an option is out of range, the points have another number of columns than the model, K is above their number without a `start`, or the start has another length
 *   or is no row of shares.
 * Source: Asuncion, Welling, Smyth & Teh 2009, "On smoothing and inference for topic models" (the zeroth order, there for LDA); Teh, Newman & Welling 2007, "A collapsed variational
 *   Bayesian inference algorithm for latent Dirichlet allocation" (the collapsed bound); Kurihara, Welling & Teh 2007, "Collapsed variational Dirichlet process mixture models" (mixtures
 *   of Gaussians, of which they collapse the weights alone, to second order); Bishop 2006, equations 10.81 and 10.82 (the Student t).
 */
export async function collapsedMixture(options: CollapsedMixtureOptions): Promise<CollapsedMixtureResult> {
  const { model, data, key, tolerance = 1e-6, maxSweeps = 500, onProgress } = options;
  check(options, tolerance, maxSweeps);
  const { components: K, dimension: D, prior } = model;
  const N = data.size;
  const values = aboutOrigin(data.values, model.origin);
  const family = normalWishartFamily(D);
  const priors = Array.from({ length: K }, (_, k) =>
    family.parameters(prior.components.subarray(k * family.size, (k + 1) * family.size)),
  );
  let began = performance.now();
  const phi = options.start ? Float64Array.from(options.start) : model.responsibilities(model.start(key, data), data);
  const state = (): CollapsedMixtureState => {
    const [weights, components] = [Float64Array.from(prior.weights), Float64Array.from(prior.components)];
    for (let at = 0; at < N * K; at++) {
      weights[at % K] += phi[at];
      addObservation(components, (at % K) * family.size, D, values, Math.floor(at / K) * D, phi[at]);
    }
    return { responsibilities: Float64Array.from(phi), global: { weights, components } };
  };
  const [next, off, counts] = [new Float64Array(K), new Float64Array(D), new Float64Array(K)];
  const trace: CollapsedMixturePoint[] = [];
  let stoppedBecause: CollapsedMixtureResult["stoppedBecause"] = "all sweeps made";
  for (let sweep = 1; sweep <= maxSweeps; sweep++) {
    const moments = priors.map((of, k) => gatheredMoments(of, values, (row) => phi[row * K + k]));
    counts.fill(0);
    for (let at = 0; at < N * K; at++) counts[at % K] += phi[at];
    let change = 0;
    for (let i = 0; i < N; i++) {
      if (i % 256 === 0) await breathe();
      for (let k = 0; k < K; k++) {
        const share = phi[i * K + k];
        counts[k] = Math.max(0, counts[k] - share);
        if (shareLeft(moments[k], values, i * D, share) > 1e-6) moveObservation(moments[k], values, i * D, -share);
        else moments[k] = gatheredMoments(priors[k], values, (row) => (row === i ? 0 : phi[row * K + k]));
        for (let d = 0; d < D; d++) off[d] = values[i * D + d] - moments[k].mean[d];
        next[k] = Math.log(prior.weights[k] + counts[k]) + normalWishartPredictive(moments[k], "collapsedMixture")(off);
      }
      const largest = next.reduce((a, b) => Math.max(a, b));
      let total = 0;
      for (let k = 0; k < K; k++) {
        next[k] = Math.exp(next[k] - largest);
        total += next[k];
      }
      for (let k = 0; k < K; k++) {
        const after = next[k] / total;
        change += Math.abs(after - phi[i * K + k]);
        phi[i * K + k] = after;
        counts[k] += after;
        moveObservation(moments[k], values, i * D, after);
      }
    }
    trace.push({ sweep, change: change / N, seconds: (performance.now() - began) / 1000 });
    const away = performance.now();
    await onProgress?.(trace[sweep - 1], state);
    began += performance.now() - away;
    if (change / N < tolerance) {
      stoppedBecause = "converged";
      break;
    }
  }
  return { ...state(), trace, sweeps: trace.length, stoppedBecause };
}

/** |W'⁻¹| / |W⁻¹| when `weight` of x is taken off: what is subtracted leaves so small a share that as many digits are lost. */
function shareLeft(moments: NormalWishartMoments, x: Float64Array, at: number, weight: number): number {
  const { mean, meanPrecision, inverseScale } = moments;
  const off = mean.map((centre, d) => x[at + d] - centre);
  const factor = choleskyFactor(inverseScale, mean.length, "collapsedMixture: the inverse scale");
  const distance = dot(off, choleskySolve(factor, mean.length, off));
  return 1 - ((meanPrecision * weight) / (meanPrecision - weight)) * distance;
}

function check(options: CollapsedMixtureOptions, tolerance: number, maxSweeps: number): void {
  const { model, data, start } = options;
  const { components: K, dimension: D } = model;
  if (data.columns !== D || data.size < 1)
    throw new RangeError(
      `collapsedMixture needs points with the ${D} columns of the model's prior, at least one, not ${data.size} points of ${data.columns}.`,
    );
  if (!(tolerance >= 0)) throw new RangeError(`collapsedMixture: the tolerance must be ≥ 0, not ${tolerance}.`);
  if (!Number.isInteger(maxSweeps) || maxSweeps < 1)
    throw new RangeError(`collapsedMixture: maxSweeps must be a positive integer, not ${maxSweeps}.`);
  const bad = data.values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new RangeError(
      `collapsedMixture: row ${Math.floor(bad / D)}, column ${bad % D} is ${data.values[bad]}; give finite numbers.`,
    );
  if (!start) return;
  if (start.length !== data.size * K)
    throw new RangeError(
      `collapsedMixture: the start must have ${K} shares for each of ${data.size} points, not ${start.length} numbers.`,
    );
  for (let i = 0; i < data.size; i++) {
    const row = start.subarray(i * K, (i + 1) * K);
    if (!row.every((share) => share >= 0) || Math.abs(row.reduce((a, b) => a + b, 0) - 1) > 1e-9)
      throw new RangeError(
        `collapsedMixture: the start's shares of point ${i} are not positive numbers that sum to 1.`,
      );
  }
}
