import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor3D, tf } from "../../src/engine/tf.js";
import { mixtureGaussian } from "../../src/families/mixtureGaussian.js";
import { expectClose, read } from "../engine/support.js";
import { logMixture, mixtureOf } from "../marginals/hierarchicalTruth.js";

beforeAll(async () => {
  await ready();
});

describe("mixtureGaussian", () => {
  it("is Σ_c w_c N(μ_c, diag σ_c²) of its logits, means and log-scales", () => {
    const [means, logScales] = [
      [1, -1, -0.5, 2],
      [0.2, -0.4, -1, 0.3],
    ];
    const q = mixtureGaussian({ dimension: 2, components: 2 }).distribution({
      logits: tf.tensor2d([[0.7, -0.2]]),
      means: tf.tensor3d(means!, [1, 2, 2]) as Tensor3D,
      logScales: tf.tensor3d(logScales!, [1, 2, 2]) as Tensor3D,
    });
    expect([q.batchShape, q.eventShape, q.reparameterised]).toEqual([[1], [2], false]);
    const mixture = mixtureOf([0.7, -0.2], means!, logScales!);
    const probes = [
      [0.3, -1.5],
      [-2, 4],
    ];
    expectClose(
      read(q.logProb(tf.tensor3d(probes.map((probe) => [probe])))),
      probes.map((probe) => logMixture(mixture, probe)),
      1e-5,
    );
    const mean = [0, 1].map((d) => mixture.reduce((sum, { weight, mean }) => sum + weight * mean[d]!, 0));
    expectClose(read(q.mean()), mean, 1e-5);
  });

  it("starts with equal weights and Gaussians apart, the same for the same key, and leaves nothing behind", () => {
    const family = mixtureGaussian({ dimension: 2, components: 3, batchSize: 4, initialScale: 0.5 });
    const before = tf.memory().numTensors;
    const [one, two] = [family.init(randomKey(1)), family.init(randomKey(1))];
    expect(Array.from(one.means.dataSync())).toEqual(Array.from(two.means.dataSync()));
    expect(new Set(one.means.dataSync()).size).toBe(24);
    expect(one.logScales.dataSync()[0]).toBeCloseTo(Math.log(0.5), 6);
    expect(family.distribution(one).batchShape).toEqual([4]);
    disposeParameters(two);
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(5);
  });

  it("refuses sizes and scales that make no sense", () => {
    const make = (changed: object) => mixtureGaussian({ dimension: 2, components: 2, ...changed });
    expect(() => make({ dimension: 0 })).toThrow("dimension must be a positive integer");
    expect(() => make({ components: 0 })).toThrow("components must be a positive integer");
    expect(() => make({ batchSize: 1.5 })).toThrow("batchSize must be a positive integer");
    expect(() => make({ initialScale: 0 })).toThrow("initialScale must be positive");
    expect(() => make({ initialSpread: -1 })).toThrow("initialSpread must be positive");
  });
});
