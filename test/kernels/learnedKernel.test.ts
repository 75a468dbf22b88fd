import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { leaves, type Parameters } from "../../src/engine/parameters.js";
import { normal, randomKey, split } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../../src/engine/tf.js";
import { linearFunction, radialFunction } from "../../src/kernels/kernelFunction.js";
import {
  type LearnedKernel,
  learnedLinear,
  learnedProduct,
  learnedRadial,
  learnedSum,
  type RadialShape,
} from "../../src/kernels/learnedKernel.js";
import { matern } from "../../src/kernels/matern.js";
import { squaredExponential } from "../../src/kernels/squaredExponential.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { differenceQuotient, gradientOf } from "../ops/support.js";

const radial = (shape: RadialShape): LearnedKernel<Parameters> =>
  learnedRadial({ shape, dimension: 2, variance: 1.7, lengthScale: 0.8 }) as unknown as LearnedKernel<Parameters>;
const line = learnedLinear({ dimension: 2, variance: 0.6, bias: 0.3 }) as unknown as LearnedKernel<Parameters>;
const kernels = [
  radial("squared exponential"),
  radial("Matérn 1/2"),
  radial("Matérn 3/2"),
  radial("Matérn 5/2"),
  line,
  learnedSum(radial("squared exponential"), line) as unknown as LearnedKernel<Parameters>,
  learnedProduct(radial("Matérn 3/2"), line) as unknown as LearnedKernel<Parameters>,
];
const points = (): [Tensor2D, Tensor2D] => {
  const [a, b] = split(randomKey(4));
  return [normal(a, [5, 2]) as Tensor2D, normal(b, [3, 2]) as Tensor2D];
};
const rowsOf = (x: Tensor2D): number[][] => x.arraySync();

describe.each(backends)("learned kernels on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it.each(kernels.map((kernel) => [kernel.name, kernel] as const))("%s is its own Float64 form", (_, kernel) => {
    const parameters = kernel.init();
    const [x, y] = points();
    const exact = kernel.at(parameters);
    const expected = rowsOf(x).flatMap((a) => rowsOf(y).map((b) => exact(a, b)));
    expectClose(read(kernel.matrix(parameters, x, y)), expected, 2e-6);
    expectClose(
      read(kernel.diagonal(parameters, x)),
      rowsOf(x).map((a) => exact(a, a)),
      2e-6,
    );
    expectNoLeak(() => [kernel.matrix(parameters, x, y), kernel.diagonal(parameters, x)]);
  });

  it.each(kernels.map((kernel) => [kernel.name, kernel] as const))("%s has its gradients", (_, kernel) => {
    const parameters = kernel.init();
    const names = leaves(parameters).map(({ tensor }) => tensor);
    const [x, y] = points();
    const rebuild = (tensors: Tensor[]): Parameters => {
      const queue = [...tensors];
      const walk = (node: Parameters): Parameters =>
        Object.fromEntries(
          Object.entries(node).map(([name, child]) => [
            name,
            child instanceof tf.Tensor ? queue.shift()! : walk(child as Parameters),
          ]),
        );
      return walk(parameters);
    };
    const f = (...inputs: Tensor[]): Tensor =>
      kernel.matrix(rebuild(inputs.slice(2)), inputs[0] as Tensor2D, inputs[1] as Tensor2D);
    const inputs = [x, y, ...names];
    inputs.forEach((_, which) => {
      expectClose(read(gradientOf(f, inputs, which)), differenceQuotient(f, inputs, which), 2e-3);
    });
    // At coinciding points too, where a root has no slope.
    const slope = read(gradientOf((a) => kernel.matrix(parameters, a as Tensor2D, a as Tensor2D), [x], 0));
    expect(slope.every(Number.isFinite)).toBe(true);
  });

  it("has a length scale for each coordinate", () => {
    const kernel = learnedRadial({ shape: "Matérn 5/2", dimension: 2 });
    const parameters = { logVariance: tf.scalar(0.3), logLengthScales: tf.tensor1d([-0.5, 0.9]) };
    const exact = kernel.at(parameters);
    const numbers = radialFunction(matern({ smoothness: 2.5 }), [Math.exp(-0.5), Math.exp(0.9)]);
    const [x, y] = points();
    const pairs = rowsOf(x).flatMap((a) => rowsOf(y).map((b) => [a, b]));
    expectClose(
      pairs.map(([a, b]) => exact(a, b)),
      pairs.map(([a, b]) => Math.exp(0.3) * numbers(a, b)),
      1e-6,
    );
    expectClose(
      read(kernel.matrix(parameters, x, y)),
      pairs.map(([a, b]) => exact(a, b)),
      2e-6,
    );
  });

  it("replays as eager", () => {
    const kernel = kernels[6];
    const parameters = kernel.init();
    const [x, y] = points();
    const step = compile((at: { p: Parameters; x: Tensor2D; y: Tensor2D }) => kernel.matrix(at.p, at.x, at.y));
    step({ p: parameters, x, y });
    const other = tf.mul(y, 0.5) as Tensor2D;
    expectClose(read(step({ p: parameters, x, y: other })), read(kernel.matrix(parameters, x, other)), 1e-6);
    step.dispose();
  });
});

describe("kernels of two points", () => {
  it("are their formulas", () => {
    const [x, y] = [
      [1, 2],
      [0, 4],
    ];
    expect(radialFunction(squaredExponential(), [2, 4])(x, y)).toBeCloseTo(Math.exp(-(1 / 4 + 4 / 16) / 2), 14);
    expect(radialFunction(matern({ smoothness: 0.5 }))(x, y)).toBeCloseTo(Math.exp(-Math.sqrt(5)), 14);
    expect(linearFunction({ variance: 2, bias: 0.5 })(x, y)).toBe(16.5);
  });

  it("refuse what is none", () => {
    expect(() => radialFunction(squaredExponential(), [1, 0])).toThrow("lengthScales[1] must be positive");
    expect(() => linearFunction({ variance: -1 })).toThrow("linearFunction: variance must be positive");
    expect(() => linearFunction({ bias: -1 })).toThrow("linearFunction: bias must be finite and at least 0, not -1.");
    expect(() => matern({ smoothness: 1 as 0.5 })).toThrow("matern: smoothness must be 0.5, 1.5 or 2.5, not 1.");
    expect(() => learnedRadial({ shape: "cosine" as RadialShape, dimension: 1 })).toThrow('not "cosine"');
    expect(() => learnedRadial({ shape: "Matérn 3/2", dimension: 0 })).toThrow("dimension must be a positive integer");
    expect(() => learnedLinear({ dimension: 1, bias: 0 })).toThrow("learnedLinear: bias must be positive");
    expect(() => learnedSum(learnedLinear({ dimension: 1 }), learnedLinear({ dimension: 2 }))).toThrow(
      "learnedSum: the kernels are of 1 and of 2 coordinates; make them equal.",
    );
    expect(() => line.matrix(line.init(), tf.zeros([2, 3]), tf.zeros([2, 2]))).toThrow(
      "linear kernel: x has the shape [2, 3], but needs [*, 2].",
    );
  });
});
