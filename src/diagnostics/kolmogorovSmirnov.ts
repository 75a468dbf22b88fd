/** What {@link kolmogorovSmirnov} finds. */
export interface KolmogorovSmirnov {
  /** D_n = sup_x |F_n(x) − F(x)|. */
  readonly statistic: number;
  /** Probability of a D_n at least this large if the draws follow F. */
  readonly pValue: number;
  readonly n: number;
}

/**
 * The Kolmogorov–Smirnov test that independent draws follow a continuous distribution.
 *
 * D_n = max_i max(i/n − F(x_(i)), F(x_(i)) − (i − 1)/n); its p-value is that of Kolmogorov's limit at (√n + 0.12 + 0.11/√n) D_n, right to about
 * .01 for n ≥ 5. Testing m samples at once, compare the smallest p-value with the level divided by m.
 *
 * @param draws `[n]`, n ≥ 5, in any order.
 * @param cdf F.
 * @throws RangeError if there are fewer than five draws, or if F is not between 0 and 1, not monotone or not a number at one.
 * Source: Stephens 1970, "Use of the Kolmogorov–Smirnov, Cramér–von Mises and related statistics without extensive tables", JRSS B 32.
 */
export function kolmogorovSmirnov(draws: ArrayLike<number>, cdf: (x: number) => number): KolmogorovSmirnov {
  const n = draws.length;
  if (n < 5) throw new RangeError(`kolmogorovSmirnov needs at least five draws, but got ${n}.`);
  const ordered = Float64Array.from(draws).sort();
  let statistic = 0;
  let last = 0;
  for (let i = 0; i < n; i++) {
    const value = cdf(ordered[i]);
    if (!(value >= last && value <= 1)) {
      throw new RangeError(
        `kolmogorovSmirnov: the cdf is ${value} at ${ordered[i]} after ${last}; it must rise from 0 to 1.`,
      );
    }
    statistic = Math.max(statistic, (i + 1) / n - value, value - i / n);
    last = value;
  }
  return { statistic, pValue: kolmogorovSurvival((Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * statistic), n };
}

/** P(sup |B| > λ) of the Brownian bridge B. */
function kolmogorovSurvival(lambda: number): number {
  if (lambda <= 0) return 1;
  let sum = 0;
  // Two forms of one theta function: each converges in a few terms on its side of λ = 1.
  if (lambda < 1) {
    for (let j = 1; j <= 5; j++) sum += Math.exp((-((2 * j - 1) ** 2) * Math.PI ** 2) / (8 * lambda ** 2));
    return 1 - (Math.sqrt(2 * Math.PI) / lambda) * sum;
  }
  for (let j = 1; j <= 5; j++) sum += (j % 2 === 1 ? 1 : -1) * Math.exp(-2 * j ** 2 * lambda ** 2);
  return 2 * sum;
}
