import seedrandom from "seedrandom";

/** Uniforms on (0, 1) of a generator whose neighbours and seeds are independent, for tests of calibration; `uniforms` is a linear congruence. */
export function draws(n: number, seed: string): Float64Array {
  const next = seedrandom(seed);
  return Float64Array.from({ length: n }, () => Math.max(next(), 2 ** -53));
}

/** Standard normals from them, by Box and Muller. */
export function normalDraws(n: number, seed: string): Float64Array {
  const u = draws(n + (n % 2), seed);
  return Float64Array.from({ length: n }, (_, i) => {
    const at = i - (i % 2);
    const angle = 2 * Math.PI * u[at + 1];
    return Math.sqrt(-2 * Math.log(u[at])) * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  });
}
