import { type Estimate, estimateMean } from "./moments.js";

/** What {@link symmetryTest} finds. */
export interface SymmetryTest {
  /** sup |F(x) + F(1 − x) − 1|, between 0 and 1. */
  readonly statistic: number;
  /** Probability of at least that under symmetry, exact. */
  readonly pValue: number;
  /** Mean minus ½: positive where the values lie high. */
  readonly bias: Estimate;
}

/**
 * Whether values in [0, 1] are spread symmetrically about ½, whatever else their distribution.
 *
 * Sorted by their distance from ½, farthest first, the signs of x − ½ are independent and fair under symmetry, so their running sum is a random walk; its largest excursion over n
 * is the statistic, and the p-value is counted exactly. Values of exactly ½ say nothing and are left out.
 *
 * @param values - `[n]`, n ≥ 1.
 * @throws RangeError if there are none, or a value is not in [0, 1].
 * Source: Butler 1969, "A test for symmetry using the sample distribution function"; Yao, Vehtari, Simpson & Gelman 2018, "Yes, but did it work? Evaluating variational inference", for why symmetry.
 */
export function symmetryTest(values: ArrayLike<number>): SymmetryTest {
  const all = Array.from(values);
  const bad = all.findIndex((value) => !(value >= 0 && value <= 1));
  if (bad !== -1) throw new RangeError(`symmetryTest: value ${bad} is ${all[bad]}, but must be in [0, 1].`);
  if (all.length === 0) throw new RangeError("symmetryTest needs at least one value.");
  const bias = estimateMean(all.map((value) => value - 0.5));
  const sorted = all.filter((value) => value !== 0.5).sort((a, b) => Math.abs(b - 0.5) - Math.abs(a - 0.5));
  let [walk, excursion] = [0, 0];
  sorted.forEach((value, i) => {
    walk += Math.sign(value - 0.5);
    // Equally distant values come together: only what all of them make counts.
    const last = i + 1 === sorted.length || Math.abs(sorted[i + 1] - 0.5) < Math.abs(value - 0.5) - 1e-12;
    if (last) excursion = Math.max(excursion, Math.abs(walk));
  });
  const n = sorted.length;
  return { statistic: n === 0 ? 0 : excursion / n, pValue: excursionProbability(n, excursion), bias };
}

/** P(max_k |S_k| ≥ m) of a fair walk of n steps. */
function excursionProbability(n: number, m: number): number {
  if (m === 0) return 1;
  // Where the walk stands while it has stayed within (−m, m).
  let inside = new Float64Array(2 * m + 1);
  inside[m] = 1;
  for (let step = 0; step < n; step++) {
    const next = new Float64Array(2 * m + 1);
    for (let i = 1; i < 2 * m; i++) {
      next[i - 1] += inside[i] / 2;
      next[i + 1] += inside[i] / 2;
    }
    [next[0], next[2 * m]] = [0, 0];
    inside = next;
  }
  return Math.max(0, 1 - inside.reduce((sum, p) => sum + p, 0));
}
