import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { Gamma } from "../../src/distributions/gamma.js";
import { Independent } from "../../src/distributions/independent.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import type { HierarchicalPosterior } from "../../src/families/hierarchicalFamily.js";
import { type MeanFieldGammaParameters, meanFieldGamma } from "../../src/families/meanFieldGamma.js";
import { exactReverse, reverseOf } from "../../src/families/reverseConditional.js";
import { iwhviDoublyReparameterised } from "../../src/gradients/iwhviDoublyReparameterised.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { type UiviParameters, uivi, uiviProblem } from "../../src/gradients/uivi.js";
import { hierarchicalDensityProblem } from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi } from "../../src/marginals/marginal.js";
import { exactReverseSampler } from "../../src/marginals/reverseSampler.js";
import { densityProblem, type NoParameters } from "../../src/models/problem.js";
import { exp } from "../../src/ops/exp.js";
import { logGamma } from "../../src/ops/gammaFunctions.js";
import { expectClose, read } from "../engine/support.js";
import { checked, differences, expectUnbiased } from "../gradients/support.js";

beforeAll(async () => {
  await ready({ backend: "tensorflow" });
});

const row = (value: number): Tensor2D => tf.tensor2d([[value]]);

describe("meanFieldGamma", () => {
  it("starts where it is asked to, no two coordinates alike, and leaves nothing behind", () => {
    const family = meanFieldGamma({ dimension: 3, batchSize: 2, initialConcentration: 4, initialMean: 5 });
    const before = tf.memory().numTensors;
    const phi = family.init(randomKey(1));
    const means = read(tf.tidy(() => family.distribution(phi).mean()));
    const variances = read(tf.tidy(() => family.distribution(phi).variance()));
    expectClose(
      variances,
      means.map((mean) => mean ** 2 / 4),
      1e-5,
    );
    for (const mean of means) expect(Math.abs(Math.log(mean / 5))).toBeLessThan(0.5);
    expect(new Set(means).size).toBe(6);
    disposeParameters(phi);
    expect(tf.memory().numTensors).toBe(before);
    expect(() => meanFieldGamma({ dimension: 0 })).toThrow("dimension must be a positive integer");
    expect(() => meanFieldGamma({ dimension: 1, initialMean: -1 })).toThrow("initialMean must be positive and finite");
  });

  it("has the exact gradient of its ELBO, through draws by rejection", async () => {
    const family = meanFieldGamma({ dimension: 1 });
    // Against p(z) ∝ z² e^(−z): E[2 log z − z] + H.
    const rule = trapezoid(-30, 6, 4001);
    const value = ([logShape, logMean]: readonly number[]): number => {
      const [shape, rate] = [Math.exp(logShape!), Math.exp(logShape! - logMean!)];
      return rule.points.reduce((sum, y, i) => {
        const logQ = shape * (y + Math.log(rate)) - rate * Math.exp(y) - logGamma(shape); // of log z
        return sum + Math.exp(rule.logWeights[i]! + logQ) * (2 * y - Math.exp(y) - (logQ - y));
      }, 0);
    };
    const at = [-0.4, 0.7];
    const [logConcentration, logMean] = differences(value, at);
    const report = await checked(
      reparameterised,
      {
        problem: densityProblem({
          logDensity: (z) => tf.sum(tf.sub(tf.mul(tf.log(z), 2), z), -1),
          family,
        }),
        theta: {},
        phi: { logConcentration: row(at[0]!), logMean: row(at[1]!) },
        exact: { theta: {}, phi: { logConcentration: row(logConcentration!), logMean: row(logMean!) } },
      },
      { bound: elbo, samples: 100, seed: 5 },
    );
    expectUnbiased(report);
    expect(report.worst.standardError).toBeLessThan(0.05);
  });
});

/**
 * ψ ~ Gamma(α, β), z | ψ ~ Gamma(c, ψ): z/β is beta prime, q(z) = β^α z^(c−1) / (B(c, α) (β + z)^(α + c)), and ψ | z ~ Gamma(α + c, β + z).
 *
 * Every law has a shape that is learnt, so the gradient of the ELBO passes through three implicit draws.
 */
type BetaPrimeParameters = MeanFieldGammaParameters & { readonly logShape: Tensor2D };
const betaPrime: HierarchicalPosterior<BetaPrimeParameters> = {
  dimension: 1,
  mixingDimension: 1,
  hierarchy: ({ logShape, ...phi }) => {
    const mixing = meanFieldGamma({ dimension: 1 }).distribution(phi);
    const [alpha, shape, rate] = [
      exp(phi.logConcentration),
      exp(logShape),
      exp(tf.sub(phi.logConcentration, phi.logMean)),
    ];
    const vectors = (base: Gamma) => new Independent({ base, eventRank: 1 });
    return {
      mixing,
      conditional: (psi) => vectors(new Gamma({ concentration: shape, rate: psi })),
      reverse: (z) => reverseOf(vectors(new Gamma({ concentration: tf.add(alpha, shape), rate: tf.add(rate, z) }))),
    };
  },
};

describe("gamma mixed over its rate, against e^−z", () => {
  const at = { logConcentration: Math.log(4), logMean: 0.3, logShape: Math.log(1.6) };
  const names = ["logConcentration", "logMean", "logShape"] as const;
  const rule = trapezoid(-30, 12, 6001);
  const value = ([logAlpha, logMean, logShape]: readonly number[]): number => {
    const [alpha, shape, rate] = [Math.exp(logAlpha!), Math.exp(logShape!), Math.exp(logAlpha! - logMean!)];
    const constant = alpha * Math.log(rate) - logGamma(shape) - logGamma(alpha) + logGamma(alpha + shape);
    return rule.points.reduce((sum, y, i) => {
      const z = Math.exp(y);
      const logQ = constant + (shape - 1) * y - (alpha + shape) * Math.log(rate + z);
      return sum + Math.exp(rule.logWeights[i]! + logQ + y) * (-z - logQ);
    }, 0);
  };
  const gradient = differences(
    value,
    names.map((name) => at[name]),
  );
  const q = () => Object.fromEntries(names.map((name) => [name, row(at[name])])) as BetaPrimeParameters;
  const exactQ = () => Object.fromEntries(names.map((name, i) => [name, row(gradient[i]!)])) as BetaPrimeParameters;
  const marginal = iwhvi({ reverse: exactReverse, samples: 2 });
  const problem = hierarchicalDensityProblem({
    logDensity: (z: Tensor3D) => tf.neg(tf.sum(z, -1)),
    family: betaPrime,
    marginal,
  });

  it.each([reparameterised, iwhviDoublyReparameterised])("has the exact gradient by $name", async (estimator) => {
    const none: NoParameters = {};
    const report = await checked(
      estimator,
      {
        problem,
        theta: none,
        phi: { q: q(), tau: none },
        exact: { theta: none, phi: { q: exactQ(), tau: none } },
      },
      { bound: elbo, samples: 100, seed: 7 },
    );
    expectUnbiased(report);
    expect(report.worst.standardError).toBeLessThan(0.1);
  });

  it("has the exact gradient by uivi with exact draws of ψ | z", async () => {
    const none: NoParameters = {};
    const given = uiviProblem({ problem, reverse: exactReverseSampler({ samples: 4 }) });
    const phi: UiviParameters<BetaPrimeParameters, NoParameters, NoParameters> = { q: q(), tau: none, reverse: none };
    const report = await checked(
      uivi,
      { problem: given, theta: none, phi, exact: { theta: none, phi: { q: exactQ(), tau: none, reverse: none } } },
      { bound: elbo, samples: 100, seed: 8 },
    );
    expectUnbiased(report);
  });
});
