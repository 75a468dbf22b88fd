import { normalQuantile } from "./normalQuantile.js";

/**
 * The first and the second half of every chain as chains of their own, so that a drift within a chain shows as a difference between two.
 *
 * Of an odd number of draws the middle one is left out.
 *
 * @param chains - `[C][N]`, C ≥ 1, all of one length N ≥ 4, finite.
 * @param what - what needs them; it opens the error's sentence.
 * @throws RangeError if there is no chain, if a chain has fewer than four draws, if lengths differ or if a draw is not finite.
 */
export function splitChains(chains: readonly ArrayLike<number>[], what: string): Float64Array[] {
  if (chains.length === 0) throw new RangeError(`${what} needs at least one chain, but the list is empty.`);
  const { length } = chains[0];
  if (length < 4) throw new RangeError(`${what} needs at least four draws a chain, but got ${length}.`);
  chains.forEach((chain, c) => {
    if (chain.length !== length)
      throw new RangeError(
        `${what}: chain ${c} has ${chain.length} draws, but chain 0 has ${length}; cut them to one length.`,
      );
    for (let i = 0; i < length; i++)
      if (!Number.isFinite(chain[i])) throw new RangeError(`${what}: draw ${i} of chain ${c} is ${chain[i]}.`);
  });
  const half = length >> 1;
  return chains.flatMap((chain) => {
    const values = Float64Array.from(chain);
    return [values.subarray(0, half), values.subarray(length - half)];
  });
}

/**
 * Every draw replaced by the normal score of its rank r among all S draws of all chains, `Φ⁻¹((r − 3/8) / (S + 1/4))`; ties share their mean
 * rank.
 *
 * What is computed from the scores exists however heavy the draws' tails are, and does not change when the draws are transformed monotonically.
 *
 * Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, "Rank-normalization, folding, and localization: an improved R̂", Bayesian
 * Analysis 16, equation 14 (Blom's offset).
 */
export function rankNormalised(chains: readonly Float64Array[]): Float64Array[] {
  const ordered = pooled(chains).sort();
  return chains.map((chain) =>
    chain.map((value) => {
      const rank = (countBelow(ordered, value, false) + 1 + countBelow(ordered, value, true)) / 2;
      return normalQuantile((rank - 3 / 8) / (ordered.length + 1 / 4));
    }),
  );
}

/** How many of the ordered values are less than `value`, or at most `value`. */
function countBelow(ordered: Float64Array, value: number, orEqual: boolean): number {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ordered[middle] < value || (orEqual && ordered[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** All draws of all chains, one chain after the other. */
export function pooled(chains: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(chains.reduce((total, { length }) => total + length, 0));
  let next = 0;
  for (const chain of chains) {
    all.set(chain, next);
    next += chain.length;
  }
  return all;
}
