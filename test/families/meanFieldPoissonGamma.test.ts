import { beforeAll, describe, expect, it } from "vitest";
import { logGamma } from "../../src/diagnostics/specialFunctions.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { meanFieldPoissonGamma } from "../../src/families/meanFieldPoissonGamma.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

describe("meanFieldPoissonGamma", () => {
  it("is Poisson in the counts and gamma in the rest, of the rates, shapes and means named", () => {
    const family = meanFieldPoissonGamma({ counts: 2, positives: 1 });
    const phi = {
      logRate: tf.tensor2d([[0.5, -1]]),
      logConcentration: tf.tensor2d([[0.3]]),
      logMean: tf.tensor2d([[1.2]]),
    };
    const q = family.distribution(phi);
    expectClose(read(q.mean()), [Math.exp(0.5), Math.exp(-1), Math.exp(1.2)], 1e-5);
    const [alpha, rate] = [Math.exp(0.3), Math.exp(0.3 - 1.2)];
    const counts = 3 * 0.5 - Math.exp(0.5) - logGamma(4) - Math.exp(-1);
    const positive = alpha * Math.log(rate) - logGamma(alpha) + (alpha - 1) * Math.log(2) - rate * 2;
    expectClose(read(q.logProb(tf.tensor3d([[[3, 0, 2]]]))), [counts + positive], 1e-5);
    expect(family.dimension).toBe(3);
  });

  it("starts where it is told, apart by the spread, and refuses what is no size and no start", () => {
    const options = { counts: 500, positives: 500, initialRate: 2, initialConcentration: 0.5, initialMean: 3 };
    const { logRate, logConcentration, logMean } = meanFieldPoissonGamma({ ...options, spread: 0.3 }).init(
      randomKey(1),
    );
    for (const [tensor, centre] of [
      [logRate, 2],
      [logMean, 3],
    ] as const) {
      const values = read(tensor).map((value) => value - Math.log(centre));
      const mean = values.reduce((sum, v) => sum + v, 0) / 500;
      expect(Math.abs(mean)).toBeLessThan((4 * 0.3) / Math.sqrt(500));
      expect(Math.abs(Math.hypot(...values) / Math.sqrt(500) - 0.3)).toBeLessThan(0.05);
    }
    expectClose([...new Set(read(logConcentration))], [Math.log(0.5)], 1e-6);
    expect(() => meanFieldPoissonGamma({ counts: 0, positives: 1 })).toThrow(
      "counts must be a positive integer, not 0",
    );
    expect(() => meanFieldPoissonGamma({ ...options, initialRate: 0 })).toThrow("initialRate must be positive");
    expect(() => meanFieldPoissonGamma({ ...options, spread: -1 })).toThrow("spread must be finite and not negative");
  });
});
