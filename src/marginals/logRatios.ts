import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import { foldIn, type Key, split } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor3D, tf } from "../engine/tf.js";
import { tidied, valuesOf } from "../engine/values.js";
import type { Hierarchy } from "../families/hierarchicalFamily.js";
import { logMeanExp } from "../ops/logMeanExp.js";
import type { HierarchyWithTau } from "./hierarchyWithTau.js";
import { iwhvi, sampleHierarchy } from "./marginal.js";

/** How many numbers the largest tensor of a pass holds, about: 16 MB. */
const numbersAtOnce = 1 << 22;

/** How far an estimate over many draws is: `done` of `of` draws at K = `samples`. */
export interface DrawsProgress {
  /** K. */
  readonly samples: number;
  readonly done: number;
  readonly of: number;
}

/** How an estimate over draws from a hierarchy is made. */
export interface DrawsOptions {
  readonly key: Key;
  /** S ≥ 2, draws of z for each datum, which the standard errors are over. Default 1000. */
  readonly draws?: number;
  /** Called after every pass. */
  readonly onProgress?: (progress: DrawsProgress) => void;
}

/** log q̂(z) − target(z) of S draws of z, averaged over the batch. */
export interface LogRatios {
  /** With ψ_0. */
  readonly withOwn: Float64Array;
  /** Without, from the same z and the same draws of τ; for K ≥ 1 only. */
  readonly fresh?: Float64Array;
}

/** Both estimates of log q less a target, for S draws z ~ q, pass by pass so that memory does not grow with S. */
export async function logRatios<Eta extends Parameters>(
  name: string,
  q: HierarchyWithTau<Eta>,
  target: (z: Tensor3D, hierarchy: Hierarchy) => Tensor,
  options: DrawsOptions & { readonly samples: number },
): Promise<LogRatios> {
  const { key, samples, draws = 1000, onProgress } = options;
  checkInteger(`${name}: draws S`, draws, 2);
  const marginal = iwhvi({ reverse: q.reverse, samples });
  const columns = Array.from({ length: samples > 0 ? 2 : 1 }, () => new Float64Array(draws));
  const together = Math.max(1, Math.floor(numbersAtOnce / ((samples + 1) * numbersOf(name, q, key))));
  for (let start = 0, pass = 0; start < draws; start += together, pass++) {
    const count = Math.min(together, draws - start);
    const [draw, estimate] = split(foldIn(key, pass));
    const values = valuesOf(() => {
      const hierarchy = q.hierarchy();
      const { z, psi: psi0, conditional } = sampleHierarchy(hierarchy, draw, count);
      const logW = marginal.logWeights({ hierarchy, eta: q.eta, z, psi0, conditional, x: q.x, key: estimate });
      const own = logMeanExp(logW, 0);
      const logQ = samples > 0 ? [own, logMeanExp(tf.slice(logW, [1, 0, 0], [samples, -1, -1]), 0)] : [own];
      const aim = target(z, hierarchy);
      checkShape(`${name}: what the target log-density returns`, aim, z.shape.slice(0, 2));
      return tf.stack(logQ.map((each) => tf.mean(tf.sub(each, aim), 1)));
    });
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) throw new Error(`${name}: log p − log q of draw ${start + (bad % count)} is ${-values[bad]}.`);
    columns.forEach((column, i) => {
      column.set(values.subarray(i * count, (i + 1) * count), start);
    });
    onProgress?.({ samples, done: start + count, of: draws });
    await breathe();
  }
  return { withOwn: columns[0], fresh: columns[1] };
}

/** How many numbers one z is; only shapes are looked at. */
function numbersOf<Eta extends Parameters>(name: string, q: HierarchyWithTau<Eta>, key: Key): number {
  const { z, psi } = tidied(() => {
    const hierarchy = q.hierarchy();
    const { z } = sampleHierarchy(hierarchy, key, 2);
    return { z, psi: q.reverse.given(q.eta, { hierarchy, z, x: q.x }).sample(key, 1) };
  });
  tf.dispose([z, psi]);
  if (psi.shape[1] === 2) return z.size / 2;
  throw new Error(
    `${name}: τ's draws serve all z, so that these are not independent and standard errors would be wrong; use mixingReverse() as it is.`,
  );
}

/** @throws Error unless the value is an integer of at least `least`. */
export function checkInteger(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new Error(`${name} must be an integer of at least ${least}, not ${value}.`);
}
