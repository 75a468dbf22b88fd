/** The generator that the frozen oracle used: a linear congruential sequence, exact in both languages. */
export function uniforms(n: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: n }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  });
}

/** Standard normals from it, by Box and Muller's cosine. */
export function normals(n: number, seed: number): Float64Array {
  const u = uniforms(2 * n, seed);
  return Float64Array.from(
    { length: n },
    (_, i) => Math.sqrt(-2 * Math.log(u[2 * i])) * Math.cos(2 * Math.PI * u[2 * i + 1]),
  );
}
