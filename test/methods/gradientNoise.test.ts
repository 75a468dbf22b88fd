import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { estimateMean } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor3D, tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { gradientNoise } from "../../src/methods/gradientNoise.js";
import { densityProblem } from "../../src/models/problem.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";

beforeAll(async () => {
  await ready();
});

const problem = () =>
  densityProblem({
    logDensity: (z: Tensor3D) => normalLogDensity(z, 0, 1, 1),
    family: meanFieldGaussian({ dimension: 1 }),
  });
const at = (mean: number, scale: number) => ({
  mean: tf.tensor2d([[mean]]),
  logScale: tf.tensor2d([[Math.log(scale)]]),
});

describe("gradientNoise", () => {
  // p = N(0, 1), q = N(m, s²): g_m = −(m + s ε), g_log s = 1 − s ε (m + s ε).
  it("has the signal and the noise that are known in closed form", async () => {
    const [m, s, K, replicates] = [0.6, 0.8, 3, 400];
    const phi = at(m, s);
    const before = tf.memory().numTensors;
    const options = { problem: problem(), phi, bound: elbo, gradient: reparameterised, samples: K, key: randomKey(1) };
    const found = await gradientNoise({ ...options, replicates });
    expect(tf.memory().numTensors).toBe(before);
    const variance = (s ** 2 + (m * s) ** 2 + 2 * s ** 4) / K;
    const signal = Math.hypot(m, 1 - s ** 2);
    // The trace's relative s.e. is about √(6/R), the signal's √(trace/R) at most.
    expect(Math.abs(found.noise ** 2 / variance - 1)).toBeLessThan(4 * Math.sqrt(6 / replicates));
    expect(Math.abs(found.signal - signal)).toBeLessThan(4 * Math.sqrt(variance / replicates));
    expect(found.signalToNoise).toBe(found.signal / found.noise);
    expect(found.n).toBe(replicates);
  });

  it("has signal² and noise² without bias, from as few as two gradients", async () => {
    const [m, s] = [3, 0.3];
    const options = { problem: problem(), phi: at(m, s), bound: elbo, gradient: reparameterised, samples: 1 };
    const runs = 400;
    const exact = { signal: m ** 2 + (1 - s ** 2) ** 2, noise: s ** 2 + (m * s) ** 2 + 2 * s ** 4 };
    const found = { signal: [] as number[], noise: [] as number[] };
    for (let run = 0; run < runs; run++) {
      const { signal, noise } = await gradientNoise({ ...options, key: randomKey(run), replicates: 2 });
      found.signal.push(signal ** 2);
      found.noise.push(noise ** 2);
    }
    for (const name of ["signal", "noise"] as const) {
      const { value, standardError } = estimateMean(found[name]);
      expect(Math.abs(value - exact[name])).toBeLessThan(4 * standardError);
    }
    // The mean's own noise, trace/R, would show.
    expect(4 * estimateMean(found.signal).standardError).toBeLessThan(exact.noise / 2);
  });

  it("says 0 for a signal that is none, and refuses a single gradient", async () => {
    const options = { problem: problem(), phi: at(0, 1), bound: elbo, gradient: reparameterised, samples: 1 };
    const found = await gradientNoise({ ...options, key: randomKey(2), replicates: 100 });
    expect(found.signal).toBeLessThan(4 * Math.sqrt(3 / 100));
    for (const replicates of [1, 2.5]) {
      await expect(gradientNoise({ ...options, key: randomKey(1), replicates })).rejects.toThrow(
        `replicates must be an integer of at least 2, not ${replicates}.`,
      );
    }
  });
});
