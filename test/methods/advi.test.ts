import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import type { Estimate } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { advi } from "../../src/methods/advi.js";
import { explain } from "../../src/methods/explain.js";
import { matMul } from "../../src/ops/matMul.js";
import { positive } from "../../src/transforms/positive.js";
import { real } from "../../src/transforms/real.js";
import { simplex } from "../../src/transforms/simplex.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const precision = [
  [2, 0.8, 0],
  [0.8, 1.5, -0.4],
  [0, -0.4, 1],
];
const centre = [1, -2, 0.5];
const determinant = 2 * (1.5 - 0.16) - 0.8 * 0.8;
/** log of a Gaussian without its constant, times e³. */
const gaussian = {
  supports: { x: real([3]) },
  logJoint: ({ x }: { x: Tensor2D }): Tensor => {
    const d = tf.sub(x, tf.tensor2d([centre])) as Tensor2D;
    return tf.add(3, tf.mul(-0.5, tf.sum(tf.mul(matMul(d, tf.tensor2d(precision)), d), 1)));
  },
};
const logEvidence = 3 + 1.5 * Math.log(2 * Math.PI) - 0.5 * Math.log(determinant);

describe("advi on a Gaussian", () => {
  it("finds it with full rank: exact moments, ELBO = log p, all weights equal", async () => {
    const before = tf.memory().numTensors;
    const fit = await advi({ ...gaussian, family: "fullRank", key: randomKey(1) });
    const covariance = [(1.5 - 0.16) / determinant, 2 / determinant, (3 - 0.64) / determinant];
    expectClose(read(fit.posterior.distribution(fit.phi).mean()), centre, 3e-3);
    expectClose(read(fit.posterior.distribution(fit.phi).variance()), covariance, 1e-2);
    expect(Math.abs(fit.elbo.value - logEvidence)).toBeLessThan(4 * fit.elbo.standardError + 2e-4);
    const { verdict, khat, gap } = explain(fit);
    expect(verdict).toBe("good");
    expect(khat).toBeLessThan(0.3);
    expect(gap).toBeLessThan(1e-3);
    expect(fit.converged).toBe(true);
    expectTypeOf(fit.draws.x).toEqualTypeOf<Float32Array>();
    fit.dispose();
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 2); // what the two distributions above hold
  });

  it("gives mean-field the variances 1/Λ_ii and the ELBO of that optimum", async () => {
    const fit = await advi({ ...gaussian, key: randomKey(2) });
    expectClose(read(fit.posterior.distribution(fit.phi).mean()), centre, 1e-2);
    expectClose(read(fit.posterior.distribution(fit.phi).variance()), [0.5, 1 / 1.5, 1], 2e-2);
    const optimum = 3 + 1.5 * Math.log(2 * Math.PI) - 0.5 * Math.log(2 * 1.5 * 1);
    expect(Math.abs(fit.elbo.value - optimum)).toBeLessThan(4 * fit.elbo.standardError + 1e-3);
    expect(Math.abs(explain(fit).logEvidence.value - logEvidence)).toBeLessThan(
      4 * explain(fit).logEvidence.standardError,
    );
    fit.dispose();
  });

  it("comes with low rank between the two", async () => {
    const fit = await advi({ ...gaussian, family: "lowRank", rank: 1, key: randomKey(3) });
    const meanField = 3 + 1.5 * Math.log(2 * Math.PI) - 0.5 * Math.log(3);
    expect(fit.elbo.value).toBeGreaterThan(meanField + 4 * fit.elbo.standardError);
    expect(fit.elbo.value).toBeLessThan(logEvidence + 4 * fit.elbo.standardError);
    fit.dispose();
  });
});

describe("advi on constrained unknowns", () => {
  it("approximates a gamma and a Dirichlet posterior in their own units", async () => {
    const alpha = [30, 50, 20];
    const fit = await advi({
      supports: { rate: positive(), share: simplex(3) },
      logJoint: ({ rate, share }) => {
        const gamma = tf.sub(tf.mul(39, tf.log(rate)), tf.mul(8, rate)); // Gamma(40, 8)
        const dirichlet = tf.sum(tf.mul(tf.log(share), tf.tensor1d(alpha.map((a) => a - 1))), 1);
        return tf.add(gamma, dirichlet);
      },
      key: randomKey(4),
      family: "fullRank",
    });
    expect(fit.summary.map(({ name }) => name)).toEqual(["rate", "share[0]", "share[1]", "share[2]"]);
    const [rate, ...share] = fit.summary;
    const within = (estimate: Estimate, value: number): void =>
      expect(Math.abs(estimate.value - value)).toBeLessThan(4 * estimate.standardError);
    within(rate.reweightedMean, 5);
    for (const [i, a] of alpha.entries()) within(share[i].reweightedMean, a / 100);
    // A lognormal is no gamma, but nearly: within 1 % without the weights.
    expectClose([rate.mean.value, rate.standardDeviation], [5, Math.sqrt(40) / 8], 1e-2);
    expect(fit.draws.share).toHaveLength(30_000);
    expect(fit.draws.share[0] + fit.draws.share[1] + fit.draws.share[2]).toBeCloseTo(1, 5);
    expect(explain(fit).verdict).toBe("good");
    const { rate: drawn } = fit.sample(randomKey(9), 7);
    expectTypeOf(drawn).toEqualTypeOf<Tensor1D>();
    expect(drawn.shape).toEqual([7]);
    fit.dispose();
  });
});

describe("a run of stages", () => {
  it("takes back what too large a rate spoils, and goes on", async () => {
    const fit = await advi({ ...gaussian, learningRates: [1e30, 0.05, 0.01], key: randomKey(6) });
    expect(fit.stages[0].outcome).toMatch(/not finite|worse/);
    expectClose(read(fit.posterior.distribution(fit.phi).mean()), centre, 3e-2);
    expect(fit.converged).toBe(true);
    fit.dispose();
  });

  it("says that it is not finished where the steps run out", async () => {
    const fit = await advi({ ...gaussian, steps: 20, key: randomKey(7), draws: 500 });
    expect([fit.converged, fit.steps, fit.stages.length]).toEqual([false, 20, 1]);
    expect(explain(fit).verdict).toBe("unfinished");
    expect(fit.gradientSignalToNoise).toBeGreaterThan(1);
    fit.dispose();
  });

  const narrow = {
    supports: { x: real([3]) },
    logJoint: ({ x }: { x: Tensor2D }): Tensor => tf.mul(-50, tf.sum(tf.square(x), 1)),
    initialScale: 0.1,
    draws: 500,
  };

  it("has not converged where the steps run out in a stage that is taken back, before the smaller rates had theirs", async () => {
    const fit = await advi({ ...narrow, steps: 25, learningRates: [3, 0.1, 0.03], key: randomKey(1) });
    expect(fit.stages).toMatchObject([{ learningRate: 3, outcome: "steps used up", kept: false }]);
    expect([fit.converged, fit.stoppedBecause]).toEqual([false, "its steps were used up"]);
    expect(explain(fit)).toMatchObject({ verdict: "unfinished", remedy: expect.stringContaining("more steps") });
    fit.dispose();
  });

  it("has not converged where a rate came to rest with the very last step, before the next had its own", async () => {
    const options = { ...gaussian, learningRates: [0.1, 0.01], draws: 500, key: randomKey(7) };
    const whole = await advi(options);
    const [first] = whole.stages;
    expect([whole.converged, first.outcome]).toEqual([true, "no longer rising"]);
    const cut = await advi({ ...options, steps: first.steps });
    expect(cut.stages).toHaveLength(1);
    expect([cut.converged, cut.stoppedBecause]).toEqual([false, "its steps were used up"]);
    whole.dispose();
    cut.dispose();
  });

  it("has not converged where every rate is taken back, and asks for smaller ones", async () => {
    const fit = await advi({ ...narrow, learningRates: [10, 3], window: 40, steps: 4000, key: randomKey(2) });
    expect(fit.stages).toMatchObject([{ kept: false }, { outcome: "worse", kept: false }]);
    expect(fit.converged).toBe(false);
    const { verdict, remedy, text } = explain(fit);
    expect([verdict, remedy]).toEqual(["unfinished", expect.stringContaining("smaller learningRates")]);
    expect(text).toContain("because no learning rate raised the bound, and q is where it started");
    fit.dispose();
  });

  it("does not ask for more steps where the smallest rate broke down", async () => {
    const fit = await advi({ ...gaussian, learningRates: [0.05, 1e30], key: randomKey(6), draws: 500 });
    expect(fit.stages).toMatchObject([{ kept: true }, { kept: false, outcome: "not finite" }]);
    const { verdict, remedy } = explain(fit);
    expect(verdict).toBe("unfinished");
    expect(remedy).toContain("logJoint or its gradient is not finite");
    expect(remedy).not.toContain("more steps");
    fit.dispose();
  });

  it("is the same for the same key, and leaves nothing", async () => {
    const options = { ...gaussian, steps: 300, key: randomKey(8), draws: 200 };
    const first = await advi(options);
    const before = tf.memory().numTensors;
    const again = await advi(options);
    expect(again.logWeights).toEqual(first.logWeights);
    again.dispose();
    expect(tf.memory().numTensors).toBe(before);
    first.dispose();
  });
});

describe("bad input to advi", () => {
  it("is refused in a sentence", async () => {
    const key = randomKey(1);
    await expect(advi({ ...gaussian, key, steps: 0 })).rejects.toThrow("steps must be a positive integer, not 0");
    await expect(advi({ ...gaussian, key, draws: 1.5 })).rejects.toThrow("draws must be a positive integer");
    await expect(advi({ ...gaussian, key, window: 10 })).rejects.toThrow("window must be an integer of at least 20");
    await expect(advi({ ...gaussian, key, learningRates: [] })).rejects.toThrow("at least one learning rate");
    await expect(advi({ ...gaussian, key, family: "flow" as never })).rejects.toThrow('no family "flow"');
    await expect(advi({ ...gaussian, key, family: "lowRank", rank: 4 })).rejects.toThrow("exceeds the dimension 3");
    await expect(advi({ supports: {}, logJoint: () => tf.scalar(0), key })).rejects.toThrow(
      "name at least one unknown",
    );
    const before = tf.memory().numTensors;
    const nan = {
      supports: { x: real() },
      logJoint: ({ x }: { x: Tensor1D }) => tf.log(tf.sub(tf.neg(tf.square(x)), 1)),
    };
    await expect(advi({ ...nan, key })).rejects.toThrow("Step 0: the objective is NaN");
    expect(tf.memory().numTensors).toBe(before);
  });
});
