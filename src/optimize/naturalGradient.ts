import type { NaturalParameters } from "../models/conjugateModel.js";

/** `Σ_i a_i b_i` over all arrays of two records alike. */
export function innerProduct(a: NaturalParameters, b: NaturalParameters): number {
  let total = 0;
  for (const [name, values] of Object.entries(a)) {
    const other = b[name];
    for (let i = 0; i < values.length; i++) total += values[i] * other[i];
  }
  return total;
}

/** `α a + β b`, array by array. */
export function combined<G extends NaturalParameters>(alpha: number, a: G, beta: number, b: G): G {
  const out: Record<string, Float64Array> = {};
  for (const [name, values] of Object.entries(a)) {
    const other = b[name];
    const sum = new Float64Array(values.length);
    for (let i = 0; i < sum.length; i++) sum[i] = alpha * values[i] + beta * other[i];
    out[name] = sum;
  }
  return out as G;
}

/** The natural gradient of an ELBO in natural parameters, `prior + scale · statistics − global`. */
export function naturalGradient<G extends NaturalParameters>(inputs: {
  readonly global: G;
  readonly prior: G;
  readonly statistics: G;
  readonly scale: number;
}): G {
  const { global, prior, statistics, scale } = inputs;
  const out: Record<string, Float64Array> = {};
  for (const [name, now] of Object.entries(global)) {
    const [before, added] = [prior[name], statistics[name]];
    const gradient = new Float64Array(now.length);
    for (let i = 0; i < gradient.length; i++) gradient[i] = before[i] + scale * added[i] - now[i];
    out[name] = gradient;
  }
  return out as G;
}
