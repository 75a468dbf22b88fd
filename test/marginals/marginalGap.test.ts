import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor1D, tf } from "../../src/engine/tf.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { exactReverse, mixingReverse } from "../../src/families/reverseConditional.js";
import { marginalGap } from "../../src/marginals/marginalGap.js";
import { type Auxiliary, expectedEstimate, marginalOf } from "./linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

const q = { slope: 1.3, shift: 0.4, scale: 0.7 };
const family = hierarchicalLinearGaussian({ dimension: 1 });
const hierarchy = () =>
  family.hierarchy({
    slope: tf.tensor2d([[q.slope]]),
    shift: tf.tensor2d([[q.shift]]),
    logScale: tf.tensor2d([[Math.log(q.scale)]]),
  });
const truth = -Math.log(marginalOf(q).scale) - Math.log(2 * Math.PI * Math.E) / 2;
const tau: Auxiliary = (z) => ({ mean: 0.3 * z - 0.1, scale: 0.55 });
const linear = gaussianReverse({ latent: 1, mixing: 1, hidden: [], fromMixing: false });
const eta = () => ({
  layers: [{ weights: tf.tensor2d([[0.3, 0]]), bias: tf.tensor1d([-0.1, Math.log(0.55)]) as Tensor1D }],
});

describe("marginalGap", () => {
  it("is the exact gap on either side, K = 0 included", async () => {
    const prior: Auxiliary = () => ({ mean: 0, scale: 1 });
    for (const samples of [0, 1, 10]) {
      const options = { samples, draws: 20000, key: randomKey(samples) };
      const found = [
        [prior, await marginalGap({ hierarchy, reverse: mixingReverse(), eta: {} }, options)],
        [tau, await marginalGap({ hierarchy, reverse: linear, eta: eta() }, options)],
      ] as const;
      for (const [auxiliary, { upper, lower, samples: k }] of found) {
        const above = expectedEstimate(q, auxiliary, samples, true) - truth;
        expect(Math.abs(upper.value - above) / upper.standardError, `K = ${samples}`).toBeLessThan(4);
        expect(above).toBeGreaterThan(4 * upper.standardError); // so that the test can tell
        expect([k, upper.n, lower?.n]).toEqual([samples, 20000, samples > 0 ? 20000 : undefined]);
        if (!lower) continue;
        const below = expectedEstimate(q, auxiliary, samples, false) - truth;
        expect(Math.abs(lower.value - below) / lower.standardError, `K = ${samples}`).toBeLessThan(4);
        expect(below).toBeLessThan(-4 * lower.standardError);
      }
    }
  });

  it("is nil at the exact τ, without the noise of log q(z), and leaves nothing behind", async () => {
    const kept = hierarchy();
    const at = { hierarchy: () => kept, reverse: exactReverse, eta: {} };
    const before = tf.memory().numTensors;
    for (const samples of [0, 3]) {
      const { upper, lower } = await marginalGap(at, { samples, draws: 100, key: randomKey(1) });
      for (const gap of [upper, lower]) if (gap) expect(Math.abs(gap.value)).toBeLessThan(1e-6);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says what is wrong", async () => {
    const at = { hierarchy, reverse: mixingReverse(), eta: {} };
    const key = randomKey(1);
    await expect(marginalGap(at, { samples: -1, key })).rejects.toThrow(
      "samples K must be an integer of at least 0, not -1",
    );
    await expect(marginalGap(at, { samples: 1, draws: 1, key })).rejects.toThrow(
      "draws S must be an integer of at least 2",
    );
    const unknown = { ...at, hierarchy: () => ({ ...hierarchy(), logDensity: undefined }) };
    await expect(marginalGap(unknown, { samples: 1, key })).rejects.toThrow(
      "does not know log q(z); sandwich needs no density",
    );
  });
});
