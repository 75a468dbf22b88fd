import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../../src/engine/tf.js";
import { learnedLinear, learnedRadial, learnedSum } from "../../src/kernels/learnedKernel.js";
import { collapsedBound, initialCollapsed } from "../../src/models/collapsedBound.js";
import { gaussianProcess } from "../../src/models/gaussianProcess.js";
import { objectiveProblem } from "../../src/models/objectiveProblem.js";
import { sparseGaussianProcess } from "../../src/models/sparseGaussianProcess.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { normalDraws } from "../diagnostics/draws.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { differenceQuotient, gradientOf } from "../ops/support.js";

const n = 60;
const inputs = Float64Array.from({ length: n }, (_, i) => (4 * i) / n - 2);
const noise = normalDraws(n, "responses");
const responses = inputs.map((x, i) => Math.sin(3 * x) + 0.3 * x + 0.3 * noise[i]);
const rowsOf = (): Tensor2D => tf.tensor2d(Array.from(inputs, (x, i) => [responses[i], x]));
const kernel = learnedSum(
  learnedRadial({ shape: "squared exponential", dimension: 1, lengthScale: 0.6 }),
  learnedLinear({ dimension: 1, variance: 0.2, bias: 0.1 }),
);
const start = () =>
  initialCollapsed({ kernel, inducing: tf.tensor2d([[-1.5], [-0.4], [0.5], [1.6]]), noiseVariance: 0.2 });

describe.each(backends)("collapsedBound on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("is the Float64 bound", () => {
    const problem = collapsedBound({ kernel, rows: rowsOf(), jitter: 1e-4 });
    const phi = start();
    const exact = sparseGaussianProcess({
      kernel: kernel.at(phi.kernel),
      inputs,
      responses,
      noiseVariance: 0.2,
      inducing: [-1.5, -0.4, 0.5, 1.6],
      jitter: 1e-4,
    });
    expectClose(read(problem.sample(phi, randomKey(1), 1)), [exact.bound], 1e-5);
    const usual = collapsedBound({ kernel, rows: rowsOf() }); // the same jitter, by default
    expectClose(read(usual.sample(phi, randomKey(1), 1)), [exact.bound], 1e-5);
    const deterministic = collapsedBound({ kernel, rows: rowsOf(), withTrace: false });
    expectClose(read(deterministic.sample(phi, randomKey(1), 1)), [exact.dtc], 1e-5);
    expect(exact.dtc - exact.bound).toBeGreaterThan(1);
    expectNoLeak(() => problem.sample(phi, randomKey(1), 1));
  });

  it("has its gradient in points, noise and kernel", () => {
    const problem = collapsedBound({ kernel, rows: rowsOf() });
    const phi = start();
    const f = (inducing: Tensor, logNoise: Tensor, logLength: Tensor): Tensor =>
      problem.sample(
        {
          ...phi,
          inducing: inducing as Tensor2D,
          logNoise: tf.squeeze(logNoise),
          kernel: { ...phi.kernel, first: { ...phi.kernel.first, logLengthScales: tf.reshape(logLength, [1]) } },
        },
        randomKey(1),
        1,
      );
    const at = [phi.inducing, tf.scalar(-1.3), tf.tensor1d([-0.5])];
    at.forEach((_, which) => {
      expectClose(read(gradientOf(f, at, which)), differenceQuotient(f, at, which, 2 ** -5), 5e-3);
    });
  });
});

describe("a fit of the collapsed bound", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("learns points, noise and kernel, and never passes the exact evidence at what it learned", async () => {
    const phi = start();
    const fitted = await fitProblem({
      problem: collapsedBound({ kernel, rows: rowsOf() }),
      init: { phi },
      bound: elbo,
      samples: 1,
      optimizer: adam({ learningRate: 0.05 }),
      steps: 200,
      key: randomKey(1),
      compile: "graph",
    });
    const at = {
      kernel: kernel.at(fitted.phi.kernel),
      inputs,
      responses,
      noiseVariance: Math.exp(fitted.phi.logNoise.dataSync()[0]),
    };
    const sparse = sparseGaussianProcess({ ...at, inducing: fitted.phi.inducing.dataSync(), jitter: 1e-4 });
    expect(sparse.bound).toBeLessThan(gaussianProcess(at).logEvidence);
    expect(sparse.bound).toBeGreaterThan(fitted.trace[0].value + 10);
    expect(at.noiseVariance).toBeGreaterThan(0.04);
    expect(at.noiseVariance).toBeLessThan(0.25);
    fitted.dispose();
    disposeParameters(phi);
  });

  it("refuses what does not fit", () => {
    expect(() => collapsedBound({ kernel, rows: tf.zeros([3, 3]) })).toThrow(
      "collapsedBound: the rows (y, x) has the shape [3, 3], but needs [*, 2].",
    );
    expect(() => collapsedBound({ kernel, rows: tf.zeros([0, 2]) })).toThrow("there are no rows (y, x)");
    expect(() => collapsedBound({ kernel, rows: tf.tensor2d([[1, Number.NaN]]) })).toThrow("rows[0, 1] is NaN");
    expect(() => collapsedBound({ kernel, rows: rowsOf(), jitter: 0 })).toThrow("jitter must be positive");
    expect(() => initialCollapsed({ kernel, inducing: tf.zeros([0, 1]), noiseVariance: 1 })).toThrow(
      "there are no inducing points",
    );
    expect(() => initialCollapsed({ kernel, inducing: tf.zeros([1, 1]), noiseVariance: 0 })).toThrow(
      "noiseVariance must be positive",
    );
    const wrong = objectiveProblem<{ a: Tensor }>(({ a }) => a);
    expect(() => wrong.sample({ a: tf.zeros([2]) }, randomKey(1), 1)).toThrow(
      "what the objective returns has the shape [2], but needs [].",
    );
  });
});
