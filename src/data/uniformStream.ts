import type { Key } from "../engine/random.js";
import { threefry2x32 } from "../engine/threefry.js";

/**
 * Uniform on (0, 1), to 53 bits, one after another: what simulated data are drawn from, in JavaScript, the same on every backend.
 *
 * @internal
 */
export function uniformStream(key: Key): () => number {
  let i = 0;
  return () => {
    const [high, low] = threefry2x32(key.words, [i++, 0]);
    return ((high >>> 5) * 2 ** 26 + (low >>> 6) + 0.5) / 2 ** 53;
  };
}
