import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { gaussHermite } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { normal, randomKey, split } from "../../src/engine/random.js";
import { type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { choleskyPosterior } from "../../src/families/inducingPosterior.js";
import { naturalPosterior } from "../../src/families/naturalPosterior.js";
import { learnedRadial } from "../../src/kernels/learnedKernel.js";
import { deepGaussianProcess } from "../../src/models/deepGaussianProcess.js";
import { gaussianLikelihood } from "../../src/models/pointLikelihood.js";
import { svgp } from "../../src/models/svgp.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { minibatches } from "../../src/optimize/minibatches.js";
import { naturalSteps } from "../../src/optimize/naturalSteps.js";
import { backends, expectClose, expectNoLeak, mean, read, variance } from "../engine/support.js";

const likelihood = gaussianLikelihood({ noiseVariance: 0.2 });
const kernelOf = (dimension: number, height = 1) =>
  learnedRadial({ shape: "squared exponential", dimension, lengthScale: 0.8, variance: height });
const points = [-1, 0, 1.2];
const inducing = (): Tensor2D => tf.tensor2d(points, [3, 1]);
const outer = { kernel: kernelOf(1, 1.4), posterior: naturalPosterior({ dimension: 3 }) };
const inner = { kernel: kernelOf(1, 0.5), posterior: choleskyPosterior({ dimension: 3, scale: 0.6 }) };
const deep = deepGaussianProcess({ inner, outer, likelihood });
const rows = [
  [0.7, -0.6],
  [-1.1, 0.4],
];
const outerQ = () => ({
  linear: tf.tensor2d([2, -1, 0.5], [3, 1]),
  precision: tf.tensor2d([3, 0.4, 0, 0.4, 2, 0.1, 0, 0.1, 1.5], [3, 3]),
});
const innerQ = () => ({ ...inner.posterior.init(), mean: tf.tensor2d([0.5, -0.8, 0.3], [3, 1]) as Tensor2D });

describe.each(backends)("deepGaussianProcess on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("has the expectation that quadrature over each datum's inner value gives", () => {
    const start = deep.init(inducing());
    const phi = {
      ...start,
      inner: { ...start.inner, q: [innerQ()] },
      outer: { ...start.outer, q: outerQ() },
    };
    const single = svgp({ ...outer, likelihood });
    const outerOnly = { ...phi.outer, likelihood: phi.likelihood };
    const klOuter = read(outer.posterior.kl(phi.outer.q))[0];
    const klInner = read(inner.posterior.kl(phi.inner.q[0]))[0];
    const innerOnly = svgp({ ...inner, likelihood });
    const rule = gaussHermite(24);
    let exact = -klOuter - klInner;
    for (const [y, x] of rows) {
      const { mean, variance } = innerOnly.predict(
        { ...phi.inner, q: phi.inner.q[0], likelihood: phi.likelihood },
        tf.tensor2d([[x]]),
      );
      const [m, s] = [x + read(mean)[0], Math.sqrt(read(variance)[0])];
      const h = tf.tensor2d(Array.from(rule.points, (z) => [m + s * z]));
      const at = single.predict(outerOnly, h);
      const responses = tf.fill([h.shape[0]], y) as Tensor1D;
      const logs = read(likelihood.expected(phi.likelihood, responses, at.mean, at.variance));
      exact += logs.reduce((sum, log, i) => sum + Math.exp(rule.logWeights[i]) * log, 0);
    }
    // Every datum 400 times over, at a 400th of its weight: 400 draws in one evaluation.
    const copies = tf.tensor2d(Array.from({ length: 400 }, () => rows).flat());
    const values = read(deep.problem({ x: copies, scale: 1 / 400 }).sample(phi, randomKey(5), 20));
    expect(variance(values)).toBeGreaterThan(1e-6);
    expect(Math.abs(mean(values) - exact)).toBeLessThan(4 * Math.sqrt(variance(values) / 20));
    expect(Math.sqrt(variance(values) / 20)).toBeLessThan(0.03);
    // Twice the data, at the same divergence.
    const [once, doubled] = [1, 2].map((scale) =>
      read(deep.problem({ x: tf.tensor2d(rows), scale }).sample(phi, randomKey(5), 1)),
    );
    expectClose(doubled, [2 * once[0] + klOuter + klInner], 1e-4);
  });

  it("with an inner layer that does not move is the process of one layer", () => {
    const flat = { kernel: kernelOf(1, 1e-10), posterior: choleskyPosterior({ dimension: 3 }) };
    const model = deepGaussianProcess({ inner: flat, outer, likelihood });
    const start = model.init(inducing());
    const phi = { ...start, outer: { ...start.outer, q: outerQ() } };
    const x = tf.tensor2d(rows);
    const single = svgp({ ...outer, likelihood });
    const alone = { ...phi.outer, likelihood: phi.likelihood };
    expectClose(
      read(model.problem({ x, scale: 3 }).sample(phi, randomKey(1), 1)),
      read(single.problem({ x, scale: 3 }).sample(alone, randomKey(1), 1)),
      1e-4,
    );
    const at = tf.tensor2d([[0.3], [2]]);
    const ours = model.predict(phi, at, { key: randomKey(2), samples: 2 });
    const theirs = single.predict(alone, at);
    const [m, v] = [read(theirs.mean), read(theirs.variance)];
    expectClose(read(ours.mean), [...m, ...m], 1e-4);
    expectClose(read(ours.variance), [...v, ...v], 1e-4);
  });

  it("in two dimensions has two processes of its own inside, with noises of their own", () => {
    const places = tf.tensor2d([-1, 0.5, 0, -0.4, 1.2, 0.1], [3, 2]) as Tensor2D;
    const innerOf = { kernel: kernelOf(2, 0.5), posterior: choleskyPosterior({ dimension: 3, scale: 0.8 }) };
    const outerOf = { kernel: kernelOf(2, 1.4), posterior: naturalPosterior({ dimension: 3 }) };
    const model = deepGaussianProcess({ inner: innerOf, outer: outerOf, likelihood });
    const start = model.init(places);
    const means = [
      [0.5, -0.8, 0.3],
      [-1.1, 0.2, 0.9],
    ];
    const q = means.map((values) => ({ ...innerOf.posterior.init(), mean: tf.tensor2d(values, [3, 1]) as Tensor2D }));
    const phi = { ...start, inner: { ...start.inner, q }, outer: { ...start.outer, q: outerQ() } };
    const [y, ...x] = [0.7, -0.6, 0.3];
    const layer = svgp({ ...innerOf, likelihood });
    const h = q.map((each) => {
      const { mean, variance } = layer.predict({ ...phi.inner, q: each, likelihood: phi.likelihood }, tf.tensor2d([x]));
      return [read(mean)[0], Math.sqrt(read(variance)[0])];
    });
    const rule = gaussHermite(20);
    const grid = rule.points.length;
    const at = Array.from({ length: grid * grid }, (_, i) =>
      [Math.floor(i / grid), i % grid].map((node, d) => x[d] + h[d][0] + h[d][1] * rule.points[node]),
    );
    const single = svgp({ ...outerOf, likelihood }).predict(
      { ...phi.outer, likelihood: phi.likelihood },
      tf.tensor2d(at),
    );
    const logs = read(
      likelihood.expected(phi.likelihood, tf.fill([grid * grid], y) as Tensor1D, single.mean, single.variance),
    );
    const weight = (i: number): number => Math.exp(rule.logWeights[Math.floor(i / grid)] + rule.logWeights[i % grid]);
    const divergence = [outerOf.posterior.kl(phi.outer.q), ...q.map((each) => innerOf.posterior.kl(each))];
    const exact = divergence.reduce(
      (sum, kl) => sum - read(kl)[0],
      logs.reduce((sum, log, i) => sum + weight(i) * log, 0),
    );
    const copies = tf.tensor2d(Array.from({ length: 500 }, () => [y, ...x]));
    const values = read(model.problem({ x: copies, scale: 1 / 500 }).sample(phi, randomKey(6), 20));
    expect(Math.abs(mean(values) - exact)).toBeLessThan(4 * Math.sqrt(variance(values) / 20));
    expect(Math.sqrt(variance(values) / 20)).toBeLessThan(0.02);
    // Each of K draws is one of its own, and a mixture of them has the outer mean's expectation.
    const draws = read(model.predict(phi, tf.tensor2d([x]), { key: randomKey(8), samples: 2000 }).mean);
    const outerMeans = read(single.mean).reduce((sum, m, i) => sum + weight(i) * m, 0);
    expect(Math.abs(mean(draws) - outerMeans)).toBeLessThan(4 * Math.sqrt(variance(draws) / 2000));
    expect(variance(draws)).toBeGreaterThan(1e-4);
  });

  it("gives each layer inducing points of its own", () => {
    const phi = deep.init(inducing());
    phi.inner.inducing.dispose();
    expect(read(phi.outer.inducing)).toEqual(Array.from(Float32Array.from(points)));
  });

  it("leaves nothing behind", () => {
    const phi = deep.init(inducing());
    const problem = deep.problem({ x: tf.tensor2d(rows), scale: 1 });
    const at = tf.tensor2d([[0.3], [2]]);
    expectNoLeak(() => problem.sample(phi, randomKey(1), 2));
    expectNoLeak(() => Object.values(deep.predict(phi, at, { key: randomKey(1), samples: 3 })));
  });
});

describe("deepGaussianProcess", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("is fitted compiled in two dimensions, and improves", async () => {
    const [a, b, c] = split(randomKey(7), 3);
    const x = normal(a, [40, 2]);
    const y = tf.add(tf.tanh(tf.mul(4, tf.slice(x, [0, 0], [40, 1]))), tf.mul(0.1, normal(b, [40, 1])));
    const model = deepGaussianProcess({
      inner: { kernel: kernelOf(2, 0.3), posterior: choleskyPosterior({ dimension: 8, scale: 0.05 }) },
      outer: { kernel: kernelOf(2), posterior: naturalPosterior({ dimension: 8 }) },
      likelihood,
    });
    const phi = model.init(tf.slice(x, [0, 0], [8, 2]) as Tensor2D);
    expect(phi.inner.q).toHaveLength(2);
    const fitted = await fitProblem({
      batches: minibatches({ data: tf.concat([y, x], 1) as Tensor2D, size: 20, key: c }),
      problem: (batch) => model.problem(batch),
      init: { phi },
      bound: elbo,
      samples: 1,
      optimizer: naturalSteps({ optimizer: adam({ learningRate: 0.02 }), rate: 0.1, path: "phi.outer.q" }),
      steps: 60,
      traceEvery: 20,
      key: randomKey(1),
      compile: "graph",
    });
    expect(fitted.trace[2].value).toBeGreaterThan(fitted.trace[0].value + 5);
    fitted.dispose();
    disposeParameters(phi);
  });

  it("refuses what does not fit", () => {
    expect(() => deepGaussianProcess({ inner, outer: { ...outer, kernel: kernelOf(2) }, likelihood })).toThrow(
      "the inner layer is of 1 coordinates, the outer one of 2; make them equal.",
    );
    expect(() => deepGaussianProcess({ inner, outer, likelihood, jitter: 0 })).toThrow("jitter must be positive");
    expect(() => deep.init(tf.zeros([4, 1]))).toThrow("the inner layer: there are 4 inducing points");
    expect(() => deep.problem({ x: tf.zeros([2, 3]), scale: 1 })).toThrow("needs [*, 2]");
    const phi = deep.init(inducing());
    expect(() => deep.predict(phi, tf.zeros([1, 2]), { key: randomKey(1), samples: 1 })).toThrow("x has the shape");
    expect(() => deep.predict(phi, tf.zeros([1, 1]), { key: randomKey(1), samples: 0 })).toThrow(
      "number of samples K must be a positive integer",
    );
  });
});
