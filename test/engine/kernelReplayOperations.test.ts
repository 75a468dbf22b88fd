import { beforeAll, describe, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { affine } from "../../src/ops/affine.js";
import { bernoulliLogDensity } from "../../src/ops/bernoulliLogDensity.js";
import { cholesky } from "../../src/ops/cholesky.js";
import { digamma, polygamma } from "../../src/ops/digamma.js";
import { exp } from "../../src/ops/exp.js";
import { lgamma } from "../../src/ops/lgamma.js";
import { logMeanExp } from "../../src/ops/logMeanExp.js";
import { logSigmoid } from "../../src/ops/logSigmoid.js";
import { logSumExp } from "../../src/ops/logSumExp.js";
import { diagonal, halvedLowerTriangle, lowerTriangle } from "../../src/ops/lowerTriangle.js";
import { matMul } from "../../src/ops/matMul.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { pairwiseNormalLogDensity, pairwiseNormalLogMeanExp } from "../../src/ops/pairwiseNormalLogDensity.js";
import { relu } from "../../src/ops/relu.js";
import { sigmoid } from "../../src/ops/sigmoid.js";
import { softplus } from "../../src/ops/softplus.js";
import { stopGradient } from "../../src/ops/stopGradient.js";
import { sumToShape } from "../../src/ops/sumToShape.js";
import { tanh } from "../../src/ops/tanh.js";
import { triangularSolve } from "../../src/ops/triangularSolve.js";
import { where } from "../../src/ops/where.js";
import type { Operation } from "../ops/support.js";
import { expectSameBits, kernelBackends, shifted, withGradient } from "./kernelReplaySupport.js";

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

const positive = (): Tensor => tf.tensor1d([0.4, 0.9, 1.6, 3.2]);
const lower = (): Tensor =>
  tf.tensor3d([
    [
      [1.2, 9],
      [0.4, 0.9],
    ],
    [
      [0.8, 9],
      [-0.6, 1.1],
    ],
  ]);
const right = (): Tensor =>
  tf.tensor3d([
    [[0.5], [1.2]],
    [[0.1], [-0.4]],
  ]);

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
  {
    name: "pairwiseNormalLogDensity",
    f: (z, mean, scale) => pairwiseNormalLogDensity(z!, mean!, scale!),
    inputs: () => [table(), table(), scales()],
  },
  {
    name: "pairwiseNormalLogMeanExp with own components",
    f: (z, mean, scale, own) => pairwiseNormalLogMeanExp(z!, mean!, scale!, { own: { mean: own!, scale: 0.7 } }),
    inputs: () => [table(), tf.neg(table()), scales(), table()],
  },
  { name: "lgamma", f: (x) => lgamma(x!), inputs: () => [positive()] },
  { name: "digamma", f: (x) => digamma(x!), inputs: () => [positive()] },
  { name: "polygamma", f: (x) => polygamma(2, x!), inputs: () => [positive()] },
  { name: "cholesky", f: (l) => cholesky(tf.matMul(l!, l!, false, true)), inputs: () => [lower()] },
  { name: "triangularSolve", f: (l, b) => triangularSolve(l!, b!), inputs: () => [lower(), right()] },
  {
    name: "triangularSolve with the transpose",
    f: (l, b) => triangularSolve(l!, b!, { transposed: true }),
    inputs: () => [lower(), right()],
  },
];

describe.each(kernelBackends)("a replay has the bits of the step itself on %s", (backend) => {
  beforeAll(() => ready({ backend }));

  test.each(operations)("$name and its gradient", ({ f, inputs, moving }) => {
    expectSameBits(withGradient(f, moving), shifted(inputs, moving));
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
