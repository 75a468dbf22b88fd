import type { Quadrature } from "./quadrature.js";

/** A law in one dimension on the points of a rule, with the gradient that is to be estimated. */
export interface OverdispersedMomentOptions {
  /** Points with log-weights: a quadrature, or counts with log-weights 0. */
  readonly rule: Pick<Quadrature, "points" | "logWeights">;
  /** log q at a point, normalised or not. */
  readonly logQ: (z: number) => number;
  /** log g, the base measure of q's exponential family. Default 0. */
  readonly logBase?: (z: number) => number;
  /** h, the score. */
  readonly score: (z: number) => number;
  /** A, what the score is multiplied by: log p − log q. */
  readonly signal: (z: number) => number;
  /** τ_1, …, τ_J ≥ 1. */
  readonly dispersions: readonly number[];
}

/**
 * The second moment E_r[(w h (A − a))²] of one importance-weighted draw of a score-function gradient, with the best control variate:
 *
 * min_a Σ_z q²(z) h²(z) (A(z) − a)² / r(z),  r = (1/J) Σ_j r_j,  r_j ∝ g (q/g)^{1/τ_j}.
 *
 * Its variance is this less the squared gradient, for a draw from the mixture. All is normalised on the rule, so that it need only cover the laws.
 *
 * @throws RangeError if there are no dispersions, or one is below 1.
 * Source: Ruiz, Titsias & Blei 2016, "Overdispersed black-box variational inference", equation 18.
 */
export function overdispersedMoment(options: OverdispersedMomentOptions): number {
  const { rule, logQ, logBase = () => 0, score, signal, dispersions } = options;
  if (dispersions.length === 0 || dispersions.some((tau) => !(tau >= 1)))
    throw new RangeError(
      `overdispersedMoment: dispersions must be one or more numbers ≥ 1, not [${dispersions.join(", ")}].`,
    );
  const masses = (tau: number): Float64Array => {
    const logs = Float64Array.from(
      rule.points,
      (z, i) => rule.logWeights[i] + logBase(z) + (logQ(z) - logBase(z)) / tau,
    );
    const top = logs.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const raw = logs.map((value) => Math.exp(value - top));
    const total = raw.reduce((sum, value) => sum + value, 0);
    return raw.map((value) => value / total);
  };
  const q = masses(1);
  const wider = dispersions.map(masses);
  let [squares, crossed, scores] = [0, 0, 0]; // Σ (q²/r) h² A², h² A and h²
  for (const [i, z] of rule.points.entries()) {
    const r = wider.reduce((sum, law) => sum + law[i], 0) / wider.length;
    if (q[i] === 0 || r === 0) continue;
    const [share, a] = [(q[i] * q[i] * score(z) ** 2) / r, signal(z)];
    squares += share * a * a;
    crossed += share * a;
    scores += share;
  }
  return squares - (crossed * crossed) / scores;
}
