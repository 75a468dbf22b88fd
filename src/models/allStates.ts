import { type Tensor2D, tf } from "../engine/tf.js";

const most = 2 ** 16;

/**
 * Every state of N discrete variables as a row of numbers: of bits `[2^N, N]`, or of C states each, one-hot, `[C^N, N·C]`.
 *
 * Variable n of row s is digit n of s, the lowest first.
 *
 * @param states C; left out for bits.
 * @throws Error if there are more than 2¹⁶ states.
 * @internal
 */
export function allStates(name: string, variables: number, states?: number): Tensor2D {
  const base = states ?? 2;
  const count = base ** variables;
  if (count > most) {
    throw new Error(
      `${name}: ${variables} variables of ${base} states have ${count} states together, too many to go through (at most ${most}); estimate instead.`,
    );
  }
  const width = states ?? 1;
  const values = new Float32Array(count * variables * width);
  for (let row = 0; row < count; row++) {
    for (let n = 0, rest = row; n < variables; n++, rest = Math.floor(rest / base)) {
      const at = (row * variables + n) * width;
      if (states === undefined) values[at] = rest % base;
      else values[at + (rest % base)] = 1;
    }
  }
  return tf.tensor2d(values, [count, variables * width]);
}

/**
 * Every state of N bits, `[2^N, N]`: bit n of row s is digit n of s in base 2, the lowest first, which is the order that `bitWeights` takes.
 *
 * @throws Error if N is not a positive integer, or there are more than 2¹⁶ states.
 */
export function allBits(dimension: number): Tensor2D {
  if (!Number.isInteger(dimension) || dimension < 1)
    throw new Error(`allBits: the number of bits must be a positive integer, not ${dimension}.`);
  return allStates("allBits", dimension);
}
