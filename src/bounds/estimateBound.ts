import { type Estimate, estimateMean, mean, standardError } from "../diagnostics/moments.js";
import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import { foldIn, type Key } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { checkFiniteRows, valuesOf } from "../engine/values.js";
import { checkSamples, drawLogWeights, type Point, type Problem } from "../models/problem.js";
import type { Bound } from "./bound.js";

/** How many latents (samples times data) one pass draws at most, unless told otherwise: 50 MB a tensor for 28×28 images. */
const latentsAtOnce = 1 << 14;

/** How many log-weights are held at once for several replicates. */
const weightsAtOnce = 1 << 20;

/** Options of {@link collectLogWeights}. */
export interface CollectOptions<Theta extends Parameters, Phi extends Parameters, Z> extends Point<Theta, Phi> {
  readonly problem: Problem<Theta, Phi, Z>;
  /** Samples drawn in one pass; the draws depend on it. Default: as many as make 16,384 latents. */
  readonly chunk?: number;
}

/**
 * The K log-weights of every datum, as numbers: what bounds, ESS and PSIS k̂ are computed from.
 *
 * Memory on the backend is that of one chunk, whatever K is; it can be interrupted between chunks.
 *
 * @returns B arrays of K log-weights.
 * @throws Error if K or the chunk is not a positive integer, or if a log-weight is NaN or +∞ (the error names the datum).
 */
export async function collectLogWeights<Theta extends Parameters, Phi extends Parameters, Z>(
  options: CollectOptions<Theta, Phi, Z>,
): Promise<Float64Array[]> {
  return collectFrom(options, 0);
}

/** {@link collectLogWeights} of a batch that begins at row `first` of the data, for the error. */
async function collectFrom<Theta extends Parameters, Phi extends Parameters, Z>(
  options: CollectOptions<Theta, Phi, Z>,
  first: number,
): Promise<Float64Array[]> {
  const { problem, theta, phi, samples, key } = options;
  const batch = problem.batchSize;
  const chunk = options.chunk ?? Math.max(1, Math.floor(latentsAtOnce / batch));
  checkSamples(samples);
  if (!Number.isInteger(chunk) || chunk < 1)
    throw new Error(`collectLogWeights: chunk must be a positive integer, not ${chunk}.`);
  const columns = Array.from({ length: batch }, () => new Float64Array(samples));
  for (let start = 0, i = 0; start < samples; start += chunk, i++) {
    const size = Math.min(chunk, samples - start);
    const values = valuesOf(() => drawLogWeights(problem, { theta, phi, samples: size, key: foldIn(key, i) }).logW);
    const bad = values.findIndex((value) => Number.isNaN(value) || value === Number.POSITIVE_INFINITY);
    if (bad !== -1) {
      throw new Error(
        `A log-weight of datum ${first + (bad % batch)} is ${values[bad]}; look at that row of the data, then at log p(x, z) and log q(z | x) of its draws.`,
      );
    }
    for (let k = 0; k < size; k++) for (let b = 0; b < batch; b++) columns[b][start + k] = values[k * batch + b];
    await breathe();
  }
  return columns;
}

/** A bound's value averaged over data (and replicates), with its standard error. */
export interface BoundEstimate extends Estimate {
  /** What the standard error is over: data, as draws from a population, or replicates, with the data fixed. */
  readonly across: "data" | "replicates";
  /** Each datum's bound, averaged over the replicates, `[B]`. */
  readonly perDatum: Float64Array;
}

/** Options of {@link estimateBound}. */
export interface EstimateBoundOptions<Theta extends Parameters, Phi extends Parameters, Z>
  extends CollectOptions<Theta, Phi, Z> {
  readonly bound: Bound;
  /** R, independent repetitions with K fresh samples each. Default 1. */
  readonly replicates?: number;
  /** What the standard error is over. Default: data where there are several, else replicates. */
  readonly across?: "data" | "replicates";
}

/**
 * Monte Carlo estimate of a bound in Float64, with its standard error: (1/BR) Σ_br L(w_1br … w_Kbr).
 *
 * The estimate is unbiased for the bound, not for log p(x). A standard error across data covers the choice of data and the draws; one across
 * replicates the draws alone.
 *
 * @throws Error if K, R or the chunk is not a positive integer, if the standard error would be over fewer than two values, or as
 *   {@link collectLogWeights}.
 */
export async function estimateBound<Theta extends Parameters, Phi extends Parameters, Z>(
  options: EstimateBoundOptions<Theta, Phi, Z>,
): Promise<BoundEstimate> {
  const { problem, bound, samples, key, replicates = 1 } = options;
  checkSamples(samples);
  const across = options.across ?? (problem.batchSize > 1 ? "data" : "replicates");
  if (!Number.isInteger(replicates) || replicates < 1)
    throw new Error(`estimateBound: replicates must be a positive integer, not ${replicates}.`);
  if ((across === "data" ? problem.batchSize : replicates) < 2) {
    throw new Error(
      `estimateBound: a standard error across ${across} needs at least two; ` +
        (across === "data"
          ? 'the problem has one datum, so use across: "replicates".'
          : "set replicates to 2 or more."),
    );
  }
  const values: Float64Array[] = []; // [R][B]
  const together = Math.max(1, Math.floor(weightsAtOnce / (samples * problem.batchSize)));
  for (let r = 0, i = 0; r < replicates; r += together, i++) {
    const count = Math.min(together, replicates - r);
    const columns = await collectLogWeights({ ...options, samples: samples * count, key: foldIn(key, i) });
    for (let j = 0; j < count; j++) {
      const mine = (logW: Float64Array) => logW.subarray(j * samples, (j + 1) * samples);
      values.push(Float64Array.from(columns, (logW) => bound.evaluate(mine(logW))));
    }
  }
  const perDatum = Float64Array.from({ length: problem.batchSize }, (_, b) => mean(values.map((row) => row[b])));
  const estimate = across === "data" ? estimateMean(perDatum) : estimateMean(values.map((row) => mean(row)));
  return { ...estimate, across, perDatum };
}

/** Options of {@link estimateBoundOverData}. */
export interface EstimateBoundOverDataOptions<Theta extends Parameters, Phi extends Parameters, Z> {
  /** The data, `[N, P]`, N ≥ 2, finite. */
  readonly data: Tensor2D;
  /** The problem of one batch of rows, for instance `(x) => latentVariableProblem({ model, family, x, scale: 1 })`. */
  readonly problem: (x: Tensor2D) => Problem<Theta, Phi, Z>;
  readonly theta: Theta;
  readonly phi: Phi;
  readonly bound: Bound;
  /** K; 5,000 is customary for the test log-likelihood. */
  readonly samples: number;
  readonly key: Key;
  /** Rows in one pass. Default 20. */
  readonly batchSize?: number;
  /** Samples in one pass, as {@link CollectOptions.chunk}. */
  readonly chunk?: number;
  /** Called after every batch, with what has been estimated so far. */
  readonly onProgress?: (progress: { readonly done: number; readonly of: number; readonly value: number }) => void;
}

/**
 * A bound over a whole data set, batch by batch: with {@link iwae} and K = 5,000 the usual "test log-likelihood".
 *
 * Each row counts once, the last batch may be smaller. The standard error is across data.
 *
 * @throws Error if the data are no matrix with two rows or more or hold a value that is not finite (the error names the first), if a size is
 *   not a positive integer, or as {@link collectLogWeights}.
 * Source: Burda, Grosse & Salakhutdinov 2016, section 5 (L_5000 as the log-likelihood's estimate).
 */
export async function estimateBoundOverData<Theta extends Parameters, Phi extends Parameters, Z>(
  options: EstimateBoundOverDataOptions<Theta, Phi, Z>,
): Promise<BoundEstimate> {
  const { data, bound, key, batchSize = 20, onProgress, ...rest } = options;
  checkShape("estimateBoundOverData: data", data, ["*", "*"]);
  const n = data.shape[0];
  if (n < 2) throw new Error(`estimateBoundOverData: a standard error across data needs two rows or more, not ${n}.`);
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new Error(`estimateBoundOverData: batchSize must be a positive integer, not ${batchSize}.`);
  checkFiniteRows("estimateBoundOverData: data", data);
  const perDatum = new Float64Array(n);
  for (let start = 0, i = 0; start < n; start += batchSize, i++) {
    const size = Math.min(batchSize, n - start);
    const x = tf.slice(data, [start, 0], [size, -1]);
    try {
      const columns = await collectFrom({ ...rest, problem: options.problem(x), key: foldIn(key, i) }, start);
      columns.forEach((logW, b) => {
        perDatum[start + b] = bound.evaluate(logW);
      });
    } finally {
      x.dispose();
    }
    onProgress?.({ done: start + size, of: n, value: mean(perDatum.subarray(0, start + size)) });
  }
  return { value: mean(perDatum), standardError: standardError(perDatum), n, across: "data", perDatum };
}
