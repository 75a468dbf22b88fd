import { beforeAll, describe, expect, it } from "vitest";
import { type Estimate, estimateMean } from "../../src/diagnostics/moments.js";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey, split } from "../../src/engine/random.js";
import { type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { tidied } from "../../src/engine/values.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import type { Hierarchy } from "../../src/families/hierarchicalFamily.js";
import { hierarchicalLaplace } from "../../src/families/hierarchicalLaplace.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { exactReverse, mixingReverse } from "../../src/families/reverseConditional.js";
import { sampleHierarchy } from "../../src/marginals/marginal.js";
import { marginalBounds, sandwich } from "../../src/marginals/sandwich.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
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
    const parts = { hierarchy: () => family.hierarchy(phi), eta: {}, key: randomKey(2), draws: 2000 };
    const wide = await sandwich({ ...parts, reverse: mixingReverse(), samples: 10 });
    // Beyond the noise, as .2162 nats a dimension are a lot even after ten draws.
    expect(wide.lower.value + 4 * wide.lower.standardError).toBeLessThan(truth);
    expect(wide.upper.value - 4 * wide.upper.standardError).toBeGreaterThan(truth);
    expect(wide.width.value).toBeCloseTo(wide.upper.value - wide.lower.value, 8);
    const narrow = await sandwich({ ...parts, reverse: mixingReverse(), samples: 200 });
    expect(narrow.lower.value).toBeGreaterThan(wide.lower.value);
    expect(narrow.upper.value).toBeLessThan(wide.upper.value);
    const exact = await sandwich({ ...parts, reverse: exactReverse, samples: 3 });
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
    const found = await sandwich({
      hierarchy: () => family.hierarchy(phi),
      reverse: mixingReverse(),
      eta: {},
      logJoint: (z: Tensor3D) => tf.add(normalLogDensity(z, 0, 1, 1), 3),
      key: randomKey(4),
      samples: 20,
      draws: 40000,
    });
    const joint = 3 - Math.log(2 * Math.PI) / 2 - (q.shift ** 2 + q.slope ** 2 + q.scale ** 2) / 2;
    const prior = () => ({ mean: 0, scale: 1 });
    expect(deviation(found.lower, joint - expectedEstimate(q, prior, 20, true))).toBeLessThan(4);
    expect(deviation(found.upper, joint - expectedEstimate(q, prior, 20, false))).toBeLessThan(4);
    expect(found.lower.n).toBe(40000);
  });

  it("widens K until the interval is as narrow as asked, or says that it is not", async () => {
    const family = hierarchicalLaplace({ dimension: 2 });
    const phi = family.init(randomKey(1));
    const parts = { hierarchy: () => family.hierarchy(phi), reverse: mixingReverse(), eta: {}, key: randomKey(5) };
    const narrow = await sandwich({ ...parts, samples: 4, draws: 500, width: 0.05 });
    expect(narrow.reached).toBe(true);
    expect(narrow.width.value).toBeLessThanOrEqual(0.05);
    expect(narrow.samples).toBeGreaterThan(4);
    expect(Math.log2(narrow.samples / 4) % 1).toBe(0);
    const before = tf.memory().numTensors;
    const stopped = await sandwich({ ...parts, samples: 4, draws: 500, width: 1e-6, maxSamples: 12 });
    expect([stopped.reached, stopped.samples]).toEqual([false, 12]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says what is wrong", async () => {
    const family = hierarchicalLaplace({ dimension: 2 });
    const phi = family.init(randomKey(1));
    const parts = { hierarchy: () => family.hierarchy(phi), reverse: mixingReverse(), eta: {}, key: randomKey(5) };
    await expect(sandwich({ ...parts, samples: 0 })).rejects.toThrow(
      "samples K must be an integer of at least 1, not 0",
    );
    await expect(sandwich({ ...parts, draws: 1 })).rejects.toThrow("draws S must be an integer of at least 2");
    await expect(sandwich({ ...parts, width: 0 })).rejects.toThrow("width must be positive");
    await expect(sandwich({ ...parts, maxSamples: 3 })).rejects.toThrow("maxSamples must be an integer of at least 16");
    const nowhere = (z: Tensor3D) => tf.fill([z.shape[0], z.shape[1]], Number.NaN);
    await expect(sandwich({ ...parts, logJoint: nowhere, draws: 3 })).rejects.toThrow("of draw 0 is NaN");
  });
});

describe("marginalBounds", () => {
  it("holds log p(x) of a model between two bounds, for x simulated with its true z", () => {
    // p(z) = N(0, 1), p(x | z) = N(z, 1): x in z's place, z in ψ's. τ(z | x) = N(.4 x, .8²), not the posterior N(x/2, ½).
    const reverse = gaussianReverse({ latent: 1, mixing: 1, hidden: [], fromMixing: false });
    const eta = { layers: [{ weights: tf.tensor2d([[0.4, 0]]), bias: tf.tensor1d([0, Math.log(0.8)]) as Tensor1D }] };
    const diagonal = (mean: tf.Tensor) => new Independent({ base: new Normal({ mean, scale: 1 }), eventRank: 1 });
    const n = 20000;
    const [lower, upper] = [1, 8].map((samples) => {
      const bounds = tidied(() => {
        const model: Hierarchy = { mixing: diagonal(tf.zeros([1, 1])), conditional: diagonal };
        const [simulate, key] = split(randomKey(samples));
        const { z: x, psi: z } = sampleHierarchy(model, simulate, n);
        const { lower, upper } = marginalBounds({ hierarchy: model, reverse, samples, eta, z: x, psi0: z, key });
        const xs = x.dataSync();
        const against = (bound: Tensor2D) =>
          estimateMean(Float64Array.from(bound.dataSync(), (value, i) => value - conjugateGaussian.logEvidence(xs[i])));
        return [against(lower), against(upper)];
      });
      const [below, above] = bounds;
      expect(below.value, `K = ${samples}`).toBeLessThan(-4 * below.standardError);
      expect(above.value, `K = ${samples}`).toBeGreaterThan(4 * above.standardError);
      return bounds.map(({ value }) => Math.abs(value));
    });
    expect(upper[0]).toBeLessThan(lower[0] / 4);
    expect(upper[1]).toBeLessThan(lower[1] / 3);
  });
});
