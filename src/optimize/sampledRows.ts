import { foldIn, type Key } from "../engine/random.js";
import { threefry2x32 } from "../engine/threefry.js";

/**
 * The rows of a step's minibatch, drawn anew at every step: S distinct rows of N, every subset equally likely, in ascending order.
 *
 * Steps are independent, as the theory of SVRG and SAGA asks; `shuffledRows` goes through all rows before one comes again.
 *
 * @throws RangeError if S is not an integer from 1 to N.
 * Source: Floyd's algorithm, in Bentley & Floyd 1987, "Programming pearls: a sample of brilliance".
 */
export function sampledRows(key: Key, n: number, size: number): (step: number) => Int32Array {
  if (!Number.isInteger(size) || size < 1 || size > n)
    throw new RangeError(
      `The size of a minibatch must be an integer from 1 to the ${n} rows of the data, not ${size}.`,
    );
  if (size === n) return () => Int32Array.from({ length: n }, (_, i) => i);
  return (step) => {
    const { words } = foldIn(key, step);
    if (size === 1) return Int32Array.of(below(n, words, 0));
    const chosen = new Set<number>();
    for (let last = n - size; last < n; last++) {
      const row = below(last + 1, words, last);
      chosen.add(chosen.has(row) ? last : row);
    }
    return Int32Array.from(chosen).sort();
  };
}

/** An integer from 0 to n − 1. */
function below(n: number, key: readonly [number, number], draw: number): number {
  const words = threefry2x32(key, [draw, 0]);
  return Math.min(n - 1, Math.floor(((words[0] + words[1] / 2 ** 32) / 2 ** 32) * n));
}
