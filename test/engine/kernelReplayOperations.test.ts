import { beforeAll, describe, test } from "vitest";
import { Bernoulli } from "../../src/distributions/bernoulli.js";
import { Categorical } from "../../src/distributions/categorical.js";
import type { Distribution } from "../../src/distributions/distribution.js";
import { Independent } from "../../src/distributions/independent.js";
import { klDivergence } from "../../src/distributions/kl.js";
import { Laplace } from "../../src/distributions/laplace.js";
import { Mixture } from "../../src/distributions/mixture.js";
import { Normal } from "../../src/distributions/normal.js";
import { Uniform } from "../../src/distributions/uniform.js";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { affine } from "../../src/ops/affine.js";
import { bernoulliLogDensity } from "../../src/ops/bernoulliLogDensity.js";
import { exp } from "../../src/ops/exp.js";
import { logMeanExp } from "../../src/ops/logMeanExp.js";
import { logSigmoid } from "../../src/ops/logSigmoid.js";
import { logSumExp } from "../../src/ops/logSumExp.js";
import { diagonal, halvedLowerTriangle, lowerTriangle } from "../../src/ops/lowerTriangle.js";
import { matMul } from "../../src/ops/matMul.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { relu } from "../../src/ops/relu.js";
import { sigmoid } from "../../src/ops/sigmoid.js";
import { softplus } from "../../src/ops/softplus.js";
import { stopGradient } from "../../src/ops/stopGradient.js";
import { sumToShape } from "../../src/ops/sumToShape.js";
import { tanh } from "../../src/ops/tanh.js";
import { where } from "../../src/ops/where.js";
import type { Operation } from "../ops/support.js";
import { expectSameBits, kernelBackends, shifted, type TensorStep, withGradient } from "./kernelReplaySupport.js";

const line = (): Tensor => tf.tensor1d([-1.7, -0.4, 0.3, 1.1, 2.6]);
const scales = (): Tensor => tf.tensor1d([0.4, 0.9, 1.6, 3.2, 0.7]);
const table = (): Tensor =>
  tf.tensor2d([
    [0.3, -1.2, 0.8, 0.2, -2],
    [1.5, 0.1, -0.6, 3, 0.4],
  ]);
const square = (): Tensor =>
  tf.tensor3d([
    [
      [1.2, 0.3],
      [0.4, 0.9],
    ],
  ]);
const bitsOfData = (): Tensor => tf.tensor1d([1, 0, 1, 1, 0]);

/** Of the inputs the first `moving` (by default all) change from call to call and are differentiated. */
const operations: readonly { name: string; f: Operation; inputs: () => Tensor[]; moving?: number }[] = [
  { name: "exp", f: (x) => exp(x!), inputs: () => [line()] },
  { name: "sigmoid", f: (x) => sigmoid(x!), inputs: () => [line()] },
  { name: "tanh", f: (x) => tanh(x!), inputs: () => [line()] },
  { name: "softplus", f: (x) => softplus(x!), inputs: () => [line()] },
  { name: "logSigmoid", f: (x) => logSigmoid(x!), inputs: () => [line()] },
  { name: "logSumExp", f: (x) => logSumExp(x!), inputs: () => [table()] },
  { name: "logSumExp over the first axis, kept", f: (x) => logSumExp(x!, 0, true), inputs: () => [table()] },
  { name: "logMeanExp", f: (x) => logMeanExp(x!, 0), inputs: () => [table()] },
  { name: "relu", f: (x) => relu(x!), inputs: () => [line()] },
  {
    name: "affine",
    f: (x, weights, bias) => affine(x as Tensor2D, weights as Tensor2D, bias as Tensor1D),
    inputs: () => [table(), tf.transpose(table()), tf.tensor1d([0.3, -0.2])],
  },
  {
    name: "matMul with a transpose",
    f: (a, b) => matMul(a as Tensor2D, b as Tensor2D, { transposeB: true }),
    inputs: () => [table(), table()],
  },
  { name: "lowerTriangle", f: (x) => lowerTriangle(x!), inputs: () => [square()] },
  { name: "halvedLowerTriangle", f: (x) => halvedLowerTriangle(x!), inputs: () => [square()] },
  { name: "diagonal", f: (x) => diagonal(x!), inputs: () => [square()] },
  { name: "sumToShape", f: (x) => sumToShape(x!, [5]), inputs: () => [table()] },
  { name: "sumToShape that changes nothing", f: (x) => sumToShape(x!, [5]), inputs: () => [line()] },
  {
    name: "stopGradient",
    f: (x) =>
      tf.mul(
        x!,
        stopGradient(() => tf.exp(x!)),
      ),
    inputs: () => [line()],
  },
  {
    name: "where",
    f: (a, b) =>
      where(
        stopGradient(() => tf.less(a!, b!)),
        tf.square(a!),
        b!,
      ),
    inputs: () => [table(), line()],
  },
  {
    name: "normalLogDensity",
    f: (x, mean, scale) => normalLogDensity(x!, mean!, scale!, 1),
    inputs: () => [table(), line(), scales()],
  },
  {
    name: "normalLogDensity of numbers",
    f: (x) => normalLogDensity(x!, 0.5, 2, 1),
    inputs: () => [table()],
  },
  {
    name: "bernoulliLogDensity",
    f: (logits, x) => bernoulliLogDensity(x!, logits!, 1),
    inputs: () => [table(), bitsOfData()],
    moving: 1,
  },
];

const distributions: readonly {
  name: string;
  make: (...parameters: Tensor[]) => Distribution;
  parameters: () => Tensor[];
  withoutEntropy?: true;
}[] = [
  {
    name: "Normal",
    make: (mean, scale) => new Normal({ mean: mean!, scale: scale! }),
    parameters: () => [line(), scales()],
  },
  {
    name: "Independent",
    make: (mean, scale) => new Independent({ base: new Normal({ mean: mean!, scale: scale! }), eventRank: 1 }),
    parameters: () => [table(), scales()],
  },
  {
    name: "Laplace",
    make: (location, scale) => new Laplace({ location: location!, scale: scale! }),
    parameters: () => [line(), scales()],
  },
  { name: "Uniform", make: (low) => new Uniform({ low: low!, high: 4 }), parameters: () => [line()] },
  { name: "Bernoulli", make: (logits) => new Bernoulli({ logits: logits! }), parameters: () => [line()] },
  {
    name: "Categorical",
    make: (logits) => new Categorical({ logits: tf.square(logits!) }),
    parameters: () => [table()],
  },
  {
    name: "Mixture",
    make: (logits, mean) =>
      new Mixture({ logits: tf.square(logits!), components: new Normal({ mean: mean!, scale: 0.5 }) }),
    parameters: () => [line(), line()],
    withoutEntropy: true,
  },
];

/** Draws, their log-density, the gradient of both in the parameters, and every moment. */
function everythingOf(
  make: (...parameters: Tensor[]) => Distribution,
  { withoutEntropy = false }: { readonly withoutEntropy?: boolean | undefined },
): TensorStep {
  return (parameters, [key]) => {
    const q = make(...parameters);
    const x = q.sample(key!, [3]);
    const { value, gradient } = valueAndGradient(
      ({ list }) => {
        const moving = make(...list);
        const drawn = tf.cast(moving.sample(key!, [3]), "float32");
        return tf.add(tf.sum(tf.mul(drawn, drawn)), tf.sum(moving.logProb(x)));
      },
      { list: parameters },
    );
    const entropy = withoutEntropy ? [] : [q.entropy()];
    return [x, q.logProb(x), q.mean(), q.variance(), ...entropy, value, ...gradient.list];
  };
}

describe.each(kernelBackends)("a replay has the bits of the step itself on %s", (backend) => {
  beforeAll(() => ready({ backend }));

  test.each(operations)("$name and its gradient", ({ f, inputs, moving }) => {
    expectSameBits(withGradient(f, moving), shifted(inputs, moving));
  });

  test.each(distributions)("$name: draws, density, gradients, moments", ({ make, parameters, withoutEntropy }) => {
    expectSameBits(everythingOf(make, { withoutEntropy }), shifted(parameters));
  });

  test("the divergence of two normals and its gradient", () => {
    const divergence: Operation = (mean, scale, other) =>
      klDivergence(new Normal({ mean: mean!, scale: scale! }), new Normal({ mean: other!, scale: 1.5 }));
    expectSameBits(
      withGradient(divergence),
      shifted(() => [line(), scales(), line()]),
    );
  });

  test("a second derivative", () => {
    const slope: Operation = (x) =>
      valueAndGradient(({ at }) => tf.sum(softplus(tf.mul(at, at))), { at: x! }).gradient.at;
    expectSameBits(
      withGradient(slope),
      shifted(() => [line()]),
    );
  });
});
