const parity = 0x1bd11bda;
const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** Two unsigned 32-bit words. */
export type Words = readonly [number, number];

/**
 * The Threefry-2x32 block function with 20 rounds: a bijection of the counter for every key, whose outputs are random to every known
 * statistical test.
 *
 * @param key the two key words.
 * @param counter the two counter words.
 * @returns two unsigned 32-bit words.
 *
 * Source: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 3.3.
 */
export function threefry2x32(key: Words, counter: Words): [number, number] {
  const schedule = [key[0] | 0, key[1] | 0, key[0] ^ key[1] ^ parity];
  let x = (counter[0] + schedule[0]!) | 0;
  let y = (counter[1] + schedule[1]!) | 0;
  for (let group = 1; group <= 5; group++) {
    for (const r of rotations[(group - 1) % 2]!) {
      x = (x + y) | 0;
      y = ((y << r) | (y >>> (32 - r))) ^ x;
    }
    x = (x + schedule[group % 3]!) | 0;
    y = (y + schedule[(group + 1) % 3]! + group) | 0;
  }
  return [x >>> 0, y >>> 0];
}
