import { logSumExp } from "../../src/diagnostics/logSumExp.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";

/** ψ ~ N(0, 1), z | ψ ~ N(aψ + b, σ²), in one dimension. */
export interface LinearGaussian {
  readonly slope: number;
  readonly shift: number;
  readonly scale: number;
}

/** τ(ψ | z) = N(m(z), s(z)²). */
export type Auxiliary = (z: number) => { readonly mean: number; readonly scale: number };

export function logNormal(x: number, mean: number, scale: number): number {
  return -(((x - mean) / scale) ** 2) / 2 - Math.log(scale) - Math.log(2 * Math.PI) / 2;
}

/** q(z) = N(b, a² + σ²). */
export function marginalOf({ slope, shift, scale }: LinearGaussian): { mean: number; scale: number } {
  return { mean: shift, scale: Math.hypot(slope, scale) };
}

/** q(ψ | z). */
export function reverseOf({ slope, shift, scale }: LinearGaussian): Auxiliary {
  const total = Math.hypot(slope, scale);
  return (z) => ({ mean: (slope * (z - shift)) / total ** 2, scale: scale / total });
}

/** E_z E log q̂(z), z ~ q, of the estimate with K draws of τ, with or without ψ_0: by quadrature over z. */
export function expectedEstimate(q: LinearGaussian, tau: Auxiliary, samples: number, withOwn: boolean): number {
  const { mean, scale } = marginalOf(q);
  const rule = trapezoid(mean - 7 * scale, mean + 7 * scale, 57);
  return rule.points.reduce((sum, z, i) => {
    const logQ = logNormal(z, mean, scale);
    return (
      sum + Math.exp(rule.logWeights[i] + logQ) * (logQ + expectedLogRatio(reverseOf(q)(z), tau(z), samples, withOwn))
    );
  }, 0);
}

/**
 * E log of the average of the ratios r_k = q(ψ_k | z)/τ(ψ_k | z), by E log S = ∫ (exp(−eᵘ) − E exp(−eᵘ S)) du: independent terms make the Laplace
 * transform of their sum a product, so K costs nothing.
 */
function expectedLogRatio(
  exact: ReturnType<Auxiliary>,
  tau: ReturnType<Auxiliary>,
  samples: number,
  withOwn: boolean,
): number {
  const terms = samples + (withOwn ? 1 : 0);
  const transform = (law: ReturnType<Auxiliary>): ((t: number) => number) => {
    const rule = trapezoid(law.mean - 8 * law.scale, law.mean + 8 * law.scale, 91);
    const logP = rule.logWeights.map((weight, i) => weight + logNormal(rule.points[i], law.mean, law.scale));
    const ratios = rule.points.map((psi) =>
      Math.exp(logNormal(psi, exact.mean, exact.scale) - logNormal(psi, tau.mean, tau.scale)),
    );
    const p = logP.map((value) => Math.exp(value - logSumExp(logP)));
    return (t) => p.reduce((sum, weight, i) => sum + weight * Math.exp(-t * ratios[i]), 0);
  };
  const [own, fresh] = [transform(exact), transform(tau)];
  const step = 0.2;
  let total = 0;
  for (let u = -20; u < 110; u += step) {
    const t = Math.exp(u);
    const difference = Math.exp(-t) - (withOwn ? own(t) : 1) * (samples > 0 ? fresh(t) ** samples : 1);
    total += step * difference;
    if (u > 5 && Math.abs(difference) < 1e-12) break; // the tail only falls
  }
  return total - Math.log(terms);
}
