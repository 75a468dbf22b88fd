import { logGamma } from "../../src/ops/gammaFunctions.js";

/**
 * The cdf of log G, G ~ Γ(α, 1), from the series P(α, x) = x^α e^(−x) / Γ(α + 1) · Σ_n x^n / ((α + 1) … (α + n)), all of whose terms are positive.
 */
export function logGammaCdf(alpha: number): (logX: number) => number {
  const logScale = logGamma(alpha + 1);
  return (logX) => {
    const x = Math.exp(logX);
    let term = 1;
    let sum = 1;
    for (let n = 1; term > 1e-15 * sum; n++) {
      term *= x / (alpha + n);
      sum += term;
    }
    return Math.min(1, Math.exp(alpha * logX - x - logScale + Math.log(sum)));
  };
}

/** Probabilities of 0, 1, …, `most` under the Poisson distribution, and of more than that. */
export function poissonMasses(rate: number, most: number): number[] {
  const masses = Array.from({ length: most + 1 }, (_, n) => Math.exp(n * Math.log(rate) - rate - logGamma(n + 1)));
  return [...masses, 1 - masses.reduce((sum, p) => sum + p, 0)];
}

/** Σ (observed − expected)² / expected, cells merged from the left until each expects five or more. */
export function chiSquare(
  observed: readonly number[],
  expected: readonly number[],
): { statistic: number; degrees: number } {
  const cells: { o: number; e: number }[] = [];
  let cell = { o: 0, e: 0 };
  observed.forEach((o, i) => {
    cell = { o: cell.o + o, e: cell.e + expected[i]! };
    if (cell.e < 5) return;
    cells.push(cell);
    cell = { o: 0, e: 0 };
  });
  const last = cells.at(-1)!;
  last.o += cell.o;
  last.e += cell.e;
  return { statistic: cells.reduce((sum, { o, e }) => sum + (o - e) ** 2 / e, 0), degrees: cells.length - 1 };
}

/** The value that χ² exceeds with probability .001, by Wilson and Hilferty's cube, right to a percent or so. */
export function chiSquareBound(degrees: number): number {
  const v = 2 / (9 * degrees);
  return degrees * (1 - v + 3.0902 * Math.sqrt(v)) ** 3;
}
