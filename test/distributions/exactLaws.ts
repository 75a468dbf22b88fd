import { gaussLegendre } from "../../src/diagnostics/quadrature.js";
import { logGamma } from "../../src/ops/gammaFunctions.js";

/** log B(a, b). */
export function logBetaFunction(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Φ(−b)/φ(b) for b ≥ 0: by Φ's series up to 3, and by Laplace's continued fraction beyond. */
export function upperTailRatio(b: number): number {
  if (b > 3) {
    let fraction = b;
    for (let k = 300; k >= 1; k--) fraction = b + k / fraction;
    return 1 / fraction;
  }
  let [term, sum] = [b, b];
  for (let k = 1; term > 1e-18; k++) {
    term *= (b * b) / (2 * k + 1);
    sum += term;
  }
  return Math.sqrt(Math.PI / 2) * Math.exp((b * b) / 2) - sum;
}

/** The inverse Gaussian's cdf, Φ(a) + e^(2λ/μ) Φ(−b) with a, b = √(λ/x)(x/μ ∓ 1), in Float64. */
export function inverseGaussianCdf(x: number, mean: number, shape: number): number {
  if (x <= 0) return 0;
  const root = Math.sqrt(shape / x);
  const [a, b] = [root * (x / mean - 1), root * (x / mean + 1)];
  const density = Math.exp((-a * a) / 2) / Math.sqrt(2 * Math.PI); // φ(a) = e^(2λ/μ) φ(b)
  const lower = a < 0 ? density * upperTailRatio(-a) : 1 - density * upperTailRatio(a);
  return lower + density * upperTailRatio(b);
}

const unitRule = gaussLegendre(0, 1, 80);
const unitWeights = unitRule.logWeights.map(Math.exp);

/** ∫_0^y f(t) e^(κ (cos t − 1)) dt in Float64, for |y| ≤ π. */
export function vonMisesIntegral(f: (t: number) => number, kappa: number, y = Math.PI): number {
  const end = Math.min(Math.abs(y), 11 / Math.sqrt(kappa)); // e^(−60) of the peak
  if (end === 0) return 0;
  const total = unitRule.points.reduce((sum, u, i) => {
    const t = u * end;
    return sum + f(t) * unitWeights[i]! * Math.exp(-2 * kappa * Math.sin(t / 2) ** 2);
  }, 0);
  return Math.sign(y) * end * total;
}

/** The cdf of the von Mises law on [μ − π, μ + π]. */
export function vonMisesCdf(x: number, location: number, kappa: number): number {
  const y = Math.max(-Math.PI, Math.min(Math.PI, x - location));
  return 0.5 + vonMisesIntegral(() => 1, kappa, y) / (2 * vonMisesIntegral(() => 1, kappa));
}

/** E f(x − μ) for even f. */
export function vonMisesMean(f: (t: number) => number, kappa: number): number {
  return vonMisesIntegral(f, kappa) / vonMisesIntegral(() => 1, kappa);
}
