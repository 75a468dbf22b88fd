import { type Estimate, estimateMean } from "../diagnostics/moments.js";
import type { Parameters } from "../engine/parameters.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { checkFiniteRows, valuesOf } from "../engine/values.js";
import { allStates } from "./allStates.js";
import { RunningLogSum } from "./runningLogSum.js";

/** How many numbers one block of log-likelihoods may hold. */
const valuesAtOnce = 1 << 20;

/** What {@link enumeratedLogEvidence} needs of a model of bits: its prior, and its likelihood for all pairs of latents and data at once. */
export interface BitModel<Theta extends Parameters> {
  readonly dimension: number;
  /** log p(z), `[K, 1]`, for bits `[K, 1, D]`. */
  logPrior(theta: Theta, z: Tensor3D): Tensor2D;
  /** log p(x_b | z_g), `[G, B]`, for bits `[G, D]` and data `[B, P]`. */
  logLikelihoodMatrix(theta: Theta, z: Tensor2D, x: Tensor2D): Tensor2D;
}

/**
 * log p(x) = log Σ_z p(z) p(x | z) over all 2^D states of a model's bits, summed in Float64: exact but for the rounding of the single-precision terms.
 *
 * @param options.x data `[B, P]`, B ≥ 1, finite.
 * @returns log p(x_b) of every datum, and their mean with its standard error across data.
 * @throws Error if there are more than 2¹⁶ states, or if the data are empty or not finite (the error names the first).
 */
export function enumeratedLogEvidence<Theta extends Parameters>(options: {
  readonly model: BitModel<Theta>;
  readonly theta: Theta;
  readonly x: Tensor2D;
}): { readonly logEvidence: Float64Array; readonly mean: Estimate } {
  const { model, theta, x } = options;
  checkShape("enumeratedLogEvidence: x", x, ["*", "*"]);
  const data = x.shape[0];
  if (data === 0) throw new Error("enumeratedLogEvidence: the data are empty; give them at least one row.");
  checkFiniteRows("enumeratedLogEvidence: x", x);
  const states = allStates("enumeratedLogEvidence", model.dimension);
  try {
    const count = states.shape[0];
    const logPrior = valuesOf(() => model.logPrior(theta, tf.expandDims(states, 1) as Tensor3D));
    const sums = new RunningLogSum(data);
    const chunk = Math.max(1, Math.floor(valuesAtOnce / data));
    for (let start = 0; start < count; start += chunk) {
      const size = Math.min(chunk, count - start);
      const values = valuesOf(() => model.logLikelihoodMatrix(theta, tf.slice(states, [start, 0], [size, -1]), x));
      for (let s = 0; s < size; s++) {
        for (let b = 0; b < data; b++) sums.add(b, logPrior[start + s]! + values[s * data + b]!);
      }
    }
    const logEvidence = sums.values();
    return { logEvidence, mean: estimateMean(logEvidence) };
  } finally {
    states.dispose();
  }
}
