import { logSumExp } from "../diagnostics/logSumExp.js";
import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import { foldIn, type Key } from "../engine/random.js";
import { type Tensor, type Tensor3D, tf } from "../engine/tf.js";
import { valuesOf } from "../engine/values.js";
import { refuseKlWeight } from "../models/klWeight.js";
import { drawLogWeights, type Problem } from "../models/problem.js";

/** How many latents (proposals times data) one pass draws at most: 50 MB a tensor for 28×28 images. */
const latentsAtOnce = 1 << 14;

/** A problem at fixed parameters, from whose q proposals come. */
export interface ProposalSource<Theta extends Parameters, Phi extends Parameters> {
  readonly problem: Problem<Theta, Phi, Tensor3D>;
  readonly theta: Theta;
  readonly phi: Phi;
}

/** Some of the batches asked for, drawn in one go. */
export interface Pass {
  readonly key: Key;
  /** The first batch of this pass. */
  readonly start: number;
  readonly count: number;
}

/** Cuts `batches` batches of `size` proposals for B data into passes that fit in memory, each with its own key. */
export function passes(
  key: Key,
  options: { readonly size: number; readonly batches: number; readonly data: number },
): Pass[] {
  const { size, batches, data } = options;
  const most = Math.max(1, Math.floor(latentsAtOnce / (size * data)));
  const result: Pass[] = [];
  for (let start = 0; start < batches; start += most) {
    result.push({ key: foldIn(key, result.length), start, count: Math.min(most, batches - start) });
  }
  return result;
}

/** `count` independent batches of `size` proposals: z `[size, count, B, D]` and log-weights `[size, count, B]`. */
export function proposeBatches<Theta extends Parameters, Phi extends Parameters>(
  source: ProposalSource<Theta, Phi>,
  options: { readonly key: Key; readonly size: number; readonly count: number },
): { readonly z: Tensor; readonly logW: Tensor } {
  const { problem, theta, phi } = source;
  refuseKlWeight("Resampling", problem);
  const { key, size, count } = options;
  const { z, logW } = drawLogWeights(problem, { theta, phi, samples: size * count, key });
  const data = problem.batchSize;
  return { z: tf.reshape(z, [size, count, data, z.shape[2]]), logW: tf.reshape(logW, [size, count, data]) };
}

/** log Σ of `size` fresh weights, for `batches` batches and every datum: `[batches · B]`; −∞ for the empty sum. */
export async function freshLogSums<Theta extends Parameters, Phi extends Parameters>(
  source: ProposalSource<Theta, Phi>,
  options: { readonly key: Key; readonly size: number; readonly batches: number },
): Promise<Float64Array> {
  const { key, size, batches } = options;
  const data = source.problem.batchSize;
  const sums = new Float64Array(batches * data).fill(Number.NEGATIVE_INFINITY);
  if (size === 0) return sums;
  for (const { start, count, ...pass } of passes(key, { size, batches, data })) {
    const values = valuesOf(() => proposeBatches(source, { ...pass, size, count }).logW);
    sums.set(columnLogSums(values, size, count * data), start * data);
    await breathe();
  }
  return sums;
}

/** log Σ_rows exp of a matrix `[rows, width]`, column by column. */
export function columnLogSums(values: ArrayLike<number>, rows: number, width: number): Float64Array {
  const column = new Float64Array(rows);
  return Float64Array.from({ length: width }, (_, j) => {
    for (let i = 0; i < rows; i++) column[i] = values[i * width + j];
    return logSumExp(column);
  });
}

/** log(eᵃ + eᵇ). */
export function logAddExp(a: number, b: number): number {
  const largest = Math.max(a, b);
  return largest === Number.NEGATIVE_INFINITY ? largest : largest + Math.log1p(Math.exp(Math.min(a, b) - largest));
}

/** @throws Error unless the named count is an integer of at least `least`. */
export function checkCount(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new Error(`${name} must be an integer of at least ${least}, not ${value}.`);
}
