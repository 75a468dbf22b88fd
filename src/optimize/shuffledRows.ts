import { foldIn, type Key, permutation } from "../engine/random.js";

/**
 * The rows of a step's minibatch, from 0: pass e goes through N rows in the order of a permutation drawn from (key, e), S rows a step.
 *
 * The N mod S rows left over sit out that pass (others each pass), so N/S times a sum over a batch is an unbiased estimate of the sum over the data.
 *
 * @throws RangeError if S is not an integer from 1 to N.
 */
export function shuffledRows(key: Key, n: number, size: number): (step: number) => Int32Array {
  if (!Number.isInteger(size) || size < 1 || size > n)
    throw new RangeError(
      `The size of a minibatch must be an integer from 1 to the ${n} rows of the data, not ${size}.`,
    );
  const perPass = Math.floor(n / size);
  let shuffled: { readonly pass: number; readonly order: Int32Array } | undefined;
  return (step) => {
    const pass = Math.floor(step / perPass);
    if (shuffled?.pass !== pass) shuffled = { pass, order: permutation(foldIn(key, pass), n) };
    const start = (step % perPass) * size;
    // In ascending order: sums over the whole data then round as they do without minibatches.
    return shuffled.order.slice(start, start + size).sort();
  };
}
