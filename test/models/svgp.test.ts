import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { logIntegral, productRule, trapezoid } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { choleskyPosterior } from "../../src/families/inducingPosterior.js";
import { naturalPosterior } from "../../src/families/naturalPosterior.js";
import { learnedRadial } from "../../src/kernels/learnedKernel.js";
import { bernoulliLikelihood, gaussianLikelihood } from "../../src/models/pointLikelihood.js";
import { sparseGaussianProcess } from "../../src/models/sparseGaussianProcess.js";
import { svgp } from "../../src/models/svgp.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { minibatches } from "../../src/optimize/minibatches.js";
import { naturalSteps } from "../../src/optimize/naturalSteps.js";
import { variationalStep } from "../../src/optimize/variationalStep.js";
import { normalDraws } from "../diagnostics/draws.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { differenceQuotient, gradientOf } from "../ops/support.js";

const n = 48;
const inputs = Float64Array.from({ length: n }, (_, i) => (4 * i) / n - 2);
const noise = normalDraws(n, "responses");
const responses = inputs.map((x, i) => Math.sin(3 * x) + 0.3 * noise[i]);
const rowsOf = (): Tensor2D => tf.tensor2d(Array.from(inputs, (x, i) => [responses[i], x]));
const kernel = learnedRadial({ shape: "squared exponential", dimension: 1, lengthScale: 0.6, variance: 1.3 });
const inducing = [-1.7, -1, -0.3, 0.4, 1.1, 1.8];
const points = (): Tensor2D => tf.tensor2d(inducing, [6, 1]);
const regression = svgp({
  kernel,
  likelihood: gaussianLikelihood({ noiseVariance: 0.1 }),
  posterior: naturalPosterior({ dimension: 6 }),
});
const boundOf = (problem: { sample(phi: never, key: never, samples: number): Tensor2D }, phi: unknown): number =>
  read(problem.sample(phi as never, randomKey(1) as never, 1))[0];
const still = adam({ learningRate: 1e-12 });

describe.each(backends)("svgp on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("reaches Titsias' bound and posterior in one natural step of ρ = 1, from anywhere", () => {
    const problem = regression.problem({ x: rowsOf(), scale: 1 });
    const titsias = sparseGaussianProcess({
      kernel: kernel.at(kernel.init()),
      inputs,
      responses,
      noiseVariance: 0.1,
      inducing,
      jitter: 1e-4,
    });
    const start = regression.init(points());
    const elsewhere = {
      linear: tf.tensor2d([3, -2, 1, 0, 5, -1], [6, 1]),
      precision: tf.mul(tf.eye(6), 4) as Tensor2D,
    };
    for (const q of [start.q, elsewhere]) {
      const phi = { ...start, q };
      expect(boundOf(problem, phi)).toBeLessThan(titsias.bound - 10);
      const optimizer = naturalSteps({ optimizer: still, rate: 1 });
      const step = variationalStep(
        { bound: elbo, samples: 1, optimizer },
        {
          problem,
          state: { theta: {}, phi, optimizer: optimizer.init({ theta: {}, phi }) },
          key: randomKey(2),
          step: 0,
        },
      );
      expectClose([boundOf(problem, step.state.phi)], [titsias.bound], 1e-4);
      const at = [-1.2, 0.1, 2.6];
      const { mean, variance } = regression.predict(step.state.phi, tf.tensor2d(at, [3, 1]));
      const exact = titsias.predict(at);
      expectClose(read(mean), Array.from(exact.mean), 2e-3);
      expectClose(read(variance), Array.from(exact.variance), 1e-3);
    }
  });

  it("has its plain gradients in kernel, noise and inducing points", () => {
    const model = svgp({
      kernel,
      likelihood: gaussianLikelihood({ noiseVariance: 0.1 }),
      posterior: choleskyPosterior({ dimension: 6, scale: 0.4 }),
    });
    const start = model.init(points());
    const problem = model.problem({ x: rowsOf(), scale: 1 });
    const f = (logLength: Tensor, logNoise: Tensor, z: Tensor, mean: Tensor): Tensor =>
      problem.sample(
        {
          q: { ...start.q, mean: mean as Tensor2D },
          kernel: { ...start.kernel, logLengthScales: logLength as Tensor1D },
          likelihood: { logNoise: tf.squeeze(logNoise) },
          inducing: z as Tensor2D,
        },
        randomKey(1),
        1,
      );
    const at = [tf.tensor1d([-0.3]), tf.scalar(-1), points(), tf.tensor2d([0.3, -1, 0.2, 0.8, 0, 0.5], [6, 1])];
    at.forEach((_, which) => {
      expectClose(read(gradientOf(f, at, which)), differenceQuotient(f, at, which, 2 ** -5), 1e-2);
    });
  });

  it("has no variance below 0, where rounding would have it", () => {
    const exactly = svgp({
      kernel,
      likelihood: gaussianLikelihood({ noiseVariance: 0.1 }),
      posterior: naturalPosterior({ dimension: 6 }),
      jitter: 1e-9,
    });
    const certain = {
      ...exactly.init(points()),
      q: { linear: tf.zeros([6, 1]) as Tensor2D, precision: tf.mul(tf.eye(6), 1e12) as Tensor2D },
    };
    const near = tf.tensor2d(
      inducing.flatMap((z) => [-2, -1, 0, 1, 2].map((i) => z + i * 1e-4)),
      [30, 1],
    );
    const variances = read(exactly.predict(certain, near).variance);
    expect(Math.min(...variances)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...variances)).toBeLessThan(1e-4);
  });

  it("leaves nothing behind", () => {
    const phi = regression.init(points());
    const problem = regression.problem({ x: rowsOf(), scale: 1 });
    const x = tf.tensor2d([[0.5]]);
    expectNoLeak(() => problem.sample(phi, randomKey(1), 2));
    expectNoLeak(() => Object.values(regression.predict(phi, x)));
  });

  it("Bernoulli: the expectation of the log-likelihood is that of a fine quadrature", () => {
    const [y, mean, variance] = [
      [1, 0, 1, 0],
      [0.5, -2, -3, 4],
      [0.3, 2, 0.01, 1.5],
    ];
    const rule = trapezoid(-10, 10, 4001);
    const exact = y.map((label, i) =>
      rule.logWeights.reduce((sum, weight, j) => {
        const z = rule.points[j];
        const f = mean[i] + Math.sqrt(variance[i]) * z;
        return (
          sum - (Math.exp(weight - (z * z) / 2) / Math.sqrt(2 * Math.PI)) * Math.log1p(Math.exp((1 - 2 * label) * f))
        );
      }, 0),
    );
    const ours = bernoulliLikelihood().expected({}, tf.tensor1d(y), tf.tensor1d(mean), tf.tensor1d(variance));
    expectClose(read(ours), exact, 1e-5);
  });
});

describe("svgp", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("is unbiased over minibatches: the mean over all of them is the bound of all data", () => {
    const rows = rowsOf().arraySync().slice(10, 16);
    const phi = regression.init(points());
    const all = boundOf(regression.problem({ x: tf.tensor2d(rows), scale: 1 }), phi);
    let [sum, count] = [0, 0];
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < i; j++) {
        sum += boundOf(regression.problem({ x: tf.tensor2d([rows[i], rows[j]]), scale: 3 }), phi);
        count++;
      }
    }
    expect(count).toBe(15);
    expectClose([sum / count], [all], 1e-5);
  });

  it("with a Bernoulli likelihood and Z = X comes from below to the evidence that quadrature gives", () => {
    const x = [0, 0.7];
    const labels = [1, 0];
    const model = svgp({
      kernel,
      likelihood: bernoulliLikelihood(),
      posterior: naturalPosterior({ dimension: 2 }),
      jitter: 1e-6,
    });
    const problem = model.problem({ x: tf.tensor2d(x.map((value, i) => [labels[i], value])), scale: 1 });
    const optimizer = naturalSteps({ optimizer: still, rate: 0.8 });
    const phi = model.init(tf.tensor2d(x, [2, 1]));
    let state = { theta: {}, phi, optimizer: optimizer.init({ theta: {}, phi }) };
    for (let step = 0; step < 15; step++)
      ({ state } = variationalStep(
        { bound: elbo, samples: 1, optimizer },
        { problem, state, key: randomKey(1), step },
      ));
    const k = kernel.at(kernel.init())([x[0]], [x[1]]);
    const [v, determinant] = [1.3, 1.3 ** 2 - k ** 2];
    const rule = productRule(trapezoid(-9, 9, 300), trapezoid(-9, 9, 300));
    const evidence = logIntegral(
      rule,
      rule.logWeights.map((_, i) => {
        const [f, g] = [rule.points[2 * i], rule.points[2 * i + 1]];
        const prior = -(v * f * f - 2 * k * f * g + v * g * g) / (2 * determinant) - Math.log(determinant) / 2;
        return prior - Math.log(2 * Math.PI) - Math.log1p(Math.exp(-f)) - Math.log1p(Math.exp(g));
      }),
    );
    const bound = boundOf(problem, state.phi);
    expect(bound).toBeLessThan(evidence);
    expect(bound).toBeGreaterThan(evidence - 0.02);
  });

  it("is fitted compiled, by minibatches: natural steps for q, Adam for the rest", async () => {
    const rows = rowsOf();
    const phi = regression.init(points());
    const fitted = await fitProblem({
      batches: minibatches({ data: rows, size: 16, key: randomKey(3) }),
      problem: (batch) => regression.problem(batch),
      init: { phi },
      bound: elbo,
      samples: 1,
      optimizer: naturalSteps({ optimizer: adam({ learningRate: 0.02 }), rate: 0.2 }),
      steps: 150,
      key: randomKey(1),
      compile: "graph",
    });
    const problem = regression.problem({ x: rows, scale: 1 });
    const reached = boundOf(problem, fitted.phi);
    const titsias = sparseGaussianProcess({
      kernel: kernel.at(fitted.phi.kernel),
      inputs,
      responses,
      noiseVariance: Math.exp(read(fitted.phi.likelihood.logNoise)[0]),
      inducing: fitted.phi.inducing.dataSync(),
      jitter: 1e-4,
    });
    expect(reached).toBeLessThan(titsias.bound + 0.01);
    expect(reached).toBeGreaterThan(titsias.bound - 4); // the last steps' noise
    expect(reached).toBeGreaterThan(boundOf(problem, phi) + 20);
    disposeParameters(phi);
  });

  it("refuses what does not fit", () => {
    expect(() => regression.init(tf.zeros([5, 1]))).toThrow(
      "svgp: there are 5 inducing points, but the posterior is of 6; make them equal.",
    );
    expect(() => regression.init(tf.zeros([6, 2]))).toThrow("svgp: inducing has the shape [6, 2], but needs [*, 1].");
    expect(() => regression.problem({ x: tf.zeros([0, 2]), scale: 1 })).toThrow("the batch is empty");
    expect(() => regression.problem({ x: tf.zeros([1, 3]), scale: 1 })).toThrow("but needs [*, 2]");
    expect(() => regression.problem({ x: tf.zeros([1, 2]), scale: 0 })).toThrow("scale must be N/S");
    expect(() => regression.predict(regression.init(points()), tf.zeros([1, 3]))).toThrow("svgp: x has the shape");
    expect(() =>
      svgp({ kernel, likelihood: bernoulliLikelihood(), posterior: naturalPosterior({ dimension: 2 }), jitter: -1 }),
    ).toThrow("svgp: jitter must be positive");
    expect(() => gaussianLikelihood({ noiseVariance: -1 })).toThrow("noiseVariance must be positive");
    expect(() => bernoulliLikelihood({ nodes: 0 })).toThrow("gaussHermite needs 1 to 300 nodes");
  });
});
