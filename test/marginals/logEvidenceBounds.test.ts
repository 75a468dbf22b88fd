import { beforeAll, describe, expect, it } from "vitest";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { weightDistribution } from "../../src/bounds/weightDistribution.js";
import { estimateMean } from "../../src/diagnostics/moments.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey, split } from "../../src/engine/random.js";
import { type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { tidied } from "../../src/engine/values.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { exactReverse } from "../../src/families/reverseConditional.js";
import { encoderReverse, vaeHierarchy } from "../../src/marginals/encoderReverse.js";
import { logEvidenceBounds } from "../../src/marginals/logEvidenceBounds.js";
import { iwhvi, sampleHierarchy } from "../../src/marginals/marginal.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { logEvidence } from "../../src/models/logEvidence.js";
import { vae } from "../../src/models/vae.js";
import { expectClose } from "../engine/support.js";
import { expectedEstimate, logNormal } from "./linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

// p(z) = N(0, 1), p(x | z) = N(1.3 z + .4, .7²): the latent in ψ's place, the datum in z's.
const model = { slope: 1.3, shift: 0.4, scale: 0.7 };
const family = hierarchicalLinearGaussian({ dimension: 1 });
const hierarchy = () =>
  family.hierarchy({
    slope: tf.tensor2d([[model.slope]]),
    shift: tf.tensor2d([[model.shift]]),
    logScale: tf.tensor2d([[Math.log(model.scale)]]),
  });
const truth = -Math.log(Math.hypot(model.slope, model.scale)) - Math.log(2 * Math.PI * Math.E) / 2; // E log p(x)
const encoder = gaussianReverse({ latent: 1, mixing: 1, hidden: [], fromMixing: false });
const eta = () => ({
  layers: [{ weights: tf.tensor2d([[0.3, 0]]), bias: tf.tensor1d([-0.1, Math.log(0.55)]) as Tensor1D }],
});

describe("logEvidenceBounds", () => {
  it("has E log p(x) of a linear-Gaussian model between two bounds, of the values that quadrature gives", async () => {
    const tau = (x: number) => ({ mean: 0.3 * x - 0.1, scale: 0.55 });
    for (const samples of [1, 8]) {
      const found = await logEvidenceBounds(
        { hierarchy, reverse: encoder, eta: eta() },
        { samples, draws: 40000, key: randomKey(samples) },
      );
      const [below, above] = [false, true].map((own) => expectedEstimate(model, tau, samples, own));
      expect(Math.abs(found.lower.value - below) / found.lower.standardError, `K = ${samples}`).toBeLessThan(4);
      expect(Math.abs(found.upper.value - above) / found.upper.standardError, `K = ${samples}`).toBeLessThan(4);
      expect(Math.abs(found.width.value - (above - below)) / found.width.standardError).toBeLessThan(4);
      expect([below < truth, truth < above]).toEqual([true, true]);
      expect(above - below).toBeGreaterThan(8 * found.width.standardError); // so that the test can tell
    }
  });

  it("is E log p(x) at the exact posterior, and widens K elsewhere", async () => {
    const exact = await logEvidenceBounds(
      { hierarchy, reverse: exactReverse, eta: {} },
      { draws: 20000, key: randomKey(3) },
    );
    expect(Math.abs(exact.lower.value - truth) / exact.lower.standardError).toBeLessThan(4);
    expect(Math.abs(exact.width.value)).toBeLessThan(1e-5);
    const parameters = eta();
    const before = tf.memory().numTensors;
    const narrow = await logEvidenceBounds(
      { hierarchy, reverse: encoder, eta: parameters },
      { samples: 1, width: 0.02, key: randomKey(4) },
    );
    expect(narrow.reached).toBe(true);
    expect(narrow.samples).toBeGreaterThan(4);
    expect(narrow.width.value).toBeLessThanOrEqual(0.02);
    await expect(
      logEvidenceBounds({ hierarchy, reverse: encoder, eta: parameters }, { samples: 0, key: randomKey(4) }),
    ).rejects.toThrow("logEvidenceBounds: samples K must be an integer of at least 1, not 0");
    expect(tf.memory().numTensors).toBe(before);
  });

  it("has IWAE's bound on its lower side", async () => {
    // One τ for every x, N(.2, .9²): the exact L_3 of each x, averaged over p(x).
    const flat = {
      layers: [{ weights: tf.zeros([1, 2]) as Tensor2D, bias: tf.tensor1d([0.2, Math.log(0.9)]) as Tensor1D }],
    };
    const found = await logEvidenceBounds(
      { hierarchy, reverse: encoder, eta: flat },
      { samples: 3, draws: 40000, key: randomKey(5) },
    );
    const scale = Math.hypot(model.slope, model.scale);
    const data = trapezoid(model.shift - 6 * scale, model.shift + 6 * scale, 41);
    const latents = trapezoid(-8, 8, 321);
    const exact = data.points.reduce((sum, x, i) => {
      const joint = ([z]: readonly number[]) =>
        Math.exp(logNormal(z, 0, 1) + logNormal(x, model.slope * z + model.shift, model.scale));
      const weights = weightDistribution(latents, joint, ([z]) => Math.exp(logNormal(z, 0.2, 0.9)));
      return sum + Math.exp(data.logWeights[i] + logNormal(x, model.shift, scale)) * exactIwae(weights, 3);
    }, 0);
    expect(Math.abs(found.lower.value - exact) / found.lower.standardError).toBeLessThan(4);
  });
});

describe("a variational autoencoder as a hierarchy", () => {
  const decoder = vae({ latent: 2, observed: 6, hidden: [5] });
  const theta = decoder.init(randomKey(1), tf.fill([3, 6], 0.4));
  const q = amortisedGaussian({ latent: 2, observed: 6, hidden: [4] });
  const phi = q.init(randomKey(2));

  it("weighs each simulated datum by p(x, z)/q(z | x), its own latent first", () => {
    const [found, exact] = tidied(() => {
      const hierarchy = vaeHierarchy(decoder, theta);
      const { z: x, psi: z } = sampleHierarchy(hierarchy, randomKey(3), 4);
      const reverse = encoderReverse(q);
      const logW = iwhvi({ reverse, samples: 2 }).logWeights({ hierarchy, eta: phi, z: x, psi0: z, key: randomKey(4) });
      const fresh = reverse.given(phi, { hierarchy, z: x }).sample(randomKey(4), 2);
      const rows = tf.reshape(x, [4, 6]) as Tensor2D; // the data as a batch
      const latents = tf.reshape(tf.concat([tf.expandDims(z, 0), fresh], 0), [3, 4, 2]);
      const expected = tf.sub(
        decoder.logJoint(theta, latents as Parameters<typeof decoder.logJoint>[1], rows),
        q.distribution(phi, rows).logProb(latents),
      );
      return [logW, expected].map((each) => Array.from(each.dataSync()));
    });
    expect(found).toHaveLength(12);
    expectClose(found, exact, 1e-5);
  });

  it("holds E log p(x) between its bounds, as a grid over z gives it", async () => {
    const { lower, upper } = await logEvidenceBounds(
      { hierarchy: () => vaeHierarchy(decoder, theta), reverse: encoderReverse(q), eta: phi },
      { samples: 50, draws: 4000, key: randomKey(5) },
    );
    const data = tf.tidy(() =>
      tf.reshape(sampleHierarchy(vaeHierarchy(decoder, theta), randomKey(6), 4000).z, [4000, 6]),
    );
    const { mean } = await logEvidence({ model: decoder, theta, x: data as Tensor2D, points: 41 });
    const above = upper.value - mean.value;
    const below = mean.value - lower.value;
    const noise = 4 * Math.hypot(upper.standardError, mean.standardError);
    expect([above, below].every((gap) => gap > -noise && gap < 0.2 + noise)).toBe(true);
    expect(upper.value - lower.value).toBeGreaterThan(0);
  });
});

describe("the bound of one datum at a time", () => {
  it("averages to log p(x) itself where τ is the posterior, for conjugate data as for any", () => {
    const values = tidied(() => {
      const hierarchy = family.hierarchy({
        slope: tf.ones([1, 1]),
        shift: tf.zeros([1, 1]),
        logScale: tf.zeros([1, 1]),
      });
      const [simulate, key] = split(randomKey(7));
      const { z: x, psi: z } = sampleHierarchy(hierarchy, simulate, 50);
      const logP = iwhvi({ reverse: exactReverse, samples: 2 }).logDensity({ hierarchy, eta: {}, z: x, psi0: z, key });
      const xs = x.dataSync();
      return Float64Array.from(logP.dataSync(), (value, i) => value - conjugateGaussian.logEvidence(xs[i]));
    });
    expect(Math.abs(estimateMean(values).value)).toBeLessThan(1e-6);
  });
});
