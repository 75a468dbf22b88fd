import type { NaturalParameters } from "../models/conjugateModel.js";

/** The entries of an array that are not 0. */
interface Sparse {
  readonly at: Int32Array;
  readonly values: Float64Array;
}

/**
 * The mean of the last L records it was given, or of as many as there were: what it returns is told a record with its scale, and says the mean.
 *
 * Only entries that are not 0 are kept, so that the statistics of a minibatch of documents take the room of its words. The sum is added anew every L records,
 * which keeps its rounding at that of 2L additions.
 *
 * @internal
 */
export function slidingWindow<G extends NaturalParameters>(length: number): (statistics: G, scale: number) => G {
  const kept: Record<string, Sparse>[] = [];
  let sum: Record<string, Float64Array> = {};
  let given = 0;
  return (statistics, scale) => {
    const entry: Record<string, Sparse> = {};
    for (const [name, values] of Object.entries(statistics)) {
      sum[name] ??= new Float64Array(values.length);
      entry[name] = sparse(values, scale);
    }
    if (kept.length === length) add(sum, kept.shift()!, -1);
    kept.push(entry);
    add(sum, entry, 1);
    if (++given % length === 0) {
      sum = Object.fromEntries(Object.entries(sum).map(([name, { length: size }]) => [name, new Float64Array(size)]));
      for (const one of kept) add(sum, one, 1);
    }
    return Object.fromEntries(
      Object.entries(sum).map(([name, values]) => [name, values.map((value) => value / kept.length)]),
    ) as G;
  };
}

function sparse(values: Float64Array, scale: number): Sparse {
  let used = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) used++;
  const [at, kept] = [new Int32Array(used), new Float64Array(used)];
  for (let i = 0, j = 0; i < values.length; i++) {
    if (values[i] === 0) continue;
    at[j] = i;
    kept[j++] = scale * values[i];
  }
  return { at, values: kept };
}

function add(sum: Record<string, Float64Array>, entry: Record<string, Sparse>, sign: 1 | -1): void {
  for (const [name, { at, values }] of Object.entries(entry)) {
    const to = sum[name];
    for (let j = 0; j < at.length; j++) to[at[j]] += sign * values[j];
  }
}
