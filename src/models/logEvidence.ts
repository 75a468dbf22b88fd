import { type Estimate, estimateMean } from "../diagnostics/moments.js";
import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { checkFiniteRows, valuesOf } from "../engine/values.js";
import { RunningLogSum } from "./runningLogSum.js";

/** How many numbers one block of log-likelihoods may hold. */
const valuesAtOnce = 1 << 22;

/** What {@link logEvidence} needs of a model: z ~ N(0, I), and its likelihood for all pairs of latents and data at once. */
export interface GridModel<Theta extends Parameters> {
  readonly dimension: number;
  /** log p(x_b | z_g), `[G, B]`, for latents `[G, D]` and data `[B, P]`. */
  logLikelihoodMatrix(theta: Theta, z: Tensor2D, x: Tensor2D): Tensor2D;
}

/** log p(x) of every datum, with a bound on what the grid cannot tell. */
export interface LogEvidence {
  /** log p(x_b), `[B]`. */
  readonly logEvidence: Float64Array;
  /** |log p(x_b) with this grid − with every second point of it|, `[B]`: the error of the *coarser* grid, well above the finer one's. */
  readonly doublingError: Float64Array;
  /** The largest of them. */
  readonly largestError: number;
  /** Mean log p(x), with its standard error across data. */
  readonly mean: Estimate;
}

/** Options of {@link logEvidence}. */
export interface LogEvidenceOptions<Theta extends Parameters> {
  readonly model: GridModel<Theta>;
  readonly theta: Theta;
  /** Data, `[B, P]`, B ≥ 1, finite. */
  readonly x: Tensor2D;
  /** The grid reaches from −extent to extent in each dimension. Default 5, which leaves out 1.2e-6 of the prior's mass in two dimensions. */
  readonly extent?: number;
  /** Points in each dimension, odd. Default 201. */
  readonly points?: number;
  /** Called after every batch of data. */
  readonly onProgress?: (progress: { readonly done: number; readonly of: number }) => void;
}

/**
 * log p(x) = log ∫ N(z; 0, I) p(x | z) dz by the trapezoidal rule on a grid, for one or two latent dimensions, summed in Float64.
 *
 * For a smooth integrand the rule converges faster than any power of the step once the step is below the posterior's width; `doublingError`
 * says whether it is, at no cost (every second point makes the coarser grid). It cannot see mass beyond the extent, nor a spike between
 * the points of both grids.
 *
 * @throws Error if the model has more than two latent dimensions, the data are empty or not finite (the error names the first), the extent is not positive, or the points are not odd.
 */
export async function logEvidence<Theta extends Parameters>(options: LogEvidenceOptions<Theta>): Promise<LogEvidence> {
  const { model, theta, x, extent = 5, points = 201, onProgress } = options;
  checkShape("logEvidence: x", x, ["*", "*"]);
  const { dimension } = model;
  const batch = x.shape[0];
  if (batch === 0) throw new Error("logEvidence: the data are empty; give them at least one row.");
  checkFiniteRows("logEvidence: x", x);
  if (dimension !== 1 && dimension !== 2)
    throw new Error(`logEvidence: a grid serves one or two latent dimensions, not ${dimension}; use estimateBound.`);
  if (!(Number.isFinite(extent) && extent > 0)) throw new Error(`logEvidence: extent must be positive, not ${extent}.`);
  if (!Number.isInteger(points) || points < 3 || points % 2 === 0)
    throw new Error(
      `logEvidence: points must be an odd number of at least 3, so that it can be halved, not ${points}.`,
    );
  const step = (2 * extent) / (points - 1);
  const axis = Float64Array.from({ length: points }, (_, i) => -extent + i * step);
  const size = points ** dimension;
  const fine = new RunningLogSum(batch);
  const coarse = new RunningLogSum(batch);
  const chunk = Math.max(1, Math.floor(valuesAtOnce / batch));
  for (let start = 0; start < size; start += chunk) {
    const count = Math.min(chunk, size - start);
    const nodes = new Float32Array(count * dimension);
    const logPrior = new Float64Array(count);
    const onCoarse: boolean[] = [];
    for (let g = 0; g < count; g++) {
      const indices = dimension === 1 ? [start + g] : [Math.floor((start + g) / points), (start + g) % points];
      logPrior[g] = -(dimension / 2) * Math.log(2 * Math.PI) + dimension * Math.log(step);
      onCoarse.push(indices.every((i) => i % 2 === 0));
      indices.forEach((i, d) => {
        nodes[g * dimension + d] = axis[i];
        logPrior[g] -= axis[i] ** 2 / 2;
        if (i === 0 || i === points - 1) logPrior[g] -= Math.LN2; // half weight at the ends
      });
    }
    const values = valuesOf(() => model.logLikelihoodMatrix(theta, tf.tensor2d(nodes, [count, dimension]), x));
    for (let g = 0; g < count; g++) {
      for (let b = 0; b < batch; b++) {
        const value = logPrior[g] + values[g * batch + b];
        fine.add(b, value);
        if (onCoarse[g]) coarse.add(b, value + dimension * Math.LN2);
      }
    }
    onProgress?.({ done: start + count, of: size });
    await breathe();
  }
  const logEvidence = fine.values();
  const doublingError = coarse.values().map((value, b) => Math.abs(value - logEvidence[b]));
  return {
    logEvidence,
    doublingError,
    largestError: doublingError.reduce((most, value) => Math.max(most, value), 0),
    mean: estimateMean(logEvidence),
  };
}
