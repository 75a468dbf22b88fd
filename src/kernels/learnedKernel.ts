import type { Parameters } from "../engine/parameters.js";
import { checkShape } from "../engine/shape.js";
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { matMul } from "../ops/matMul.js";
import { type KernelFunction, linearFunction, radialFunction } from "./kernelFunction.js";
import { matern } from "./matern.js";
import { checkPositive, type RadialKernel } from "./radialKernel.js";
import { squaredExponential } from "./squaredExponential.js";

/** A kernel whose parameters are learned: differentiable in them and in the points. */
export interface LearnedKernel<P extends Parameters> {
  readonly name: string;
  /** D, of the points. */
  readonly dimension: number;
  /** The parameters it starts with: new tensors, the caller's. */
  init(): P;
  /** k(x_i, y_j), `[N, M]`, for points `[N, D]` and `[M, D]`. */
  matrix(parameters: P, x: Tensor2D, y: Tensor2D): Tensor2D;
  /** k(x_i, x_i), `[N]`. */
  diagonal(parameters: P, x: Tensor2D): Tensor1D;
  /** The same kernel in Float64, at these parameters, which are read here. */
  at(parameters: P): KernelFunction;
}

/** Parameters of {@link learnedRadial}, all unconstrained. */
export type RadialParameters = {
  /** log v. */
  readonly logVariance: Scalar;
  /** log ℓ, `[D]`, one length scale for each coordinate. */
  readonly logLengthScales: Tensor1D;
};

/** The shapes κ of {@link learnedRadial}. */
export type RadialShape = "squared exponential" | "Matérn 1/2" | "Matérn 3/2" | "Matérn 5/2";

/** Options of {@link learnedRadial}. */
export interface LearnedRadialOptions {
  readonly shape: RadialShape;
  /** D. */
  readonly dimension: number;
  /** v at the start. Default 1. */
  readonly variance?: number;
  /** ℓ at the start, of every coordinate. Default 1. */
  readonly lengthScale?: number;
}

/** Each shape of r² = Σ_d (x_d − y_d)²/ℓ_d²; the number below the root keeps its slope finite at r = 0 and is lost in float32 elsewhere. */
const shapes: Readonly<Record<RadialShape, { numbers: () => RadialKernel; tensor: (square: Tensor) => Tensor }>> = {
  "squared exponential": { numbers: () => squaredExponential(), tensor: (square) => exp(tf.mul(-0.5, square)) },
  "Matérn 1/2": { numbers: () => matern({ smoothness: 0.5 }), tensor: (square) => exp(tf.neg(root(square, 1))) },
  "Matérn 3/2": {
    numbers: () => matern({ smoothness: 1.5 }),
    tensor: (square) => tf.tidy(() => withDecay(root(square, 3), (r) => tf.add(1, r))),
  },
  "Matérn 5/2": {
    numbers: () => matern({ smoothness: 2.5 }),
    tensor: (square) => tf.tidy(() => withDecay(root(square, 5), (r) => tf.add(tf.add(1, r), tf.div(tf.square(r), 3)))),
  },
};

const root = (square: Tensor, factor: number): Tensor => tf.sqrt(tf.add(tf.mul(factor, square), 1e-12));
const withDecay = (r: Tensor, polynomial: (r: Tensor) => Tensor): Tensor => tf.mul(polynomial(r), exp(tf.neg(r)));

/**
 * A kernel of the distance in units that are learned, `k(x, y) = v κ(Σ_d (x_d − y_d)² / ℓ_d²)`: squared exponential or Matérn.
 *
 * @throws Error if the shape is unknown, the dimension is no positive integer, or v or ℓ is not positive and finite.
 * Source: Rasmussen & Williams 2006, sections 4.2 and 5.1 (one length scale a coordinate: automatic relevance determination).
 */
export function learnedRadial(options: LearnedRadialOptions): LearnedKernel<RadialParameters> {
  const { shape, dimension, variance = 1, lengthScale = 1 } = options;
  const form = shapes[shape];
  if (!form)
    throw new Error(`learnedRadial: the shape must be one of ${Object.keys(shapes).join(", ")}, not "${shape}".`);
  checkDimension("learnedRadial", dimension);
  checkPositive("learnedRadial: variance", variance);
  checkPositive("learnedRadial: lengthScale", lengthScale);
  return {
    name: shape,
    dimension,
    init: () => ({
      logVariance: tf.scalar(Math.log(variance)),
      logLengthScales: tf.fill([dimension], Math.log(lengthScale)) as Tensor1D,
    }),
    matrix: ({ logVariance, logLengthScales }, x, y) =>
      tf.tidy(() => {
        checkPoints(shape, dimension, x, y);
        const inverse = exp(tf.neg(logLengthScales));
        // Differences, not products: what cancels there would be lost in float32 for near points.
        const difference = tf.sub(tf.expandDims(tf.mul(x, inverse), 1), tf.expandDims(tf.mul(y, inverse), 0));
        return tf.mul(exp(logVariance), form.tensor(tf.sum(tf.square(difference), 2))) as Tensor2D;
      }),
    diagonal: ({ logVariance }, x) => tf.tidy(() => tf.mul(exp(logVariance), tf.ones([x.shape[0]]))) as Tensor1D,
    at: ({ logVariance, logLengthScales }) => {
      const v = Math.exp(logVariance.dataSync()[0]);
      const unit = radialFunction(form.numbers(), Float64Array.from(logLengthScales.dataSync(), Math.exp));
      return (x, y) => v * unit(x, y);
    },
  };
}

/** Parameters of {@link learnedLinear}. */
export type LinearParameters = { readonly logVariance: Scalar; readonly logBias: Scalar };

/**
 * The linear kernel with learned variances, `k(x, y) = v xᵀy + b`.
 *
 * @throws Error if the dimension is no positive integer, or v or b is not positive and finite.
 */
export function learnedLinear(options: {
  readonly dimension: number;
  /** v at the start. Default 1. */
  readonly variance?: number;
  /** b at the start. Default 1. */
  readonly bias?: number;
}): LearnedKernel<LinearParameters> {
  const { dimension, variance = 1, bias = 1 } = options;
  checkDimension("learnedLinear", dimension);
  checkPositive("learnedLinear: variance", variance);
  checkPositive("learnedLinear: bias", bias);
  return {
    name: "linear",
    dimension,
    init: () => ({ logVariance: tf.scalar(Math.log(variance)), logBias: tf.scalar(Math.log(bias)) }),
    matrix: ({ logVariance, logBias }, x, y) =>
      tf.tidy(() => {
        checkPoints("linear", dimension, x, y);
        return tf.add(tf.mul(exp(logVariance), matMul(x, y, { transposeB: true })), exp(logBias)) as Tensor2D;
      }),
    diagonal: ({ logVariance, logBias }, x) =>
      tf.tidy(() => tf.add(tf.mul(exp(logVariance), tf.sum(tf.square(x), 1)), exp(logBias))) as Tensor1D,
    at: ({ logVariance, logBias }) =>
      linearFunction({ variance: Math.exp(logVariance.dataSync()[0]), bias: Math.exp(logBias.dataSync()[0]) }),
  };
}

/** Parameters of two kernels that compose. */
export type PairParameters<A extends Parameters, B extends Parameters> = { readonly first: A; readonly second: B };

/**
 * The sum of two learned kernels, k = k_1 + k_2: of a trend and what is local, for instance.
 *
 * @throws Error if their dimensions differ.
 */
export function learnedSum<A extends Parameters, B extends Parameters>(
  first: LearnedKernel<A>,
  second: LearnedKernel<B>,
): LearnedKernel<PairParameters<A, B>> {
  return pair(first, second, { name: "learnedSum", sign: "+", tensors: tf.add, numbers: (a, b) => a + b });
}

/**
 * The product of two learned kernels, k = k_1 · k_2, positive definite as its factors are (Schur's theorem).
 *
 * @throws Error if their dimensions differ.
 */
export function learnedProduct<A extends Parameters, B extends Parameters>(
  first: LearnedKernel<A>,
  second: LearnedKernel<B>,
): LearnedKernel<PairParameters<A, B>> {
  return pair(first, second, { name: "learnedProduct", sign: "·", tensors: tf.mul, numbers: (a, b) => a * b });
}

function pair<A extends Parameters, B extends Parameters>(
  one: LearnedKernel<A>,
  two: LearnedKernel<B>,
  operation: {
    readonly name: string;
    readonly sign: string;
    readonly tensors: <T extends Tensor>(a: Tensor, b: Tensor) => T;
    readonly numbers: (a: number, b: number) => number;
  },
): LearnedKernel<PairParameters<A, B>> {
  if (one.dimension !== two.dimension)
    throw new Error(
      `${operation.name}: the kernels are of ${one.dimension} and of ${two.dimension} coordinates; make them equal.`,
    );
  return {
    name: `(${one.name} ${operation.sign} ${two.name})`,
    dimension: one.dimension,
    init: () => ({ first: one.init(), second: two.init() }),
    matrix: ({ first, second }, x, y) =>
      tf.tidy(() => operation.tensors<Tensor2D>(one.matrix(first, x, y), two.matrix(second, x, y))),
    diagonal: ({ first, second }, x) =>
      tf.tidy(() => operation.tensors<Tensor1D>(one.diagonal(first, x), two.diagonal(second, x))),
    at: ({ first, second }) => {
      const [f, g] = [one.at(first), two.at(second)];
      return (x, y) => operation.numbers(f(x, y), g(x, y));
    },
  };
}

function checkDimension(name: string, dimension: number): void {
  if (!Number.isInteger(dimension) || dimension < 1)
    throw new Error(`${name}: dimension must be a positive integer, not ${dimension}.`);
}

function checkPoints(name: string, dimension: number, x: Tensor2D, y: Tensor2D): void {
  checkShape(`${name} kernel: x`, x, ["*", dimension]);
  checkShape(`${name} kernel: y`, y, ["*", dimension]);
}
