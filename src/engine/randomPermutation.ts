import { isNative } from "./native.js";
import { offTape } from "./offTape.js";
import { inJavaScript, type Key, nativeBits, shuffled, split } from "./random.js";
import { type Tensor1D, tf } from "./tf.js";

/**
 * A uniformly random order of 0, …, n − 1 as a tensor, so that a compiled step draws a new one each time it runs.
 *
 * Natively n random words are ranked, and so are n more among the first ranks, which settles ties: in effect elements are sorted by 64 random bits.
 * Only where two agree in all of them is their order not random, so the distribution is within n² 2⁻⁶⁵ of uniform (1e-10 for
 * n = 60 000). Elsewhere it is the order of `permutation`.
 *
 * @returns int32 `[n]`.
 * @throws Error if n is not a positive integer.
 */
export function randomPermutation(key: Key, n: number): Tensor1D {
  if (!Number.isInteger(n) || n < 1) {
    throw new Error(`randomPermutation(key, n): n must be a positive integer, not ${n}.`);
  }
  return offTape(() => {
    if (!isNative()) return inJavaScript(key, [], (key) => tf.tensor1d(shuffled(key, n), "int32")) as Tensor1D;
    const [first, second] = split(key);
    return tf.gather(ranks(first, n), ranks(second, n)) as Tensor1D;
  });
}

/** The places of n random words, largest first; equal words in the order of their places. */
function ranks(key: Key, n: number): Tensor1D {
  return tf.topk(nativeBits(key, [n]), n).indices as Tensor1D;
}
