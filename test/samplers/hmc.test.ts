import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { kolmogorovSmirnov } from "../../src/diagnostics/kolmogorovSmirnov.js";
import type { Estimate } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../../src/engine/tf.js";
import { stopGradient } from "../../src/ops/stopGradient.js";
import { where } from "../../src/ops/where.js";
import { type HmcOptions, type HmcProgress, hmc } from "../../src/samplers/hmc.js";
import type { HmcDraws } from "../../src/samplers/hmcDraws.js";
import { backends, normalCdf } from "../engine/support.js";
import { banana, gaussian, standardNormal } from "./targets.js";

/** Expects an estimate within four of its standard errors of the truth, and the standard error to be worth something. */
function expectNear({ value, standardError }: Estimate, truth: number, most: number): void {
  expect(standardError).toBeLessThan(most);
  expect(Math.abs(value - truth)).toBeLessThan(4 * standardError);
}

/** One coordinate's draws, thinned to nearly independent ones. */
function thinned(draws: HmcDraws, coordinate: number): number[] {
  const [samples, chains] = draws.shape;
  const every = Math.ceil((2 * samples * chains) / draws.summary(coordinate).effectiveSampleSize);
  return draws.chains(coordinate).flatMap((chain) => Array.from(chain).filter((_, s) => s % every === 0));
}

const dispersed = (seed: number, chains: number, dimension: number): Tensor2D =>
  tf.tidy(() => tf.mul(normal(randomKey(seed), [chains, dimension]), 4)) as Tensor2D;

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("finds a correlated Gaussian of unequal scales: means, deviations, correlation, and its law", async () => {
    // Standard deviations 10 and .1, correlation .8, mean (3, −1).
    const [c, d] = [0.64, 0.8];
    const logDensity = (q: Tensor): Tensor =>
      gaussian([
        [1 / (1 - c), -d / (1 - c)],
        [-d / (1 - c), 1 / (1 - c)],
      ])(tf.div(tf.sub(q, tf.tensor1d([3, -1])), tf.tensor1d([10, 0.1])));
    const init = dispersed(1, 16, 2);
    const before = tf.memory().numTensors;
    const draws = await hmc({ logDensity, init, key: randomKey(2), warmUp: 300, samples: 300 });
    expect(tf.memory().numTensors).toBe(before);
    expectNear(draws.summary(0).mean, 3, 0.4);
    expectNear(draws.summary(1).mean, -1, 0.004);
    expectNear(draws.summary(0).standardDeviation, 10, 0.3);
    expectNear(draws.summary(1).standardDeviation, 0.1, 0.003);
    expectNear(draws.correlation(0, 1), 0.8, 0.02);
    expect(draws.worst().rHat).toBeLessThan(1.02);
    expect(draws.worst().effectiveSampleSize).toBeGreaterThan(800);
    expect(draws.divergences).toBe(0);
    expect(draws.tuning.scale[0] / draws.tuning.scale[1]).toBeGreaterThan(80); // 100
    expect(draws.tuning.scale[0] / draws.tuning.scale[1]).toBeLessThan(125);
    expect(kolmogorovSmirnov(thinned(draws, 0), (x) => normalCdf((x - 3) / 10)).pValue).toBeGreaterThan(1e-3);
    expect(kolmogorovSmirnov(thinned(draws, 1), (x) => normalCdf((x + 1) / 0.1)).pValue).toBeGreaterThan(1e-3);
  });
});

describe("on the fastest backend", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  const small = (more: Partial<HmcOptions> = {}): Promise<HmcDraws> =>
    hmc({
      logDensity: standardNormal,
      init: more.init ?? dispersed(3, 4, 2),
      key: randomKey(5),
      warmUp: 30,
      samples: 20,
      ...more,
    });

  const bananaRun = (targetAcceptance: number): Promise<HmcDraws> =>
    small({
      logDensity: banana,
      init: tf.tidy(() => tf.mul(normal(randomKey(1), [32, 2]), 0.5)) as Tensor2D,
      warmUp: 300,
      samples: 1500,
      trajectoryLength: 2.5,
      targetAcceptance,
    });

  test("finds the banana's moments", async () => {
    const draws = await bananaRun(0.98);
    expect(draws.worst().rHat).toBeLessThan(1.01);
    expect(draws.divergences).toBeLessThan(48); // of 48,000 trajectories
    expectNear(draws.summary(0).mean, 0, 0.02);
    expectNear(draws.summary(1).mean, -2, 0.03);
    expectNear(draws.summary(0).standardDeviation, 1, 0.02);
    expectNear(draws.summary(1).standardDeviation, Math.sqrt(3), 0.05);
    expectNear(draws.correlation(0, 1), 0.9 / Math.sqrt(3), 0.02);
    expect(kolmogorovSmirnov(thinned(draws, 0), normalCdf).pValue).toBeGreaterThan(1e-3);
  });

  test("counts the divergences that tell of tails too sharp for the step size", async () => {
    const draws = await bananaRun(0.8);
    expect(draws.divergences).toBeGreaterThan(480); // above 1 %, where .98 has below .1 %
  });

  test("reaches the acceptance asked for", async () => {
    const reached = async (more: Partial<HmcOptions>): Promise<number> => {
      const draws = await small({ init: dispersed(3, 32, 20), leapfrogSteps: 3, warmUp: 500, samples: 200, ...more });
      return draws.acceptance.reduce((sum, value) => sum + value / 32, 0);
    };
    for (const targetAcceptance of [0.65, 0.9]) {
      // The mean of 6,400 acceptances is known to .004; the rest is the step size, which dual averaging knows to some per cent.
      expect(Math.abs((await reached({ targetAcceptance, massAdaptation: false })) - targetAcceptance)).toBeLessThan(
        0.025,
      );
      expect(Math.abs((await reached({ targetAcceptance })) - targetAcceptance)).toBeLessThan(0.05);
    }
  });

  test("depends on the key alone, compiled or not", async () => {
    const [first, again, other, eager] = await Promise.all([
      small(),
      small(),
      small({ key: randomKey(6) }),
      small({ compiled: false }),
    ]);
    expect(again.values).toEqual(first.values);
    expect(eager.values).toEqual(first.values);
    expect(other.values).not.toEqual(first.values);
  });

  test("samples inside the support alone where the density has an edge", async () => {
    // Half-normal: mean √(2/π), variance 1 − 2/π.
    const logDensity = (q: Tensor): Tensor =>
      tf.sum(
        where(
          stopGradient(() => tf.greater(q, 0)),
          tf.mul(tf.square(q), -0.5),
          tf.scalar(Number.NEGATIVE_INFINITY),
        ),
        -1,
      );
    const draws = await small({ logDensity, init: tf.ones([16, 1]) as Tensor2D, leapfrogSteps: 3, samples: 1500 });
    for (const q of draws.values) expect(q).toBeGreaterThan(0);
    expect(draws.divergences).toBeGreaterThan(0); // trajectories that ended outside
    expectNear(draws.summary(0).mean, Math.sqrt(2 / Math.PI), 0.02);
    expectNear(draws.summary(0).standardDeviation, Math.sqrt(1 - 2 / Math.PI), 0.02);
  });

  test("tells of chains that do not mix", async () => {
    // Two modes 20 deviations apart: no trajectory crosses.
    const logDensity = (q: Tensor): Tensor => standardNormal(tf.sub(tf.abs(q), 10));
    const init = tf.tensor2d([[-10], [-10], [10], [10]]);
    const draws = await small({ logDensity, init, samples: 200 });
    expect(draws.summary(0).rHat).toBeGreaterThan(1.5);
    expect(draws.summary(0).effectiveSampleSize).toBeLessThan(20);
  });

  test("keeps what it is told: fixed step size and length, no adaptation", async () => {
    const draws = await small({ warmUp: 0, stepSize: 0.25, leapfrogSteps: 3 });
    expect(draws.tuning).toEqual({ stepSize: 0.25, leapfrogSteps: 3, scale: Float32Array.of(1, 1) });
    const long = await small({ warmUp: 0, stepSize: 0.25, trajectoryLength: 2 });
    expect(long.tuning.leapfrogSteps).toBe(8);
    const unscaled = await small({ warmUp: 100, massAdaptation: false });
    expect(unscaled.tuning.scale).toEqual(Float32Array.of(1, 1));
    expect(draws.shape).toEqual([20, 4, 2]);
    expect(draws.chains(1)[2][7]).toBe(draws.values[(7 * 4 + 2) * 2 + 1]);
    expect(() => draws.chains(2)).toThrow("coordinate must be an integer in [0, 2), not 2");
  });

  test("reports how far it is", async () => {
    const seen: HmcProgress[] = [];
    await small({ progressEvery: 0, onProgress: (progress) => void seen.push(progress) });
    expect(seen.map(({ step }) => step)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(seen[29].phase).toBe("warm-up");
    expect(seen[30].phase).toBe("sampling");
    expect(seen[49].steps).toBe(50);
    expect(seen[49].acceptance).toBeGreaterThan(0);
  });

  const interrupt = Symbol.for("marginalia.interrupt");
  afterEach(() => {
    delete (globalThis as Record<symbol, unknown>)[interrupt];
  });

  test("stops when it is interrupted, and leaves nothing behind", async () => {
    const init = dispersed(3, 4, 2);
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    (globalThis as Record<symbol, unknown>)[interrupt] = controller.signal;
    const run = small({
      init,
      progressEvery: 0,
      onProgress: ({ step }) => {
        if (step === 35) controller.abort();
      },
    });
    await expect(run).rejects.toThrow("The cell was interrupted");
    expect(tf.memory().numTensors).toBe(before);
  });

  test("says what is wrong with its input, and leaves nothing behind", async () => {
    const init = tf.tensor2d([
      [1, 2],
      [3, 4],
    ]);
    const bad = tf.tensor2d([
      [1, 2],
      [Number.NaN, 4],
    ]);
    const empty = tf.zeros([0, 2]) as Tensor2D;
    const flat = tf.ones([3]) as unknown as Tensor2D;
    const before = tf.memory().numTensors;
    const logarithm = (q: Tensor): Tensor => tf.sum(tf.log(tf.sub(q, 2)), -1);
    const root = (q: Tensor): Tensor => tf.sum(tf.neg(tf.sqrt(tf.sub(q, 1))), -1);
    const cases: [Partial<HmcOptions>, string][] = [
      [{ init: bad }, "hmc: init[1, 0] is NaN"],
      [{ init: empty }, "hmc: init is empty; give it at least one chain and one coordinate"],
      [{ init: flat }, "hmc: init has the shape [3], but needs [*, *]"],
      [{ init, logDensity: logarithm }, "hmc: the log-density of init[0] is NaN; start every chain inside the support"],
      [{ init, logDensity: root }, "hmc: the log-density's gradient at init[0, 0] is -Infinity"],
      [{ init, logDensity: (q) => tf.sum(q) }, "to log-densities of shape [2], but returned []"],
      [{ init, leapfrogSteps: 0 }, "hmc: leapfrogSteps must be a positive integer, not 0"],
      [{ init, samples: 0 }, "hmc: samples must be a positive integer, not 0"],
      [{ init, warmUp: -1 }, "hmc: warmUp must be a non-negative integer, not -1"],
      [{ init, stepSize: 0 }, "hmc: stepSize must be positive and finite, not 0"],
      [{ init, trajectoryLength: Number.NaN }, "hmc: trajectoryLength must be positive and finite, not NaN"],
      [{ init, leapfrogSteps: 1, trajectoryLength: 1 }, "give leapfrogSteps or trajectoryLength, not both"],
      [{ init, targetAcceptance: 80 }, "hmc: targetAcceptance must be between 0 and 1, not 80"],
      [{ init, jitter: 1 }, "hmc: jitter must be in [0, 1), not 1"],
    ];
    for (const [options, sentence] of cases) await expect(small(options)).rejects.toThrow(sentence);
    expect(tf.memory().numTensors).toBe(before);
  });
});
