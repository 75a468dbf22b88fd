import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import * as random from "../../src/engine/random.js";
import { randomKey } from "../../src/engine/random.js";
import { randomPermutation } from "../../src/engine/randomPermutation.js";
import { type Scalar, type Tensor, type Tensor2D, tf } from "../../src/engine/tf.js";
import * as api from "../../src/index.js";
import { specs } from "../distributions/specs.js";

/** Every differentiable operation of the library, at a point where it is smooth. */
const operations: Record<string, (x: Tensor2D) => Tensor> = {
  bernoulliLogDensity: (x) => api.bernoulliLogDensity(tf.sigmoid(x), x),
  cholesky: (x) => api.cholesky(positiveDefinite(x)),
  digamma: (x) => api.digamma(tf.exp(x)),
  lgamma: (x) => api.lgamma(tf.exp(x)),
  logMeanExp: (x) => api.logMeanExp(x, 0),
  logSigmoid: api.logSigmoid,
  logSumExp: (x) => api.logSumExp(x, 1),
  matMul: (x) => tf.matMul(x, x, false, true),
  batchMatMul: (x) => tf.matMul(tf.stack([x, tf.mul(x, 2)]), tf.stack([x, x]), true, false),
  normalLogDensity: (x) => api.normalLogDensity(x, tf.mul(x, 0.3), tf.exp(x)),
  softplus: api.softplus,
  stopGradient: (x) => tf.mul(x, api.stopGradient(x)),
  triangularSolve: (x) => api.triangularSolve(api.cholesky(positiveDefinite(x)), tf.slice(x, [0, 0], [3, 3])),
};

/** What steps take from tfjs, with its gradient. */
const tfjs: Record<string, (x: Tensor2D) => Tensor> = {
  add: (x) => tf.add(x, tf.tensor1d([1, 2, 3, 4])),
  arithmetic: (x) => tf.div(tf.sub(tf.mul(x, 3), 1), tf.add(tf.square(x), 1)),
  powers: (x) => tf.add(tf.pow(tf.sigmoid(x), 2.5), tf.sqrt(tf.sigmoid(x))),
  exponentials: (x) => tf.add(tf.expm1(x), tf.log1p(tf.exp(x))),
  trigonometry: (x) => tf.add(tf.sin(x), tf.mul(tf.cos(x), tf.tanh(x))),
  activations: (x) => tf.add(tf.relu(x), tf.add(tf.sigmoid(x), tf.elu(x))),
  reductions: (x) => tf.add(tf.mean(x, 0), tf.max(tf.mul(x, 2), 0)),
  concatAndSplit: (x) => tf.concat([x, ...tf.split(x, [1, 3], 1)], 1),
  shapes: (x) => tf.transpose(tf.tile(tf.expandDims(tf.reshape(x, [4, 3]), 1), [1, 2, 1]), [2, 0, 1]),
  slices: (x) =>
    tf.pad(tf.slice(x, [1, 0], [2, 2]), [
      [1, 0],
      [0, 3],
    ]),
  gather: (x) => tf.gather(x, tf.tensor1d([2, 0, 2], "int32")),
  stacks: (x) => tf.stack(tf.unstack(x, 1), 0),
  cumulativeSum: (x) => tf.cumsum(x, 1),
  choice: (x) => tf.where(tf.greaterEqual(x, 0), tf.mul(x, 2), tf.neg(x)),
  comparison: (x) => tf.mul(x, api.stopGradient(tf.step(tf.sub(x, 0.3)))),
  clip: (x) => tf.clipByValue(x, -0.5, 0.5),
  maximum: (x) => tf.maximum(x, tf.minimum(tf.mul(x, 2), 0.1)),
  oneHot: (x) => tf.mul(x, tf.oneHot(tf.argMax(x, 1), 4)),
};

function positiveDefinite(x: Tensor2D): Tensor {
  return tf.add(tf.matMul(x, x, false, true), tf.eye(3));
}

beforeAll(async () => {
  await ready({ backend: "tensorflow" });
});

let numTensors = 0;
afterEach(() => {
  expect(tf.memory().numTensors).toBe(numTensors);
});

/** Both results number by number; float32 rounds differently in another order of operations. */
function expectClose(compiled: readonly Tensor[], eager: readonly Tensor[], tolerance: number): void {
  expect(compiled.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    eager.map(({ shape, dtype }) => ({ shape, dtype })),
  );
  compiled.forEach((tensor, i) => {
    const expected = eager[i]!.dataSync();
    const scale = Math.max(1, ...Array.from(expected, Math.abs).filter(Number.isFinite));
    tensor.dataSync().forEach((value, j) => {
      if (Number.isFinite(expected[j]!)) expect(Math.abs(value - expected[j]!)).toBeLessThanOrEqual(tolerance * scale);
      else expect(value).toBe(expected[j]);
    });
  });
}

/** Compiles a step, runs it on numbers it was not recorded with, and compares. */
function compare<I extends object>(
  step: (inputs: I) => Record<string, Tensor>,
  recorded: () => I,
  inputs: () => I,
  { xla = false, tolerance = 2e-6 }: { xla?: boolean; tolerance?: number } = {},
): void {
  numTensors = tf.memory().numTensors;
  const compiled = compile(step, { xla });
  tf.tidy(() => {
    compiled(recorded());
    expectClose(Object.values(compiled(inputs())), Object.values(step(inputs())), tolerance);
  });
  expect(compiled.graphs).toBe(1);
  compiled.dispose();
}

const matrix = (seed: number): Tensor2D => random.normal(randomKey(seed), [3, 4]) as Tensor2D;

describe.each(Object.entries({ ...operations, ...tfjs }))("%s", (_, f) => {
  const step = ({ x }: { x: Tensor2D }): Record<string, Tensor> => {
    const { value, gradient } = valueAndGradient(
      (at) => tf.sum(tf.mul(f(at.x as Tensor2D), tf.sin(f(at.x as Tensor2D)))) as Scalar,
      { x },
    );
    return { y: f(x), value, gradient: gradient.x };
  };
  const [first, second] = [() => ({ x: matrix(1) }), () => ({ x: matrix(2) })];

  it("is the same compiled, with its gradient", () => compare(step, first, second));

  it("is the same compiled by XLA, with its gradient", () =>
    compare(step, first, second, { xla: true, tolerance: 1e-5 }));
});

describe.each(specs.map((spec) => [spec.name, spec] as const))("%s", (_, spec) => {
  it("draws and has the same density compiled", () => {
    const step = ({ p, key }: { p: Record<string, Tensor>; key: random.Key }): Record<string, Tensor> => {
      const law = spec.make(p);
      const x = law.sample(key, [5]);
      return { x, logDensity: law.logProb(x) };
    };
    const inputs = (seed: number) => () => ({ p: spec.parameters(), key: randomKey(seed) });
    compare(step, inputs(1), inputs(2));
  });
});

const shape = [3, 5];
const draws: Record<string, (key: random.Key) => Tensor> = {
  normal: (key) => random.normal(key, shape),
  uniform: (key) => random.uniform(key, shape, { low: -1, high: 2 }),
  exponential: (key) => random.exponential(key, shape),
  gumbel: (key) => random.gumbel(key, shape),
  categorical: (key) => random.categorical(key, tf.tensor1d([0.1, 2, -1]), [7]),
  bernoulli: (key) => random.bernoulli(key, tf.tensor1d([0.1, 0.9]), [7]),
  randomPermutation: (key) => randomPermutation(key, 20),
};

describe.each(Object.entries(draws))("%s", (name, draw) => {
  const step = ({ key }: { key: random.Key }): Record<string, Tensor> => ({
    x: draw(key),
    y: draw(random.split(key)[1]),
  });
  const inputs = (seed: number) => () => ({ key: randomKey(seed) });

  it("draws the same bits compiled", () => compare(step, inputs(1), inputs(2), { tolerance: 0 }));

  it.skipIf(name === "randomPermutation")("draws the same numbers compiled by XLA", () =>
    compare(step, inputs(1), inputs(2), { xla: true, tolerance: 2e-6 }),
  );
});
