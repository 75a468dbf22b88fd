import { describe, expect, it } from "vitest";
import { chainCorrelation, chainMean, chainStandardDeviation } from "../../src/diagnostics/chainMoments.js";
import { type Estimate, mean, variance } from "../../src/diagnostics/moments.js";
import { autoregressions } from "./markovChains.js";

/** Two series of standard normals with autocorrelation and a correlation of .6 between them. */
function pair(seed: number): [Float64Array[], Float64Array[]] {
  const a = autoregressions(4, 500, seed, 0.8);
  const b = autoregressions(4, 500, seed + 500_009, 0.5);
  return [a, b.map((chain, c) => chain.map((x, i) => 0.8 * x + 0.6 * a[c][i]))];
}

describe("moments of chains", () => {
  it("are the moments of all draws", () => {
    const [a, b] = pair(1);
    const [x, y] = [a, b].map((chains) => chains.flatMap((chain) => Array.from(chain)));
    expect(chainMean(a).value).toBeCloseTo(mean(x), 13);
    expect(chainStandardDeviation(a).value).toBeCloseTo(Math.sqrt(variance(x)), 13);
    const covariance = (variance(x.map((value, i) => value + y[i])) - variance(x) - variance(y)) / 2;
    expect(chainCorrelation(a, b).value).toBeCloseTo(covariance / Math.sqrt(variance(x) * variance(y)), 12);
    expect(chainCorrelation(a, a)).toEqual({ value: expect.closeTo(1, 12), standardError: 0, n: 2000 });
  });

  it("have standard errors of the size that repetitions show, and cover the truth", () => {
    const repetitions = 300;
    const found: Record<string, Estimate[]> = { mean: [], deviation: [], correlation: [] };
    for (let r = 0; r < repetitions; r++) {
      const [a, b] = pair(31 + 7919 * r);
      found.mean.push(chainMean(a));
      found.deviation.push(chainStandardDeviation(a));
      found.correlation.push(chainCorrelation(a, b));
    }
    for (const [name, truth] of [
      ["mean", 0],
      ["deviation", 1],
      ["correlation", 0.6],
    ] as const) {
      const estimates = found[name];
      const shown = Math.sqrt(variance(estimates.map(({ value }) => value)));
      const claimed = Math.sqrt(mean(estimates.map(({ standardError }) => standardError ** 2)));
      // Relative standard error of a standard deviation of 300: 1/√600 = .04.
      expect(Math.abs(Math.log(claimed / shown)), name).toBeLessThan(4 / Math.sqrt(600));
      const covered = estimates.filter(
        ({ value, standardError }) => Math.abs(value - truth) < 2 * standardError,
      ).length;
      // Binomial(300, .954): mean 286, standard deviation 3.6.
      expect(covered, name).toBeGreaterThan(286 - 4 * 3.6);
    }
  });

  it("refuse what rHat refuses, and two quantities of different shape", () => {
    expect(() => chainMean([])).toThrow("needs at least one");
    expect(() => chainCorrelation([[1, 2, 3, 4]], [[1, 2, 3]])).toThrow("the same number of chains and draws");
  });
});
