import { beforeAll, describe, expect, it } from "vitest";
import { type Estimate, estimateMean } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor3D, tf } from "../../src/engine/tf.js";
import { tidied } from "../../src/engine/values.js";
import { hierarchicalLaplace } from "../../src/families/hierarchicalLaplace.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { exactReverse, mixingReverse, type ReverseConditional } from "../../src/families/reverseConditional.js";
import { hierarchicalLatentVariableProblem } from "../../src/marginals/hierarchicalProblem.js";
import { fittedQ } from "../../src/marginals/hierarchyWithTau.js";
import type { DrawsProgress } from "../../src/marginals/logRatios.js";
import { iwhvi, sampleHierarchy } from "../../src/marginals/marginal.js";
import { marginalBounds, sandwich } from "../../src/marginals/sandwich.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import type { NoParameters } from "../../src/models/problem.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { expectClose, read } from "../engine/support.js";
import { expectedEstimate } from "./linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

const deviation = (estimate: Estimate, exact: number): number =>
  Math.abs(estimate.value - exact) / estimate.standardError;

describe("sandwich", () => {
  it("holds the entropy of a Laplace of 50 dimensions, 50 (1 + log 2), between its bounds", async () => {
    const family = hierarchicalLaplace({ dimension: 50 });
    const phi = family.init(randomKey(1));
    const truth = 50 * (1 + Math.LN2);
    const at = (reverse: ReverseConditional<NoParameters>) => ({
      hierarchy: () => family.hierarchy(phi),
      reverse,
      eta: {},
    });
    const options = { key: randomKey(2), draws: 2000 };
    const wide = await sandwich(at(mixingReverse()), "entropy", { ...options, samples: 10 });
    // Beyond the noise, as .2162 nats a dimension are a lot even after ten draws.
    expect(wide.lower.value + 4 * wide.lower.standardError).toBeLessThan(truth);
    expect(wide.upper.value - 4 * wide.upper.standardError).toBeGreaterThan(truth);
    expect(wide.width.value).toBeCloseTo(wide.upper.value - wide.lower.value, 8);
    const narrow = await sandwich(at(mixingReverse()), "entropy", { ...options, samples: 200 });
    expect(narrow.lower.value).toBeGreaterThan(wide.lower.value);
    expect(narrow.upper.value).toBeLessThan(wide.upper.value);
    const exact = await sandwich(at(exactReverse), "entropy", { ...options, samples: 3 });
    expect(Math.abs(exact.width.value)).toBeLessThan(2e-4); // float32 of numbers near 85
    expect(deviation(exact.lower, truth)).toBeLessThan(4);
  });

  it("has SIVI's gap of .2162 nats a dimension on the Laplace where ψ_0 stands alone", async () => {
    // I(z; v) = (1 + log 2) − ½ (log 2πe + E log v), E log v = log 2 − γ for v ~ Exp(½).
    const gap = 1 + Math.LN2 - (Math.log(2 * Math.PI * Math.E) + Math.LN2 - 0.5772156649015329) / 2;
    expect(gap).toBeCloseTo(0.2162, 4);
    const dimension = 20;
    const family = hierarchicalLaplace({ dimension });
    const values = tidied(() => {
      const hierarchy = family.hierarchy(family.init(randomKey(1)));
      const { z, conditional } = sampleHierarchy(hierarchy, randomKey(3), 20000);
      return Float64Array.from(tf.sub(conditional.logProb(z), hierarchy.logDensity(z)).dataSync());
    });
    const found = estimateMean(values);
    expect(deviation(found, dimension * gap)).toBeLessThan(4);
    expect(found.standardError).toBeLessThan(0.05);
  });

  it("agrees with quadrature, and turns an ELBO's bounds around as they should", async () => {
    const q = { slope: 1.3, shift: 0.4, scale: 0.7 };
    const family = hierarchicalLinearGaussian({ dimension: 1 });
    const phi = {
      slope: tf.tensor2d([[q.slope]]),
      shift: tf.tensor2d([[q.shift]]),
      logScale: tf.tensor2d([[Math.log(q.scale)]]),
    };
    const found = await sandwich(
      { hierarchy: () => family.hierarchy(phi), reverse: mixingReverse(), eta: {} },
      (z) => tf.add(normalLogDensity(z, 0, 1, 1), 3),
      { key: randomKey(4), samples: 20, draws: 40000 },
    );
    const joint = 3 - Math.log(2 * Math.PI) / 2 - (q.shift ** 2 + q.slope ** 2 + q.scale ** 2) / 2;
    const prior = () => ({ mean: 0, scale: 1 });
    expect(deviation(found.lower, joint - expectedEstimate(q, prior, 20, true))).toBeLessThan(4);
    expect(deviation(found.upper, joint - expectedEstimate(q, prior, 20, false))).toBeLessThan(4);
    expect(found.lower.n).toBe(40000);
  });

  it("takes a fitted problem's q, and logP where the model has one", async () => {
    const family = hierarchicalLinearGaussian({ dimension: 1, batchSize: 2 });
    const x = tf.tensor2d([[0.3], [2]]);
    const problem = hierarchicalLatentVariableProblem({
      model: conjugateGaussian,
      family,
      marginal: iwhvi({ reverse: exactReverse, samples: 2 }),
      x,
      scale: 1,
    });
    const phi = { q: family.init(randomKey(1)), tau: {} };
    const { slope, shift, logScale } = phi.q;
    const scale = tf.sqrt(tf.add(tf.square(slope), tf.exp(tf.mul(2, logScale)))).dataSync();
    const exact = [0, 1].map((i) =>
      conjugateGaussian.elbo(x.dataSync()[i], { mean: shift.dataSync()[i], scale: scale[i] }),
    );
    const q = fittedQ(problem, phi);
    const found = await sandwich(q, (z) => conjugateGaussian.logJoint({}, z, x), { key: randomKey(6), draws: 20000 });
    expect(deviation(found.lower, (exact[0] + exact[1]) / 2)).toBeLessThan(4);
    expect(Math.abs(found.width.value)).toBeLessThan(1e-5);
    expect([q.reverse, q.eta, q.x]).toEqual([exactReverse, phi.tau, x]);
  });

  it("doubles K from where it starts until the interval is as narrow as asked, each time from fresh draws", async () => {
    const family = hierarchicalLaplace({ dimension: 2 });
    const phi = family.init(randomKey(1));
    const q = { hierarchy: () => family.hierarchy(phi), reverse: mixingReverse(), eta: {} };
    const options = { key: randomKey(5), samples: 4, draws: 500 };
    const seen: DrawsProgress[] = [];
    const first: number[] = []; // of each round's draws of z
    const logJoint = (z: Tensor3D) => {
      first.push(z.dataSync()[0]);
      return tf.zeros([z.shape[0], z.shape[1]]);
    };
    const narrow = await sandwich(q, logJoint, { ...options, width: 0.05, onProgress: (at) => seen.push(at) });
    expect(narrow.reached).toBe(true);
    expect(narrow.width.value).toBeLessThanOrEqual(0.05);
    const tried = seen.map(({ samples }) => samples);
    expect(tried).toEqual(tried.map((_, i) => 4 * 2 ** i));
    expect(tried.at(-1)).toBe(narrow.samples);
    expect(tried.length).toBeGreaterThan(2);
    expect(seen.every(({ done, of }) => done === 500 && of === 500)).toBe(true);
    expect(new Set(first).size).toBe(first.length);
    const before = tf.memory().numTensors;
    const stopped = await sandwich(q, "entropy", { ...options, width: 1e-6, maxSamples: 12 });
    expect([stopped.reached, stopped.samples]).toEqual([false, 12]);
    expect(tf.memory().numTensors).toBe(before);
    // More than the default end is an end of its own.
    const many = await sandwich(q, "entropy", { key: randomKey(5), samples: 5000, draws: 2, width: 1e-9 });
    expect([many.reached, many.samples]).toEqual([false, 5000]);
  });

  it("reports every pass of a long run, each with draws of its own", async () => {
    const family = hierarchicalLaplace({ dimension: 50 });
    const phi = family.init(randomKey(1));
    const q = { hierarchy: () => family.hierarchy(phi), reverse: mixingReverse(), eta: {} };
    const seen: DrawsProgress[] = [];
    const first: number[] = [];
    const logJoint = (z: Tensor3D) => {
      first.push(z.dataSync()[0]);
      return tf.zeros([z.shape[0], z.shape[1]]);
    };
    const options = { key: randomKey(5), samples: 1023, draws: 200 };
    const { lower } = await sandwich(q, logJoint, { ...options, onProgress: (at) => seen.push(at) });
    expect(seen.map(({ done }) => done)).toEqual([81, 162, 200]); // 81 · 1024 · 50 numbers are 4 million
    expect(lower.n).toBe(200);
    expect(new Set(first).size).toBe(3);
  });

  it("says what is wrong", async () => {
    const family = hierarchicalLaplace({ dimension: 2 });
    const phi = family.init(randomKey(1));
    const q = { hierarchy: () => family.hierarchy(phi), reverse: mixingReverse(), eta: {} };
    const key = randomKey(5);
    const wrong = (parts: object, logJoint: Parameters<typeof sandwich>[1] = "entropy") =>
      expect(sandwich(q, logJoint, { key, ...parts })).rejects;
    await wrong({ samples: 0 }).toThrow("samples K must be an integer of at least 1, not 0");
    await wrong({ draws: 1 }).toThrow("draws S must be an integer of at least 2");
    await wrong({ width: 0 }).toThrow("width must be positive");
    await wrong({ maxSamples: 3 }).toThrow("maxSamples must be an integer of at least 16");
    const nowhere = (z: Tensor3D) => tf.fill([z.shape[0], z.shape[1]], Number.NaN);
    await wrong({ draws: 3 }, nowhere).toThrow("of draw 0 is NaN");
    await wrong({ draws: 3 }, (z) => z).toThrow("target log-density returns has the shape [3, 1, 2], but needs [3, 1]");
    await expect(sandwich(q, null as never, { key })).rejects.toThrow('a function of z, or "entropy"');
  });
});

describe("marginalBounds", () => {
  it("is the estimate with ψ_0 and the one without, of the same draws, and needs K ≥ 1", () => {
    const family = hierarchicalLinearGaussian({ dimension: 2 });
    const phi = family.init(randomKey(1));
    const { lower, upper, logW } = tidied(() => {
      const hierarchy = family.hierarchy(phi);
      const { z, psi: psi0 } = sampleHierarchy(hierarchy, randomKey(2), 7);
      const at = { hierarchy, eta: {}, z, psi0, key: randomKey(3), reverse: mixingReverse() };
      expect(() => marginalBounds({ ...at, samples: 0 })).toThrow("K must be an integer of at least 1, not 0");
      const logW = iwhvi({ reverse: mixingReverse(), samples: 4 }).logWeights(at);
      return { ...marginalBounds({ ...at, samples: 4 }), logW: tf.squeeze(logW, [2]) };
    });
    const rows = logW.arraySync() as number[][];
    expect(rows).toHaveLength(5);
    const logMean = (of: number[][]) =>
      of[0].map((_, m) => Math.log(of.reduce((sum, row) => sum + Math.exp(row[m]), 0) / of.length));
    expectClose(read(upper), logMean(rows), 1e-5);
    expectClose(read(lower), logMean(rows.slice(1)), 1e-5);
    logW.dispose();
  });
});
