import { keyTrace } from "../engine/keyTrace.js";
import type { Key } from "../engine/random.js";
import { threefry2x32 } from "../engine/threefry.js";

/**
 * Independent draws uniform on (0, 1), to 53 bits, as numbers of JavaScript: the starts of Float64 models, the same on every backend.
 *
 * @returns `[n]`.
 */
export function uniforms(key: Key, n: number): Float64Array {
  keyTrace()?.opened?.(key, "uniforms");
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const [high, low] = threefry2x32(key.words, [i, 0]);
    out[i] = ((high >>> 5) * 2 ** 26 + (low >>> 6) + 0.5) / 2 ** 53;
  }
  return out;
}
