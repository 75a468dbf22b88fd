import { beforeAll, describe, expect, it } from "vitest";
import { mean, standardError } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { foldIn, normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { valuesOf } from "../../src/engine/values.js";
import { gaussianHmc } from "../../src/samplers/gaussianHmc.js";
import { hmcState, hmcTransition } from "../../src/samplers/hmcTransition.js";

beforeAll(async () => {
  await ready();
});

/** One transition once more, by one integral: (u, v) are the axes of the energy's error, |u|²/(|u|² + |v|²) is Beta, and the rest of it a Gamma. */
function oneTransition(step: number, leapfrogSteps: number, dimension: number): { acceptance: number; rho: number } {
  const angle = leapfrogSteps * 2 * Math.asin(step / 2);
  const [kept, gained] = [Math.cos(angle), Math.sin(angle) / Math.sqrt(1 - (step * step) / 4)];
  const [qq, qr, rr] = [kept * kept - 1, kept * gained, gained * gained].map((entry) => (entry * step * step) / 8);
  const radius = Math.hypot((qq - rr) / 2, qr);
  const [first, second] = [(qq + rr) / 2 + radius, (qq + rr) / 2 - radius];
  const turn = Math.atan2(2 * qr, qq - rr) / 2;
  const cross = (Math.sin(2 * turn) * gained) / 2;
  const along = Math.cos(turn) ** 2 * (kept - 1) + cross;
  const across = Math.sin(turn) ** 2 * (kept - 1) - cross;
  const n = 20_000;
  let [total, acceptance, rho] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const phi = ((i + 0.5) * Math.PI) / (2 * n);
    const share = Math.cos(phi) ** 2;
    const weight = (Math.sin(phi) * Math.cos(phi)) ** (dimension - 1);
    const growth = 1 + 2 * Math.max(0, first * share + second * (1 - share));
    total += weight;
    acceptance += weight * growth ** -dimension;
    rho += 2 * weight * (along * share + across * (1 - share)) * growth ** (-dimension - 1);
  }
  return { acceptance: acceptance / total, rho: 1 + rho / total };
}

describe("gaussianHmc", () => {
  it.each([1, 2, 3, 10])("is one integral for one transition, D = %d", (dimension) => {
    for (const [stepSize, leapfrogSteps] of [
      [0.36, 5],
      [1.3, 5],
      [1.9, 2],
      [0.8, 1],
    ]) {
      const found = gaussianHmc({ stepSize, leapfrogSteps, dimension });
      const exact = oneTransition(stepSize, leapfrogSteps, dimension);
      expect(found.acceptanceProbability).toBeCloseTo(exact.acceptance, 7);
      expect(found.correlation(1)).toBeCloseTo(exact.rho, 7);
      expect(found.correlation(0)).toBe(1);
    }
  });

  it("is a rotation where steps are small, all of which are accepted", () => {
    const { acceptanceProbability, correlation } = gaussianHmc({ stepSize: 0.01, leapfrogSteps: 40 });
    expect(acceptanceProbability).toBeGreaterThan(0.99999);
    for (const t of [1, 2, 5]) expect(correlation(t)).toBeCloseTo(Math.cos(40 * 2 * Math.asin(0.005)) ** t, 4);
  });

  it("comes back after a whole period and goes opposite after half of one, in every dimension, always accepted", () => {
    for (const dimension of [1, 4]) {
      const whole = gaussianHmc({ stepSize: 2 * Math.sin(Math.PI / 5), leapfrogSteps: 5, dimension });
      const half = gaussianHmc({ stepSize: 2 * Math.sin(Math.PI / 10), leapfrogSteps: 5, dimension });
      for (const { acceptanceProbability } of [whole, half]) expect(acceptanceProbability).toBeCloseTo(1, 9);
      for (const t of [1, 2, 7]) {
        expect(whole.correlation(t)).toBeCloseTo(1, 7);
        expect(half.correlation(t)).toBeCloseTo((-1) ** t, 7);
      }
    }
    const jittered = gaussianHmc({ stepSize: 2 * Math.sin(Math.PI / 5), leapfrogSteps: 5, jitter: 0.2 });
    expect(jittered.correlation(5)).toBeLessThan(0.3);
  });

  it("is, jittered, the mean over step sizes, also across periods", () => {
    for (const [stepSize, jitter] of [
      [1.45, 0.2],
      [0.9, 0.7],
    ]) {
      const found = gaussianHmc({ stepSize, leapfrogSteps: 5, jitter });
      const n = 1000;
      let [acceptance, rho] = [0, 0];
      for (let i = 0; i < n; i++) {
        const one = gaussianHmc({ stepSize: stepSize * (1 + jitter * ((2 * i + 1) / n - 1)), leapfrogSteps: 5 });
        acceptance += one.acceptanceProbability / n;
        rho += one.correlation(1) / n;
      }
      expect(Math.abs(found.acceptanceProbability - acceptance)).toBeLessThan(1e-6);
      expect(Math.abs(found.correlation(1) - rho)).toBeLessThan(1e-6);
    }
  });

  it.each([
    { stepSize: 1.3, leapfrogSteps: 5, dimension: 1, jitter: 0 },
    { stepSize: 1.8, leapfrogSteps: 3, dimension: 1, jitter: 0 },
    { stepSize: 0.9, leapfrogSteps: 5, dimension: 4, jitter: 0 },
    { stepSize: 1.2, leapfrogSteps: 5, dimension: 2, jitter: 0.3 },
  ])("is what chains of hmcTransition do, $stepSize $leapfrogSteps $dimension $jitter", (options) => {
    const { stepSize, leapfrogSteps, dimension, jitter } = options;
    const [scale, chains, key] = [0.6, 60_000, randomKey(JSON.stringify(options))];
    const exact = gaussianHmc(options);
    const logDensity = (q: Tensor): Tensor => tf.mul(tf.sum(tf.square(tf.div(q, scale)), -1), -0.5);
    const series = valuesOf(() => {
      const start = tf.mul(normal(foldIn(key, 0), [chains, dimension]), scale);
      let state = hmcState(logDensity, start);
      const found: Tensor[] = [];
      for (let t = 1; t <= 4; t++) {
        const kernel = { logDensity, stepSize: tf.scalar(stepSize * scale), leapfrogSteps, jitter };
        const step = hmcTransition({ ...kernel, state, key: foldIn(key, t) });
        state = step.state;
        // One number a chain: its coordinates are not independent.
        found.push(tf.div(tf.mean(tf.mul(state.position, start), -1), scale * scale), step.acceptanceProbability);
      }
      return tf.concat(found);
    });
    for (let t = 1; t <= 4; t++) {
      const [products, acceptance] = [2 * t - 2, 2 * t - 1].map((i) => series.slice(i * chains, (i + 1) * chains));
      expect(Math.abs(mean(products) - exact.correlation(t))).toBeLessThan(4 * standardError(products));
      expect(Math.abs(mean(acceptance) - exact.acceptanceProbability)).toBeLessThan(4 * standardError(acceptance));
    }
  });

  it("refuses what is no chain", () => {
    const given = { stepSize: 1, leapfrogSteps: 5 };
    expect(() => gaussianHmc({ ...given, stepSize: 0 })).toThrow("stepSize must be positive and below 2");
    expect(() => gaussianHmc({ ...given, stepSize: 1.8, jitter: 0.25 })).toThrow("below 1.6 standard deviations");
    expect(() => gaussianHmc({ ...given, jitter: 1 })).toThrow("jitter must be in [0, 1)");
    expect(() => gaussianHmc({ ...given, leapfrogSteps: 0 })).toThrow("leapfrogSteps must be a positive integer");
    expect(() => gaussianHmc({ ...given, dimension: 1.5 })).toThrow("dimension must be a positive integer");
    expect(() => gaussianHmc(given).correlation(-1)).toThrow("transitions must be an integer of at least 0");
  });
});
