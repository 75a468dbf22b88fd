import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { kolmogorovSmirnov } from "../../src/diagnostics/kolmogorovSmirnov.js";
import { type Estimate, weightedMean } from "../../src/diagnostics/moments.js";
import { Gamma } from "../../src/distributions/gamma.js";
import { ready } from "../../src/engine/backend.js";
import { type Key, normal, randomKey, split } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { gammaNormalSeries, simulateGammaNormalSeries } from "../../src/models/gammaNormalSeries.js";
import {
  type MetropolisProgress,
  type MetropolisWithinGibbsOptions,
  metropolisWithinGibbs,
} from "../../src/samplers/metropolisWithinGibbs.js";
import { expectClose, normalCdf } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

/** Expects an estimate within four of its standard errors of the truth, and the standard error to be worth something. */
function expectNear({ value, standardError }: Estimate, truth: number, most: number): void {
  expect(standardError).toBeLessThan(most);
  expect(Math.abs(value - truth)).toBeLessThan(4 * standardError);
}

const dispersed = (seed: number, chains: number, dimension: number): Tensor2D =>
  tf.tidy(() => tf.mul(normal(randomKey(seed), [chains, dimension]), 3)) as Tensor2D;

// A chain of four, of unequal scales s: precision P = diag(1/s) M diag(1/s), M tridiagonal with 1 and −.4.
const scales = [1, 0.1, 5, 2];
const shift = [1, -2, 0, 3];
const chainBlankets = (z: Tensor2D): Tensor => {
  const u = tf.mul(tf.sub(z, tf.tensor1d(shift)), tf.tensor1d(scales.map((s) => 1 / s)));
  const padded = tf.pad(u, [
    [0, 0],
    [1, 1],
  ]) as Tensor2D;
  const neighbours = tf.add(tf.slice(padded, [0, 0], [-1, 4]), tf.slice(padded, [0, 2], [-1, 4]));
  return tf.add(tf.mul(-0.5, tf.square(u)), tf.mul(0.4, tf.mul(u, neighbours)));
};
/** (M⁻¹)_ij of the tridiagonal M, by its determinants: θ_n = θ_{n−1} − .16 θ_{n−2}. */
const inverse = (i: number, j: number): number => {
  const theta = [1, 1];
  for (let n = 2; n <= 4; n++) theta.push(theta[n - 1]! - 0.16 * theta[n - 2]!);
  const [low, high] = [Math.min(i, j), Math.max(i, j)];
  return (0.4 ** (high - low) * theta[low]! * theta[3 - high]!) / theta[4]!;
};

const small = (more: Partial<MetropolisWithinGibbsOptions> = {}) =>
  metropolisWithinGibbs({
    blankets: chainBlankets,
    sets: [
      [0, 2],
      [1, 3],
    ],
    init: more.init ?? dispersed(1, 4, 4),
    key: randomKey(2),
    warmUp: 30,
    samples: 20,
    ...more,
  });

describe("metropolisWithinGibbs", () => {
  test("finds a Gaussian chain of unequal scales: means, deviations, correlations, its law and the acceptance", async () => {
    const init = dispersed(1, 32, 4);
    const before = tf.memory().numTensors;
    const draws = await small({ init, warmUp: 400, samples: 500, thin: 8 });
    expect(tf.memory().numTensors).toBe(before);
    for (let d = 0; d < 4; d++) {
      const deviation = scales[d]! * Math.sqrt(inverse(d, d));
      expectNear(draws.summary(d).mean, shift[d]!, 0.02 * deviation);
      expectNear(draws.summary(d).standardDeviation, deviation, 0.02 * deviation);
      expect(Math.abs(draws.acceptance[d]! - 0.44)).toBeLessThan(0.02);
      // A Gaussian's conditional has deviation s; 44 % are accepted at a step of about 2.4 of these.
      expect(Math.abs(draws.stepSizes[d]! / (2.4 * scales[d]!) - 1)).toBeLessThan(0.15);
    }
    const correlation = (i: number, j: number): number => inverse(i, j) / Math.sqrt(inverse(i, i) * inverse(j, j));
    expectNear(draws.correlation(0, 1), correlation(0, 1), 0.02);
    expectNear(draws.correlation(0, 3), correlation(0, 3), 0.02);
    expect(draws.worst().rHat).toBeLessThan(1.01);
    expect(draws.worst().effectiveSampleSize).toBeGreaterThan(3000);
    const thinned = draws.chains(2).flatMap((chain) => Array.from(chain).filter((_, s) => s % 8 === 0));
    const deviation = 5 * Math.sqrt(inverse(2, 2));
    expect(kolmogorovSmirnov(thinned, (x) => normalCdf(x / deviation)).pValue).toBeGreaterThan(1e-3);
  });

  test("finds the gamma posterior of a Poisson rate, walking on its logarithm", async () => {
    // λ ~ Gamma(2, 1), counts 3, 1, 4: λ | counts ~ Gamma(10, 4). Of z = log λ: 10 z − 4 exp z.
    const draws = await metropolisWithinGibbs({
      blankets: (z) => tf.sub(tf.mul(10, z), tf.mul(4, tf.exp(z))),
      init: dispersed(3, 32, 1),
      key: randomKey(4),
      warmUp: 200,
      samples: 500,
      thin: 5,
    });
    const rate = draws.values.map(Math.exp);
    const thinned = Array.from(rate).filter((_, i) => Math.floor(i / 32) % 5 === 0);
    // The Erlang cdf: 1 − e^{−4λ} Σ_{k<10} (4λ)^k / k!.
    const cdf = (x: number): number => {
      let [term, total] = [1, 1];
      for (let k = 1; k < 10; k++) {
        term *= (4 * x) / k;
        total += term;
      }
      return 1 - Math.exp(-4 * x) * total;
    };
    expect(kolmogorovSmirnov(thinned, cdf).pValue).toBeGreaterThan(1e-3);
    // E log λ = ψ(10) − log 4, Var log λ = ψ′(10).
    expectNear(draws.summary(0).mean, 2.2517525890667 - Math.log(4), 0.005);
    expectNear(draws.summary(0).standardDeviation, Math.sqrt(0.10516633568168575), 0.005);
  });

  test("finds a gamma–normal series' posterior, as prior draws weighted by the likelihood do", async () => {
    const [T, L, K] = [2, 2, 100_000];
    // Of small variances, so that log x has light tails: where x comes near 0 it stays there.
    const law = { states: 1, noise: 1.2, initialVariance: 0.1, driftVariance: 0.03 };
    const { labs } = simulateGammaNormalSeries({ ...law, patients: 1, visits: T, labs: L, key: randomKey(5) });
    const series = gammaNormalSeries({ ...law, labs });
    const D = series.dimension;
    const draws = await metropolisWithinGibbs({
      blankets: series.blankets,
      sets: series.independentSets,
      init: tf.mul(normal(randomKey(6), [64, D]), 0.3) as Tensor2D,
      key: randomKey(7),
      warmUp: 300,
      samples: 100,
      thin: 20,
    });
    const [logWeights, columns] = tf.tidy(() => {
      const keys = split(randomKey(8), T + 1);
      const states: Tensor[] = [tf.fill([K, 1, 1], 1)];
      for (let t = 0; t < T; t++) {
        const variance = t === 0 ? law.initialVariance : law.driftVariance;
        const before = states[t] as Tensor;
        states.push(
          new Gamma({ concentration: tf.div(tf.square(before), variance), rate: tf.div(before, variance) }).sample(
            keys[t] as Key,
          ),
        );
      }
      const others = normal(keys[T] as Key, [K, 1, 2 * L]); // offsets and weights
      const z = tf.concat([tf.log(tf.concat(states.slice(1), 2)), others], 2) as Tensor3D;
      const likelihood = tf.sum(tf.reshape(series.logLikelihood(z), [K, -1]), 1);
      return [likelihood.dataSync(), tf.unstack(tf.reshape(z, [K, D]), 1).map((column) => column.dataSync())] as const;
    });
    expect(draws.worst().rHat).toBeLessThan(1.02);
    for (let d = 0; d < D; d++) {
      const truth = weightedMean(columns[d] as Float32Array, logWeights);
      const squares = weightedMean(
        (columns[d] as Float32Array).map((z) => (z - truth.value) ** 2),
        logWeights,
      );
      const { mean, standardDeviation } = draws.summary(d);
      const meanError = Math.hypot(mean.standardError, truth.standardError);
      const deviationError = Math.hypot(
        standardDeviation.standardError,
        squares.standardError / (2 * Math.sqrt(squares.value)),
      );
      expect(Math.max(meanError, deviationError)).toBeLessThan(0.03);
      expect(Math.abs(mean.value - truth.value), `mean of ${d}`).toBeLessThan(4 * meanError);
      expect(Math.abs(standardDeviation.value - Math.sqrt(squares.value)), `deviation of ${d}`).toBeLessThan(
        4 * deviationError,
      );
    }
  });

  test("adapts in warm-up alone", async () => {
    const [short, long, none] = [
      await small(),
      await small({ samples: 60 }),
      await small({ warmUp: 0, stepSize: 0.3 }),
    ];
    expect(long.stepSizes).toEqual(short.stepSizes);
    expect(long.values.slice(0, short.values.length)).toEqual(short.values);
    for (const step of none.stepSizes) expect(step).toBeCloseTo(0.3, 6);
    expect(short.stepSizes[2]! / short.stepSizes[1]!).toBeGreaterThan(3);
  });

  test("depends on the key alone, compiled or not", async () => {
    const first = await small();
    expect((await small()).values).toEqual(first.values);
    const eager = await small({ compiled: false }); // equal but for the rounding of what the graph folds
    expectClose(Array.from(eager.values), Array.from(first.values), 1e-4);
    expect((await small({ key: randomKey(9) })).values).not.toEqual(first.values);
    expect(first.shape).toEqual([20, 4, 4]);
  });

  test("keeps every so many sweeps, and tells of them all", async () => {
    const seen: MetropolisProgress[] = [];
    const draws = await small({ thin: 7, progressEvery: 0, onProgress: (progress) => void seen.push(progress) });
    expect(seen.map(({ step }) => step)).toEqual(Array.from({ length: 25 }, (_, i) => 7 * (i + 1)));
    expect(seen[4]!.phase).toBe("warm-up");
    expect(seen[5]!.phase).toBe("sampling");
    expect(seen[5]!.positions).toEqual(draws.values.slice(0, 16));
    expect(seen[24]!.positions).toEqual(draws.values.slice(-16));
    expect(seen[24]!.steps).toBe(175);
    expect(seen[24]!.seconds).toBeGreaterThan(seen[0]!.seconds);
  });

  const interrupt = Symbol.for("marginalia.interrupt");
  afterEach(() => {
    delete (globalThis as Record<symbol, unknown>)[interrupt];
  });

  test("stops when it is interrupted, and leaves nothing behind", async () => {
    const init = dispersed(1, 4, 4);
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    (globalThis as Record<symbol, unknown>)[interrupt] = controller.signal;
    const run = small({ init, progressEvery: 0, onProgress: ({ step }) => void (step === 35 && controller.abort()) });
    await expect(run).rejects.toThrow("The cell was interrupted");
    expect(tf.memory().numTensors).toBe(before);
  });

  test("says what is wrong with its input, and leaves nothing behind", async () => {
    const inits = [
      tf.zeros([4, 4]),
      tf.zeros([0, 4]),
      tf.fill([4, 4], Number.NaN),
      tf.zeros([4]),
    ] as unknown as Tensor2D[];
    const [init, empty, nan, flat] = inits as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    const before = tf.memory().numTensors;
    const cases: [Partial<MetropolisWithinGibbsOptions>, string][] = [
      [{ samples: 0 }, "samples must be a positive integer, not 0"],
      [{ thin: 1.5 }, "thin must be a positive integer, not 1.5"],
      [{ warmUp: -1 }, "warmUp must be a non-negative integer, not -1"],
      [{ stepSize: 0 }, "stepSize must be positive and finite, not 0"],
      [{ targetAcceptance: 1 }, "targetAcceptance must be between 0 and 1, not 1"],
      [{ sets: [[0, 1], [2]] }, "coordinate 3 is in none of the sets"],
      [{ sets: [[0, 1, 2, 3], [2]] }, "coordinate 2 stands twice in sets"],
      [{ sets: [[0, 1, 2, 3, 4]] }, "sets must hold coordinates from 0 to 3, not 4"],
      [{ init: empty }, "init is empty"],
      [{ init: nan }, "init[0, 0] is NaN"],
      [{ init: flat }, "metropolisWithinGibbs: init"],
      [{ blankets: (z) => tf.sum(z, 1) }, "a log-density for each coordinate, [4,4], but returned [4]"],
      [{ blankets: (z) => tf.log(z) }, "the blanket of coordinate 0 at init[0] is -Infinity"],
    ];
    for (const [more, message] of cases) await expect(small({ init, ...more })).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });
});
