import { beforeAll, describe, expect, it } from "vitest";
import { chainMean, chainStandardDeviation } from "../../src/diagnostics/chainMoments.js";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { eightSchoolsCentred, eightSchoolsNonCentred, exactEightSchools } from "../../src/models/eightSchools.js";
import { hmc } from "../../src/samplers/hmc.js";
import { unconstrained } from "../../src/transforms/unconstrained.js";
import { expectClose, expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const y = [28, 8, -3, 7, -1, 1, 18, 12];
const sigma = [15, 10, 16, 11, 9, 11, 10, 18];
const logNormal = (x: number, mean: number, scale: number): number =>
  -0.5 * ((x - mean) / scale) ** 2 - Math.log(scale) - 0.5 * Math.log(2 * Math.PI);

describe("the eight schools", () => {
  it("have the log-joint written out in Float64, with every constant", () => {
    const [mu, tau] = [3, 2.5];
    const theta = [9, 7, 1, 4, 0, 2, 8, 5];
    const expected =
      logNormal(mu, 0, 5) +
      Math.log(2 / (Math.PI * 5 * (1 + (tau / 5) ** 2))) +
      theta.reduce((sum, t, j) => sum + logNormal(t, mu, tau) + logNormal(y[j], t, sigma[j]), 0);
    const at = { mu: tf.tensor1d([mu]), tau: tf.tensor1d([tau]), theta: tf.tensor2d([theta]) };
    expectClose(read(eightSchoolsCentred().logJoint(at)), [expected], 1e-6);
    // Non-centred, η's density is θ's times τ⁸.
    const standardised = tf.tensor2d([theta.map((t) => (t - mu) / tau)]);
    expectClose(
      read(eightSchoolsNonCentred().logJoint({ mu: at.mu, tau: at.tau, standardised })),
      [expected + 8 * Math.log(tau)],
      1e-6,
    );
    expectNoLeak(() => eightSchoolsCentred().logJoint(at));
  });

  it("have the exact moments that a long run of HMC finds in the non-centred form", async () => {
    const model = unconstrained(eightSchoolsNonCentred());
    const draws = await hmc({
      logDensity: model.logDensity,
      init: tf.tidy(() => normal(randomKey(1), [16, model.dimension])) as Tensor2D,
      key: randomKey(2),
      warmUp: 300,
      samples: 700,
      targetAcceptance: 0.9,
    });
    expect(draws.worst().rHat).toBeLessThan(1.01);
    const exact = exactEightSchools();
    const within = (estimate: { value: number; standardError: number }, value: number): void =>
      expect(Math.abs(estimate.value - value)).toBeLessThan(4 * estimate.standardError);
    within(draws.summary(0).mean, exact.mu.mean);
    within(draws.summary(0).standardDeviation, exact.mu.standardDeviation);
    within(draws.summary(1).mean, exact.logTau.mean);
    within(draws.summary(1).standardDeviation, exact.logTau.standardDeviation);
    const [mu, logTau] = [draws.chains(0), draws.chains(1)];
    const tau = logTau.map((chain) => chain.map(Math.exp));
    within(chainMean(tau), exact.tau.mean);
    y.forEach((_, j) => {
      const theta = draws.chains(2 + j).map((chain, c) => chain.map((eta, s) => mu[c][s] + tau[c][s] * eta));
      within(chainMean(theta), exact.theta[j].mean);
      within(chainStandardDeviation(theta), exact.theta[j].standardDeviation);
    });
  });

  it("have an evidence that a quadrature over μ and τ confirms", () => {
    let total = 0;
    const [stepMu, stepLog] = [0.1, 0.05];
    for (let mu = -30; mu <= 40; mu += stepMu) {
      for (let logTau = -12; logTau <= 7; logTau += stepLog) {
        const tau = Math.exp(logTau);
        const logP = y.reduce(
          (sum, value, j) => sum + logNormal(value, mu, Math.hypot(tau, sigma[j])),
          logNormal(mu, 0, 5) + Math.log(2 / (Math.PI * 5 * (1 + (tau / 5) ** 2))) + logTau,
        );
        total += Math.exp(logP) * stepMu * stepLog;
      }
    }
    expect(exactEightSchools().logEvidence).toBeCloseTo(Math.log(total), 5);
  });
});
