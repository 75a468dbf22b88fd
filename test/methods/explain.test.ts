import { beforeAll, describe, expect, it } from "vitest";
import { normalQuantile } from "../../src/diagnostics/normalQuantile.js";
import { paretoSmoothing } from "../../src/diagnostics/paretoSmoothing.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { explain } from "../../src/methods/explain.js";

/** Log-weights whose tail is a Pareto with index k, at even quantiles: log w = −k log(1 − u). */
const pareto = (k: number, S = 4000): Float64Array =>
  Float64Array.from({ length: S }, (_, s) => -k * Math.log(1 - (s + 0.5) / S));

describe("explain", () => {
  beforeAll(async () => {
    await ready();
  });

  it("turns k̂ into a verdict and one sentence of remedy", () => {
    const good = explain({ logWeights: pareto(0.2) });
    expect(good.khat).toBeCloseTo(0.2, 1);
    expect([good.verdict, good.remedy]).toEqual(["good", expect.stringContaining("as it is")]);
    expect(explain({ logWeights: pareto(0.6) }).verdict).toBe("reweight");
    const poor = explain({ logWeights: pareto(1), family: "meanField" });
    expect([poor.verdict, poor.remedy]).toEqual(["poor", expect.stringContaining('family: "fullRank"')]);
    const full = explain({ logWeights: pareto(1), family: "fullRank" });
    expect(full.remedy).toContain("use hmc");
    expect(full.remedy).not.toContain('family: "fullRank"');
    for (const { remedy } of [good, poor, full]) expect(remedy).toMatch(/^[^.]*(\.[^ .]+[^.]*)*\.$/);
  });

  it("says first that an optimisation has not finished, whatever k̂ is", () => {
    const fit = { converged: false, stoppedBecause: "its steps were used up", steps: 300, gradientSignalToNoise: 4.2 };
    const { verdict, remedy, text } = explain({ logWeights: pareto(0.2), ...fit });
    expect([verdict, remedy]).toEqual(["unfinished", "Give it more steps before you judge it."]);
    expect(text).toContain("Stopped without converging after 300 steps, because its steps were used up.");
    expect(text).toContain("signal-to-noise ratio is 4.2");
    const toConverge = "Give smaller learningRates.";
    expect(explain({ logWeights: pareto(0.2), ...fit, toConverge }).remedy).toBe(toConverge);
    expect(text.split("\n").at(-1)).toBe("Verdict: not finished. Give it more steps before you judge it.");
  });

  it("knows when draws are too few, and when all weights are equal", () => {
    const few = explain({ logWeights: pareto(0.2, 20) });
    expect([few.verdict, few.remedy]).toEqual([
      "unknown",
      expect.stringMatching(/^Draw more than 20: the 20 there are/),
    ]);
    expect(explain({ logWeights: pareto(0.2, 21) }).verdict).not.toBe("unknown");
    const tied = explain({ logWeights: Float64Array.from({ length: 10_000 }, (_, s) => (s < 3 ? s : -1)) });
    expect([tied.verdict, tied.remedy]).toEqual([
      "unknown",
      expect.stringMatching(/^Find out why most of the 10000 weights are equal/),
    ]);
    expect(explain({ logWeights: pareto(0.65, 200) })).toMatchObject({
      verdict: "poor",
      remedy: expect.stringContaining("Draw more"),
    });
    const exact = explain({ logWeights: new Float64Array(1000).fill(-3) });
    expect(exact).toMatchObject({ verdict: "good", khat: -Infinity, gap: 0, effectiveSampleSize: 1000 });
    expect(exact.elbo.value).toBe(-3);
    expect(() => explain({ logWeights: [] })).toThrow();
  });

  it("gives ELBO, evidence and their gap: for log w ~ N(m, s²), the gap is ½ s²", () => {
    const S = 20_000;
    const s = 0.5;
    const logWeights = Float64Array.from({ length: S }, (_, i) => 2 + s * normalQuantile((i + 0.5) / S));
    const { elbo, logEvidence, gap, khat, khatStandardError } = explain({ logWeights });
    expect(elbo.value).toBeCloseTo(2, 6);
    expect(elbo.standardError).toBeCloseTo(s / Math.sqrt(S), 5);
    expect(logEvidence.value).toBeCloseTo(2 + s ** 2 / 2, 2);
    expect(gap).toBeCloseTo(s ** 2 / 2, 2);
    expect(khatStandardError).toBeCloseTo((1 + khat) / Math.sqrt(paretoSmoothing(logWeights).tailLength), 12);
  });

  it("says where k̂ is too near either limit to be sure of its side", () => {
    const [half, most] = [pareto(0.48, 100_000), pareto(0.68, 100_000)].map((logWeights) => explain({ logWeights }));
    expect(half.khatStandardError).toBeLessThan(0.06);
    expect(half.text).toContain("within two standard errors of 0.50: more draws would tell");
    expect(most.text).toContain("within two standard errors of 0.70: more draws would tell");
    const coarse = explain({ logWeights: pareto(0.6, 1000) }); // a standard error of 0.16
    expect(coarse.text).toContain("of 0.50 and of 0.67: more draws");
    expect(explain({ logWeights: pareto(0.2) }).text).not.toContain("more draws would tell");
  });

  it("calls a q good whose far tails alone are too light, by the total variation distance that quadrature finds", () => {
    const S = 20_000;
    const gaussian = (x: number, scale = 1): number =>
      -0.5 * ((x / scale) ** 2 + Math.log(2 * Math.PI)) - Math.log(scale);
    /** A share ε of three times the width: the weights' index is 1 − 1/9, whatever ε is. */
    const contaminated = (share: number) => (x: number) =>
      Math.log((1 - share) * Math.exp(gaussian(x)) + share * Math.exp(gaussian(x, 3)));
    const { points, logWeights } = trapezoid(-60, 60, 20_001);
    const draws = Array.from(normal(randomKey(1), [S]).dataSync());
    for (const [share, verdict] of [
      [0.002, "good"],
      [0.2, "poor"],
    ] as const) {
      const target = contaminated(share);
      const exact = points.reduce(
        (sum, x, i) => sum + 0.5 * Math.exp(logWeights[i]!) * Math.abs(Math.exp(target(x)) - Math.exp(gaussian(x))),
        0,
      );
      const found = explain({ logWeights: draws.map((x) => target(x) - gaussian(x)) });
      expect(found.verdict).toBe(verdict);
      expect(found.totalVariation).toBeGreaterThan(0.7 * exact);
      if (verdict === "poor") continue;
      expect(found.khat).toBeGreaterThan(0.7);
      expect(found.totalVariation).toBeLessThan(2 * exact);
      expect(found.remedy).toContain("far out in its tails");
      expect(found.text).toContain("total variation distance about 0.00");
    }
  });
});
