import { describe, expect, it } from "vitest";
import {
  autocovariance,
  bulkEffectiveSampleSize,
  chainEffectiveSampleSize,
} from "../../src/diagnostics/autocorrelation.js";
import { mean, variance } from "../../src/diagnostics/moments.js";
import { chainsOf, chainsOracle } from "./chainsOracle.js";
import { autoregression, autoregressions } from "./markovChains.js";

describe("autocovariance", () => {
  it("is the lagged product by hand", () => {
    expect(autocovariance([1, 2, 6], 0)).toBeCloseTo((4 + 1 + 9) / 3, 14);
    expect(autocovariance([1, 2, 6], 1)).toBeCloseTo((2 - 3) / 3, 14);
    expect(autocovariance([1, 2, 6], 2)).toBeCloseTo(-6 / 3, 14);
    expect(() => autocovariance([1, 2, 6], 3)).toThrow("the lag must be an integer in [0, 3), not 3");
    expect(() => autocovariance([], 0)).toThrow("mean needs at least one value");
  });

  it("falls as ρ^t along an AR(1) series", () => {
    const [n, rho] = [100_000, 0.8];
    const series = autoregression(n, 3, rho);
    // Bartlett: the standard error of an autocorrelation is below √((1 + ρ²)/(1 − ρ²)/n).
    const error = Math.sqrt((1 + rho ** 2) / (1 - rho ** 2) / n);
    for (const lag of [1, 2, 5, 10]) {
      const correlation = autocovariance(series, lag) / autocovariance(series, 0);
      expect(Math.abs(correlation - rho ** lag)).toBeLessThan(4 * error);
    }
  });
});

describe("the effective sample size of chains", () => {
  it.each(chainsOracle)("is ArviZ's: $name", (test) => {
    const chains = chainsOf(test);
    expect(bulkEffectiveSampleSize(chains) / test.bulk).toBeCloseTo(1, 9);
    expect(chainEffectiveSampleSize(chains) / test.mean).toBeCloseTo(1, 9);
  });

  it.each([-0.3, 0, 0.5, 0.9, 0.97])("is N (1 − ρ)/(1 + ρ) for AR(1) with ρ = %s", (rho) => {
    const [chains, n] = [8, 50_000];
    const truth = (chains * n * (1 - rho)) / (1 + rho);
    // The truncated sum has a relative error of about √(2 m / S), m the lags that it sums (some ten correlation times).
    const lags = Math.max(4, 10 / Math.max(0.1, -Math.log(Math.abs(rho) || 0.1)));
    const error = Math.sqrt((2 * lags) / (chains * n));
    expect(Math.abs(Math.log(chainEffectiveSampleSize(autoregressions(chains, n, 5, rho)) / truth))).toBeLessThan(
      4 * error,
    );
  });

  it("gives the mean's standard error that repetitions show", () => {
    const [rho, n, repetitions] = [0.85, 400, 400];
    const means: number[] = [];
    const claimed: number[] = [];
    for (let r = 0; r < repetitions; r++) {
      const chains = autoregressions(4, n, 77_000_001 + 9973 * r, rho);
      const all = chains.flatMap((chain) => Array.from(chain));
      means.push(mean(all));
      claimed.push(variance(all) / chainEffectiveSampleSize(chains));
    }
    // Relative error of a variance of 400 means: √(2/399) = .07; ESS itself is known to some per cent.
    expect(Math.abs(Math.log(variance(means) / mean(claimed)))).toBeLessThan(0.28);
  });

  it("is small for chains that disagree, NaN where no draw moved, and refuses what rHat refuses", () => {
    const apart = autoregressions(4, 500, 8, 0).map((chain, c) => chain.map((x) => x + 5 * c));
    expect(bulkEffectiveSampleSize(apart)).toBeLessThan(10);
    expect(bulkEffectiveSampleSize([new Float64Array(10)])).toBeNaN();
    expect(() => bulkEffectiveSampleSize([])).toThrow("bulkEffectiveSampleSize needs at least one chain");
    expect(() => chainEffectiveSampleSize([[1, 2]])).toThrow("chainEffectiveSampleSize needs at least four draws");
  });
});
