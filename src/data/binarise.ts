import { bernoulli, type Key } from "../engine/random.js";
import type { Rank, Tensor } from "../engine/tf.js";

/**
 * Dynamic binarisation: draw each pixel as black or white with its grey value as the probability.
 *
 * `x_p ~ Bernoulli(grey_p)`, independently. Use a new key at each visit of an image; with one fixed key this is a fixed binarisation,
 * though not the published one. Numbers from the two kinds do not compare.
 *
 * @param key - the draw.
 * @param grey - `[B, P]` (or any shape), probabilities in [0, 1].
 * @returns a new tensor of that shape, float32, of zeros and ones.
 * Source: Burda, Grosse & Salakhutdinov 2016, section 5; Salakhutdinov & Murray 2008.
 */
export function binarise<R extends Rank>(key: Key, grey: Tensor<R>): Tensor<R> {
  return bernoulli(key, grey) as Tensor<R>;
}
