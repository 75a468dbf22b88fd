import { foldIn, type Key, permutation } from "../engine/random.js";
import type { NaturalParameters } from "../models/conjugateModel.js";
import { cutRows } from "./minibatchParts.js";

/** The statistics of every batch as they were last computed, and their sum. */
export interface StatisticsTable<G extends NaturalParameters> {
  /** Of each batch; undefined where it had none yet. */
  readonly parts: readonly (G | undefined)[];
  /** Σ_b s_b over the batches that have some; to be read, not written to. */
  sum(): G;
  /** Puts `statistics` in the place of what batch b had, in the sum by a difference. */
  replace(b: number, statistics: G): void;
  /** Adds the sum up anew, in the order of the batches, so that rounding does not pile up in it. */
  renew(): void;
}

/** Numbers that the statistics of all batches may have: 1 GiB. */
const largestTable = 2 ** 27;

/**
 * @param table.copies - how many sets of them there are at once, at most.
 * @param table.remedy - what to do instead, as the end of a sentence.
 * @throws RangeError if the statistics of all batches, each with the shapes of `like`, would have more than 2²⁷ numbers.
 */
export function checkTableSize(
  where: string,
  table: {
    readonly batches: number;
    readonly like: NaturalParameters;
    readonly copies: number;
    readonly remedy: string;
  },
): void {
  const { batches, like, copies, remedy } = table;
  const numbers = copies * batches * Object.values(like).reduce((total, values) => total + values.length, 0);
  if (numbers > largestTable) {
    throw new RangeError(
      `${where}: ${copies === 1 ? "a table" : `${copies} tables`} of the statistics of ${batches} batches would have ${numbers} numbers, more than ${largestTable}; ${remedy}.`,
    );
  }
}

/** A table of `batches` entries, all empty; `like` has the shapes. */
export function statisticsTable<G extends NaturalParameters>(batches: number, like: G): StatisticsTable<G> {
  const parts: (G | undefined)[] = new Array<G | undefined>(batches).fill(undefined);
  const names = Object.keys(like);
  const sum: Record<string, Float64Array> = Object.fromEntries(
    names.map((name) => [name, new Float64Array(like[name].length)]),
  );
  return {
    parts,
    sum: () => sum as G,
    replace: (b, statistics) => {
      const before = parts[b];
      for (const name of names) {
        const [total, added] = [sum[name], statistics[name]];
        const taken = before?.[name];
        // The old part goes first: with one batch the sum is then the new part, to the bit.
        for (let i = 0; i < total.length; i++) total[i] = total[i] - (taken?.[i] ?? 0) + added[i];
      }
      parts[b] = statistics;
    },
    renew: () => {
      for (const name of names) {
        const total = sum[name].fill(0);
        for (const part of parts) {
          if (!part) continue;
          const values = part[name];
          for (let i = 0; i < total.length; i++) total[i] += values[i];
        }
      }
    },
  };
}

/**
 * N rows cut at random into ⌈N/S⌉ batches, whose sizes differ by at most one; each in ascending order.
 *
 * @throws RangeError if S is not an integer from 1 to N.
 */
export function fixedBatches(where: string, key: Key, n: number, size: number): Int32Array[] {
  if (!Number.isInteger(size) || size < 1 || size > n)
    throw new RangeError(`${where}: batchSize must be an integer from 1 to the ${n} data, not ${size}.`);
  return cutRows(permutation(foldIn(key, 2 ** 32 - 1), n), Math.ceil(n / size)).map((rows) => rows.sort());
}
