import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor1D, tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { learnedBaseline } from "../../src/gradients/learnedBaseline.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { withLearnedBaseline } from "../../src/models/learnedBaseline.js";
import { latentVariableProblem } from "../../src/models/problem.js";
import { backends } from "../engine/support.js";
import { checked, differences, expectCompiled, expectUnbiased, gaussianCase } from "./support.js";

/** Three data of z ~ N(0, 1), x ~ N(z, 1), with bounds far apart, and a baseline a + b x² off the truth; the exact gradient of everything, ψ's regression too. */
function dataCase(bound: typeof elbo, samples: number, psi: readonly [number, number]) {
  const data = [-3, 0.5, 4];
  const [means, logScales] = [
    [-0.8, 0.6, 1.5],
    [0.1, -0.2, 0],
  ];
  const value = (b: number, m: number, s: number): number =>
    bound === elbo
      ? conjugateGaussian.elbo(data[b], { mean: m, scale: Math.exp(s) })
      : exactIwae(conjugateGaussian.weightDistribution(data[b], { mean: m, scale: Math.exp(s) }), samples);
  const slopes = data.map((_, b) => differences(([m, s]) => value(b, m, s), [means[b], logScales[b]]));
  const excess = data.map((x, b) => value(b, means[b], logScales[b]) - psi[0] - psi[1] * x * x);
  const column = (values: readonly number[]) => tf.tensor2d([...values], [3, 1]);
  const plain = latentVariableProblem({
    model: conjugateGaussian,
    family: meanFieldGaussian({ dimension: 1, batchSize: 3 }),
    x: column(data),
    scale: 1,
  });
  const squares = tf.tensor1d(data.map((x) => x * x));
  const problem = withLearnedBaseline({
    problem: plain,
    baseline: ({ weights }: { weights: Tensor1D }) =>
      tf.add(tf.slice(weights, 0, 1), tf.mul(tf.slice(weights, 1, 1), squares)),
  });
  const q = { mean: column(means), logScale: column(logScales) };
  const exactQ = { mean: column(slopes.map(([m]) => m)), logScale: column(slopes.map(([, s]) => s)) };
  const regression = [excess.reduce((sum, e) => sum + e, 0), excess.reduce((sum, e, b) => sum + e * data[b] ** 2, 0)];
  return {
    plain: { problem: plain, theta: {}, phi: q, exact: { theta: {}, phi: exactQ } },
    given: {
      problem,
      theta: {},
      phi: { q, baseline: { weights: tf.tensor1d([...psi]) } },
      exact: { theta: {}, phi: { q: exactQ, baseline: { weights: tf.tensor1d(regression) } } },
    },
  };
}

/** log p(x) = −½ log 4π − x²/4, near which the bounds are. */
const evidence = [-0.5 * Math.log(4 * Math.PI), -0.25] as const;

describe("learnedBaseline", () => {
  beforeAll(async () => {
    await ready();
  });

  it.each([
    ["ELBO", elbo, 1],
    ["ELBO", elbo, 4],
    ["IWAE", iwae, 1],
    ["IWAE", iwae, 4],
  ] as const)("has the %s's gradient in q for any ψ, and the regression's in ψ", async (_name, bound, samples) => {
    for (const psi of [[3, 0.5], evidence] as const)
      expectUnbiased(
        await checked(learnedBaseline(), dataCase(bound, samples, psi).given, {
          bound,
          samples,
          seed: 1,
          replicates: 600,
        }),
      );
  });

  it("cuts the variance of a single draw, where no sample has others to be compared with", async () => {
    for (const bound of [elbo, iwae]) {
      const { given, plain } = dataCase(bound, 1, evidence);
      const options = { bound, samples: 1, seed: 2, replicates: 600 };
      const learned = await checked(learnedBaseline(), given, options);
      const naive = await checked(scoreFunction(), plain, options);
      const variance = (prefix: string, { components }: typeof naive) =>
        components.reduce((sum, c) => (c.name.startsWith(prefix) ? sum + c.variance : sum), 0);
      const ratio = variance("phi", naive) / variance("phi.q", learned);
      expect(ratio).toBeGreaterThan(2);
    }
  });

  it("refuses a problem without a baseline, and one of another shape", () => {
    const { problem, theta, phi } = gaussianCase(1);
    const at = { theta, bound: elbo, samples: 2, key: randomKey(1) };
    expect(() => learnedBaseline()({ ...at, problem, phi })).toThrow("this problem has no baseline to learn");
    const wrong = withLearnedBaseline({ problem, baseline: ({ level }: { level: Tensor1D }) => level });
    expect(() =>
      learnedBaseline()({ ...at, problem: wrong, phi: { q: phi, baseline: { level: tf.zeros([2]) as Tensor1D } } }),
    ).toThrow("learnedBaseline: the baseline");
    expect(() =>
      withLearnedBaseline({ problem: { ...problem, marginal: 1 } as never, baseline: () => phi.mean }),
    ).toThrow("log q of this problem is a marginal's estimate");
    expect(learnedBaseline({ minusOne: false }).standing(iwae).verdict).toBe("refused");
  });
});

describe.each(backends)("learnedBaseline on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("runs compiled as eager, for both bounds, and leaves nothing behind", () => {
    for (const bound of [elbo, iwae])
      expectCompiled(learnedBaseline(), dataCase(bound, 3, evidence).given, { bound, samples: 3 });
  });
});
