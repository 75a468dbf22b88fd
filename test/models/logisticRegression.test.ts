import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { logIntegral, productRule, trapezoid } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { fullRankGaussian } from "../../src/families/fullRankGaussian.js";
import { logisticRegression } from "../../src/models/logisticRegression.js";
import { posteriorProblem } from "../../src/models/problem.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { minibatches } from "../../src/optimize/minibatches.js";
import { hmc } from "../../src/samplers/hmc.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

const data = [
  [1, 1, 0.5],
  [0, 1, -1.2],
  [1, 1, 2],
  [1, 1, -0.3],
  [0, 1, 0.1],
];
const priorScale = 2;
const model = logisticRegression({ inputs: 2, priorScale });

/** The definition, in Float64. */
const logPrior = (z: readonly number[]): number =>
  z.reduce((sum, w) => sum - 0.5 * (w / priorScale) ** 2 - Math.log(priorScale) - 0.5 * Math.log(2 * Math.PI), 0);
const logLikelihood = (z: readonly number[], [y, ...x]: readonly number[]): number =>
  -Math.log1p(Math.exp((y === 1 ? -1 : 1) * x.reduce((sum, value, i) => sum + value * z[i], 0)));
const logJoint = (z: readonly number[]): number => data.reduce((sum, row) => sum + logLikelihood(z, row), logPrior(z));

describe.each(backends)("logisticRegression on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });
  const points = [
    [0.3, -0.8],
    [2, 1],
    [-1.5, 0.4],
  ];

  it("is the definition, for draws, chains and one point", () => {
    const rows = tf.tensor2d(data);
    const z = tf.tensor3d(points.map((point) => [point]));
    expect(model.logPrior(z).shape).toEqual([3, 1]);
    expectClose(read(model.logPrior(z)), points.map(logPrior), 1e-6);
    const likelihood = model.logLikelihood(z, rows);
    expect(likelihood.shape).toEqual([3, 5]);
    expectClose(
      read(likelihood),
      points.flatMap((point) => data.map((row) => logLikelihood(point, row))),
      1e-6,
    );
    expect(model.logJoint(z, rows).shape).toEqual([3, 1]);
    expectClose(read(model.logJoint(z, rows)), points.map(logJoint), 1e-6);
    expectClose(read(model.logJoint(tf.tensor2d(points), rows)), points.map(logJoint), 1e-6);
    expectClose(read(model.logJoint(tf.tensor1d(points[0]), rows)), [logJoint(points[0])], 1e-6);
  });

  it("has the gradient Xᵀ(y − σ(Xz)) − z/σ², also where σ(Xz) is 1 in float32", () => {
    const far = [30, 40];
    const gradient = tf.grad((z: Tensor) => model.logJoint(z, tf.tensor2d(data)) as Tensor);
    for (const point of [points[0], far]) {
      const expected = point.map((w, i) =>
        data.reduce(
          (sum, [y, ...x]) => {
            const logit = x.reduce((total, value, j) => total + value * point[j], 0);
            return sum + (y - 1 / (1 + Math.exp(-logit))) * x[i];
          },
          -w / priorScale ** 2,
        ),
      );
      expectClose(read(gradient(tf.tensor1d(point))), expected, 2e-6);
    }
  });

  it("replays as eager and leaves no tensor behind", () => {
    const rows = tf.tensor2d(data);
    const z = tf.tensor3d(points.map((point) => [point]));
    expectNoLeak(() => [model.logPrior(z), model.logLikelihood(z, rows), model.logJoint(z, rows)]);
    const step = compile(({ z, rows }: { z: Tensor3D; rows: Tensor2D }) => model.logJoint(z, rows));
    step({ z, rows });
    const other = tf.neg(z) as Tensor3D;
    expectClose(read(step({ z: other, rows })), read(model.logJoint(other, rows)), 1e-6);
    step.dispose();
  });
});

describe("a Bayesian logistic regression", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });
  // log p(y | X) and the posterior's moments by quadrature.
  const rule = productRule(trapezoid(-14, 14, 281), trapezoid(-14, 14, 281));
  const logs = rule.logWeights.map((_, i) => logJoint([rule.points[2 * i], rule.points[2 * i + 1]]));
  const logEvidence = logIntegral(rule, logs);
  const average = (f: (z: readonly number[]) => number): number =>
    logs.reduce(
      (sum, log, i) =>
        sum + Math.exp(log + rule.logWeights[i] - logEvidence) * f([rule.points[2 * i], rule.points[2 * i + 1]]),
      0,
    );
  const means = [0, 1].map((d) => average((z) => z[d]));
  const deviations = [0, 1].map((d) => Math.sqrt(average((z) => (z[d] - means[d]) ** 2)));

  it("is sampled by HMC with the moments of quadrature", async () => {
    const rows = tf.tensor2d(data);
    const init = tf.tidy(() => tf.mul(normal(randomKey(3), [16, 2]), 2) as Tensor2D);
    const draws = await hmc({ logDensity: (z) => model.logJoint(z, rows), init, samples: 1500, key: randomKey(4) });
    expect(draws.worst().rHat).toBeLessThan(1.01);
    for (const d of [0, 1]) {
      const { mean, standardDeviation } = draws.summary(d);
      expect(Math.abs(mean.value - means[d])).toBeLessThan(4 * mean.standardError);
      expect(Math.abs(standardDeviation.value - deviations[d])).toBeLessThan(4 * standardDeviation.standardError);
    }
  });

  it("is fitted from minibatches below its evidence, with its means", async () => {
    const family = fullRankGaussian({ dimension: 2 });
    const batches = minibatches({ data: tf.tensor2d(data), size: 2, key: randomKey(5) });
    const problem = (x: Tensor2D, scale: number) =>
      posteriorProblem({ logPrior: model.logPrior, logLikelihood: model.logLikelihood, family, x, scale });
    const { phi } = await fitProblem({
      problem: ({ x, scale }) => problem(x, scale),
      batches,
      init: { phi: family.init(randomKey(6)) },
      bound: elbo,
      samples: 8,
      optimizer: adam({ learningRate: (step) => (step < 1500 ? 0.02 : 0.002) }),
      steps: 3000,
      key: randomKey(7),
      compile: "graph",
    });
    const whole = problem(tf.tensor2d(data), 1);
    const { z, logQ } = whole.sampleWithLogQ!(phi, randomKey(8), 20_000);
    const logW = read(tf.sub(whole.logP({}, z), logQ));
    const value = logW.reduce((sum, w) => sum + w, 0) / logW.length;
    expect(value).toBeLessThan(logEvidence);
    expect(value).toBeGreaterThan(logEvidence - 0.12); // the posterior is no Gaussian
    read(phi.mean).forEach((mean, d) => {
      expect(Math.abs(mean - means[d])).toBeLessThan(0.15 * deviations[d]);
    });
  });

  it("refuses sizes and shapes that do not fit", () => {
    expect(() => logisticRegression({ inputs: 0, priorScale: 1 })).toThrow(
      "logisticRegression: inputs must be a positive integer, not 0; count the intercept's column of ones.",
    );
    expect(() => logisticRegression({ inputs: 2, priorScale: 0 })).toThrow(
      "priorScale must be positive and finite, not 0.",
    );
    expect(() => model.logJoint(tf.zeros([4, 3]), tf.tensor2d(data))).toThrow(
      "logisticRegression: z has the shape [4, 3]",
    );
    expect(() => model.logLikelihood(tf.zeros([4, 2]), tf.zeros([5, 2]))).toThrow(
      "logisticRegression: the rows (label, inputs) has the shape [5, 2], but needs [*, 3].",
    );
  });
});
