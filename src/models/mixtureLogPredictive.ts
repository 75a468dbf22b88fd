import { normalWishartPredictive } from "../families/normalWishartPredictive.js";
import type { Rows } from "./conjugateModel.js";
import type { GaussianMixture, MixtureGlobal } from "./gaussianMixture.js";

/**
 * The log-density of new points under a mixture's q(π) q(μ, Λ), each by itself, a mixture of Student t:
 * `log Σ_k (α_k / Σ_j α_j) St(x; m_k, (1 + β_k) W_k⁻¹ / (β_k ν'_k), ν'_k)` with ν'_k = ν_k − D + 1 degrees of freedom.
 *
 * @returns `[size]`.
 * @throws RangeError if the points have another number of columns than the model, or a natural parameter is out of range.
 * Source: Bishop 2006, "Pattern recognition and machine learning", equations 10.81 and 10.82.
 */
export function mixtureLogPredictive(model: GaussianMixture, global: MixtureGlobal, batch: Rows): Float64Array {
  const { components: K, dimension: D } = model;
  if (batch.columns !== D)
    throw new RangeError(`mixtureLogPredictive: the points must have ${D} columns, not ${batch.columns}.`);
  const { concentration, components } = model.parameters(global);
  const total = concentration.reduce((a, b) => a + b);
  const logDensities = components.map((component) => normalWishartPredictive(component, "mixtureLogPredictive"));
  const [logs, off] = [new Float64Array(K), new Float64Array(D)];
  return Float64Array.from({ length: batch.size }, (_, row) => {
    let largest = -Infinity;
    for (let k = 0; k < K; k++) {
      for (let d = 0; d < D; d++) off[d] = batch.values[row * D + d] - components[k].mean[d];
      logs[k] = Math.log(concentration[k] / total) + logDensities[k](off);
      if (logs[k] > largest) largest = logs[k];
    }
    return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
  });
}
