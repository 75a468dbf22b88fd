import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { affine } from "../../src/ops/affine.js";
import { bernoulliLogDensity } from "../../src/ops/bernoulliLogDensity.js";
import { cholesky } from "../../src/ops/cholesky.js";
import { deviance } from "../../src/ops/deviance.js";
import { digamma, polygamma } from "../../src/ops/digamma.js";
import { exp } from "../../src/ops/exp.js";
import { lgamma } from "../../src/ops/lgamma.js";
import { logBeta, logMultivariateBeta } from "../../src/ops/logBeta.js";
import { logMeanExp } from "../../src/ops/logMeanExp.js";
import { logSigmoid } from "../../src/ops/logSigmoid.js";
import { logSumExp } from "../../src/ops/logSumExp.js";
import { diagonal, lowerTriangle } from "../../src/ops/lowerTriangle.js";
import { matMul } from "../../src/ops/matMul.js";
import { millsRatio } from "../../src/ops/millsRatio.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { pairwiseNormalLogMeanExp } from "../../src/ops/pairwiseNormalLogDensity.js";
import { relu } from "../../src/ops/relu.js";
import { sigmoid } from "../../src/ops/sigmoid.js";
import { softplus } from "../../src/ops/softplus.js";
import { sumToShape } from "../../src/ops/sumToShape.js";
import { tanh } from "../../src/ops/tanh.js";
import { triangularSolve } from "../../src/ops/triangularSolve.js";
import { where } from "../../src/ops/where.js";
import type { Operation } from "./support.js";

const line = (): Tensor => tf.tensor1d([-1.7, -0.4, 0.3, 1.1, 2.6]);
const positive = (): Tensor => tf.tensor1d([0.4, 0.9, 1.6, 3.2]);
const table = (): Tensor =>
  tf.tensor2d([
    [0.3, -1.2, 0.8],
    [1.5, 0.1, -0.6],
  ]);
const transposed = (x: Tensor): Tensor => tf.transpose(x);
const lower = (): Tensor =>
  tf.tensor3d([
    [
      [1.2, 9, 9],
      [0.4, 0.9, 9],
      [-0.3, 0.5, 1.4],
    ],
    [
      [0.8, 9, 9],
      [-0.6, 1.1, 9],
      [0.2, 0.7, 1],
    ],
  ]);
const right = (): Tensor =>
  tf.tensor3d([
    [
      [0.5, -1],
      [1.2, 0.3],
      [-0.7, 0.9],
    ],
    [
      [0.1, 0.6],
      [-0.4, 1.3],
      [0.8, -0.2],
    ],
  ]);
const symmetric = (): Tensor =>
  tf.tensor3d([
    [
      [2, 0.4, -0.3],
      [0.4, 1.5, 0.2],
      [-0.3, 0.2, 1.1],
    ],
  ]);
/** A ↦ chol(½(A + Aᵀ)), whose gradient in all nine entries is that of the symmetric matrix. */
const symmetrised: Operation = (a) => cholesky(tf.mul(tf.add(a!, tf.transpose(a!, [0, 2, 1])), 0.5));

/** An operation of the library at a point. */
export interface Case {
  readonly name: string;
  readonly f: Operation;
  readonly inputs: () => Tensor[];
  /** The operation without what the case wraps around it, for counting the tensors it leaves. */
  readonly bare?: Operation;
}

/** Every differentiable operation, each way that it can be called. */
export const cases: readonly Case[] = [
  { name: "exp", f: (x) => exp(x!), inputs: () => [line()] },
  { name: "sigmoid", f: (x) => sigmoid(x!), inputs: () => [line()] },
  { name: "tanh", f: (x) => tanh(x!), inputs: () => [line()] },
  { name: "relu", f: (x) => relu(tf.mul(x!, x!)), bare: (x) => relu(x!), inputs: () => [line()] },
  { name: "softplus", f: (x) => softplus(x!), inputs: () => [line()] },
  { name: "logSigmoid", f: (x) => logSigmoid(x!), inputs: () => [line()] },
  { name: "lgamma", f: (x) => lgamma(x!), inputs: () => [positive()] },
  { name: "digamma", f: (x) => digamma(x!), inputs: () => [tf.add(positive(), 0.5)] },
  { name: "polygamma", f: (x) => polygamma(2, x!), inputs: () => [tf.add(positive(), 1)] },
  { name: "logSumExp over the last axis", f: (x) => logSumExp(x!), inputs: () => [table()] },
  { name: "logSumExp over the first axis, kept", f: (x) => logSumExp(x!, 0, true), inputs: () => [table()] },
  { name: "logMeanExp", f: (x) => logMeanExp(x!, 0), inputs: () => [table()] },
  {
    name: "sumToShape",
    f: (x) => tf.square(sumToShape(x!, [2, 1])),
    bare: (x) => sumToShape(x!, [2, 1]),
    inputs: () => [table()],
  },
  {
    name: "lowerTriangle",
    f: (x) => lowerTriangle(tf.square(x!)),
    bare: (x) => lowerTriangle(x!),
    inputs: () => [right().slice([0, 0, 0], [2, 2, 2])],
  },
  {
    name: "diagonal",
    f: (x) => diagonal(tf.square(x!)),
    bare: (x) => diagonal(x!),
    inputs: () => [right().slice([0, 0, 0], [2, 2, 2])],
  },
  {
    name: "where",
    f: (a, b) => tf.tidy(() => where(tf.tensor1d([1, 0, 1], "bool"), tf.square(a!), tf.square(b!))),
    inputs: () => [table(), tf.tensor1d([1, 2, 3])],
  },
  {
    name: "normalLogDensity",
    f: (x, mean, scale) => normalLogDensity(x!, mean!, scale!),
    inputs: () => [table(), tf.tensor1d([0.1, 0.2, -0.4]), tf.tensor2d([[0.8], [1.3]])],
  },
  {
    name: "normalLogDensity of vectors",
    f: (x, mean, scale) => normalLogDensity(x!, mean!, scale!, 1),
    inputs: () => [table(), tf.tensor1d([0.1, 0.2, -0.4]), tf.scalar(0.9)],
  },
  { name: "normalLogDensity of one standard vector", f: (x) => normalLogDensity(x!, 0, 1, 1), inputs: () => [table()] },
  {
    name: "normalLogDensity, x narrower than μ",
    f: (x, mean) => normalLogDensity(x!, mean!, 2, 1),
    inputs: () => [tf.tensor1d([0.5, 1, 2]), table()],
  },
  {
    name: "bernoulliLogDensity",
    f: (logits) => bernoulliLogDensity(tf.tensor1d([1, 0, 1]), logits!),
    bare: (logits) => bernoulliLogDensity(logits!, logits!),
    inputs: () => [table()],
  },
  {
    name: "bernoulliLogDensity of vectors",
    f: (logits) =>
      bernoulliLogDensity(
        tf.tensor2d([
          [1, 0, 1],
          [0, 0, 1],
        ]),
        logits!,
        1,
      ),
    bare: (logits) => bernoulliLogDensity(logits!, logits!, 2),
    inputs: () => [tf.tensor3d([[[0.4, -1, 2]], [[1, 0.2, -3]]])],
  },
  { name: "matMul", f: (a, b) => matMul(a as Tensor2D, b as Tensor2D), inputs: () => [table(), transposed(table())] },
  {
    name: "matMul, first transposed",
    f: (a, b) => matMul(a as Tensor2D, b as Tensor2D, { transposeA: true }),
    inputs: () => [transposed(table()), transposed(table())],
  },
  {
    name: "matMul, second transposed",
    f: (a, b) => matMul(a as Tensor2D, b as Tensor2D, { transposeB: true }),
    inputs: () => [table(), tf.square(table())],
  },
  {
    name: "matMul, both transposed",
    f: (a, b) => matMul(a as Tensor2D, b as Tensor2D, { transposeA: true, transposeB: true }),
    inputs: () => [transposed(table()), tf.square(table())],
  },
  {
    name: "affine",
    f: (x, w, b) => affine(x as Tensor2D, w as Tensor2D, b as Tensor1D),
    inputs: () => [table(), tf.square(transposed(table())), tf.tensor1d([0.2, -0.7])],
  },
  {
    name: "a layer",
    f: (x, w, b) => tanh(affine(x as Tensor2D, w as Tensor2D, b as Tensor1D)),
    bare: (x, w, b) => affine(x as Tensor2D, w as Tensor2D, b as Tensor1D),
    inputs: () => [table(), tf.square(transposed(table())), tf.tensor1d([0.2, -0.7])],
  },
  { name: "triangularSolve", f: (l, b) => triangularSolve(l!, b!), inputs: () => [lower(), right()] },
  {
    name: "triangularSolve, transposed",
    f: (l, b) => triangularSolve(l!, b!, { transposed: true }),
    inputs: () => [lower(), right()],
  },
  { name: "cholesky", f: symmetrised, bare: (a) => cholesky(a!), inputs: () => [symmetric()] },
  {
    name: "pairwiseNormalLogMeanExp by products, with own components",
    f: (z, mean, scale) =>
      pairwiseNormalLogMeanExp(z!, mean!, scale!, { form: "products", own: { mean: tf.mul(z!, 0.5), scale: 2 } }),
    bare: (z, mean, scale) => pairwiseNormalLogMeanExp(z!, mean!, scale!, { form: "products" }),
    inputs: () => [table(), tf.square(table()), tf.tensor1d([0.8, 1.1, 1.4])],
  },
  { name: "deviance", f: (x) => deviance(x!), inputs: () => [line()] },
  { name: "millsRatio", f: (x) => millsRatio(x!), inputs: () => [positive()] },
  { name: "logBeta", f: (a, b) => logBeta(a!, b!), inputs: () => [positive(), tf.tensor1d([1.1])] },
  { name: "logMultivariateBeta", f: (x) => logMultivariateBeta(x!), inputs: () => [positive()] },
];
