import { normals } from "./uniforms.js";

/** One stationary AR(1) series with standard normal margins and correlation rho between neighbours. */
export function autoregression(n: number, seed: number, rho: number): Float64Array {
  let last = Number.NaN;
  return normals(n, seed).map((e, i) => {
    last = i === 0 ? e : rho * last + Math.sqrt(1 - rho ** 2) * e;
    return last;
  });
}

/** Several of them, chain k with the seed `seed + 1000 k`. */
export function autoregressions(chains: number, n: number, seed: number, rho: number): Float64Array[] {
  return Array.from({ length: chains }, (_, k) => autoregression(n, seed + 1000 * k, rho));
}
