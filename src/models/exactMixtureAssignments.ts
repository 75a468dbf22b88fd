import { dirichletFamily } from "../families/dirichletFamily.js";
import { addObservation, normalWishartFamily } from "../families/normalWishartFamily.js";
import { aboutOrigin } from "./aboutOrigin.js";
import type { Rows } from "./conjugateModel.js";
import { allAssignments, type EnumeratedAssignments, enumeratedAssignments } from "./enumeratedAssignments.js";
import type { GaussianMixture } from "./gaussianMixture.js";

/** A Gaussian mixture of few points, with weights, means and precisions integrated out: the law of its assignments. */
export interface ExactMixtureAssignments extends EnumeratedAssignments {
  /** p(z_i = z_j | x), `[N · N]`: whether two points share a component, which does not depend on how components are numbered. */
  readonly together: Float64Array;
}

/** Assignments that are enumerated at most. */
const most = 2 ** 18;

/**
 * All K^N assignments of a Gaussian mixture: `log p(x, z) = A_Dir(α + n) − A_Dir(α) + Σ_k [A_NW(η + Σ_{i: z_i = k} t(x_i)) − A_NW(η)] − ½ N D log 2π`, the log-evidence of each
 * of the 2^N sets of points computed once.
 *
 * It gives what approximations are ordered by: log p(x) ≥ the collapsed optimum ≥ the ELBO of VB, since q(π, μ, Λ) that is integrated out is at its optimum given z.
 *
 * @throws RangeError if there are more than 2¹⁸ assignments, or the points have another number of columns.
 * Source: Bishop 2006, "Pattern recognition and machine learning", section 10.2; Teh, Newman & Welling 2007 for the collapsed bound.
 */
export function exactMixtureAssignments(model: GaussianMixture, batch: Rows): ExactMixtureAssignments {
  const { components: K, dimension: D, prior } = model;
  const N = batch.size;
  if (batch.columns !== D || N < 1)
    throw new RangeError(`exactMixtureAssignments: the points must have ${D} columns, and be at least one.`);
  if (K ** N > most)
    throw new RangeError(
      `exactMixtureAssignments: ${N} points and ${K} components have ${K ** N} assignments, more than ${most}.`,
    );
  const [dirichlet, component] = [dirichletFamily(K), normalWishartFamily(D)];
  const empty = prior.components.subarray(0, component.size);
  const base = component.logNormaliser(empty);
  const values = aboutOrigin(batch.values, model.origin);
  const ofSet = Float64Array.from({ length: 2 ** N }, (_, set) => {
    const natural = Float64Array.from(empty);
    for (let i = 0; i < N; i++) if ((set >> i) & 1) addObservation(natural, 0, D, values, i * D, 1);
    return component.logNormaliser(natural) - base;
  });
  const placesOf = allAssignments(N, K);
  const constant = -dirichlet.logNormaliser(prior.weights) - (N * D * Math.log(2 * Math.PI)) / 2;
  const logs = Float64Array.from({ length: K ** N }, (_, code) => {
    const weights = Float64Array.from(prior.weights);
    const sets = new Int32Array(K);
    for (let i = 0; i < N; i++) {
      const k = placesOf[code * N + i];
      weights[k] += 1;
      sets[k] |= 1 << i;
    }
    return sets.reduce((sum, set) => sum + ofSet[set], constant + dirichlet.logNormaliser(weights));
  });
  const exact = enumeratedAssignments("exactMixtureAssignments", logs, placesOf, K);
  const together = new Float64Array(N * N);
  logs.forEach((log, code) => {
    const weight = Math.exp(log - exact.logEvidence);
    for (let i = 0; i < N; i++)
      for (let j = 0; j < N; j++) if (placesOf[code * N + i] === placesOf[code * N + j]) together[i * N + j] += weight;
  });
  return { ...exact, together };
}
