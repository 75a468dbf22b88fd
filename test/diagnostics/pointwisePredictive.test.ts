import { beforeAll, describe, expect, test } from "vitest";
import { pointwisePredictive } from "../../src/diagnostics/pointwisePredictive.js";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey, split } from "../../src/engine/random.js";
import { mean, read, variance } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const logNormal = (x: number, centre: number, deviation: number): number =>
  -0.5 * ((x - centre) / deviation) ** 2 - Math.log(deviation) - 0.5 * Math.log(2 * Math.PI);

// z ~ N(0, 1), y | z ~ N(z, .5²): the predictive is N(0, 1.25).
const data = [-0.4, 0.9, 1.7];
const exact = mean(data.map((y) => logNormal(y, 0, Math.sqrt(1.25))));
const logs = (z: readonly number[]): Float64Array =>
  Float64Array.from(z.flatMap((at) => data.map((y) => logNormal(y, at, 0.5))));

describe("pointwisePredictive", () => {
  test("finds the exact predictive density, with a standard error that is that of repeated runs", () => {
    const runs = split(randomKey(1), 200).map((key) =>
      pointwisePredictive({ logLikelihoods: logs(read(normal(key, [400]))), data: 3 }),
    );
    const values = runs.map(({ value }) => value);
    const spread = Math.sqrt(variance(values));
    const bias = mean(runs.map(({ standardError }) => standardError ** 2)); // of its order, O(1/S)
    expect(Math.abs(mean(values) - exact)).toBeLessThan((4 * spread) / Math.sqrt(200) + bias);
    expect(Math.abs(mean(runs.map(({ standardError }) => standardError)) / spread - 1)).toBeLessThan(0.2); // 4 s.e. of a deviation
    const [run] = runs;
    expect(run!.n).toBe(400);
    expect(run!.value).toBeCloseTo(mean(Array.from(run!.perDatum)), 12);
  });

  test("counts a chain's draws by what they are worth", () => {
    // z_t = .9 z_{t−1} + √.19 ε in four chains: the values of every chain stand side by side.
    const runs = split(randomKey(2), 40).map((key) => {
      const noise = read(normal(key, [500, 4]));
      noise.forEach((e, i) => {
        if (i >= 4) noise[i] = 0.9 * noise[i - 4]! + Math.sqrt(0.19) * e;
      });
      return pointwisePredictive({ logLikelihoods: logs(noise), data: 3, chains: 4 });
    });
    const spread = Math.sqrt(variance(runs.map(({ value }) => value)));
    expect(Math.abs(mean(runs.map(({ standardError }) => standardError)) / spread - 1)).toBeLessThan(0.45); // 4 s.e.
    for (const { n } of runs) expect(n).toBeLessThan(800); // of 2,000
    expect(Math.abs(mean(runs.map(({ value }) => value)) - exact)).toBeLessThan(
      4 * (spread / Math.sqrt(40)) + spread ** 2,
    );
  });

  test("keeps its head where densities are beyond what an exponential can hold", () => {
    const far = pointwisePredictive({
      logLikelihoods: [-2000, -1000, -2000 + Math.log(3), Number.NEGATIVE_INFINITY],
      data: 2,
    });
    expect(far.perDatum[0]).toBeCloseTo(-2000 + Math.log(2), 9);
    expect(far.perDatum[1]).toBeCloseTo(-1000 - Math.log(2), 9);
  });

  test("says what is wrong with its input", () => {
    expect(() => pointwisePredictive({ logLikelihoods: [0, 0, 0], data: 2 })).toThrow("are 1.5 draws");
    expect(() => pointwisePredictive({ logLikelihoods: [0, 0], data: 2 })).toThrow("a whole number of at least 2");
    expect(() => pointwisePredictive({ logLikelihoods: [0, 0, 0, 0], data: 1, chains: 2 })).toThrow(
      "2 draws a chain; it needs a whole number of at least 4",
    );
    expect(() => pointwisePredictive({ logLikelihoods: [0, 0], data: 0 })).toThrow(
      "data must be a positive integer, not 0",
    );
    expect(() => pointwisePredictive({ logLikelihoods: [0, Number.NaN], data: 1 })).toThrow(
      "of datum 0 at draw 1 is NaN",
    );
    expect(() => pointwisePredictive({ logLikelihoods: [0, -Infinity, 0, -Infinity], data: 2 })).toThrow(
      "no draw gives datum 1 any density",
    );
  });
});
