import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { cholesky } from "../ops/cholesky.js";
import { differentiable } from "../ops/differentiable.js";
import { diagonal } from "../ops/lowerTriangle.js";
import { matMul } from "../ops/matMul.js";
import { triangularSolve } from "../ops/triangularSolve.js";
import { checkSize } from "./family.js";
import type { InducingPosterior } from "./inducingPosterior.js";

/** Natural parameters of a Gaussian: of exp(θ₁ᵀv − ½ vᵀΛv). */
export type NaturalPosteriorParameters = {
  /** θ₁ = Λ m, `[M, 1]`. */
  readonly linear: Tensor2D;
  /** Λ = S⁻¹, `[M, M]`, symmetric and positive definite. */
  readonly precision: Tensor2D;
};

/**
 * q(v) = N(m, S) by its natural parameters, whose reverse pass hands back *natural* gradients: the slopes in the mean parameters η = (m, S + m mᵀ), which
 * in an exponential family are the Fisher matrix's inverse times the slopes in the natural ones. So `θ ← θ + ρ slope` is a natural-gradient step.
 *
 * No Fisher matrix and no Jacobian is formed: for f(m, S), ∂f/∂η₁ = ∂f/∂m − 2 (∂f/∂S) m and ∂f/∂η₂ = ∂f/∂S, and Λ moves by −2 ∂f/∂η₂. With a log-concave
 * likelihood and ρ ≤ 1 the precision stays above the prior's, I. Take its steps with `naturalSteps`; for plain gradients use `choleskyPosterior`.
 *
 * @throws Error if the dimension is no positive integer.
 * Source: Hensman, Fusi & Lawrence 2013, "Gaussian processes for big data" (the natural gradients of q(u)); Salimbeni, Eleftheriadis & Hensman 2018, "Natural gradients in practice".
 */
export function naturalPosterior(options: {
  /** M. */
  readonly dimension: number;
}): InducingPosterior<NaturalPosteriorParameters> {
  const { dimension } = options;
  checkSize("naturalPosterior: dimension", dimension);
  return {
    dimension,
    init: () => ({ linear: tf.zeros([dimension, 1]), precision: tf.eye(dimension) }),
    mean: ({ linear, precision }) =>
      differentiable(
        [linear, precision],
        () => solve(cholesky(precision), linear),
        (dy) => [() => tf.clone(dy), () => tf.zeros([dimension, dimension])],
      ) as Tensor2D,
    variance: ({ linear, precision }, a) =>
      differentiable(
        [linear, precision, a],
        (save) => {
          save([linear, precision, a]);
          return tf.sum(tf.square(triangularSolve(cholesky(precision), a)), 0);
        },
        (dy, saved) => {
          const [linear, precision, a] = saved as [Tensor, Tensor, Tensor];
          const factor = cholesky(precision);
          const slope = tf.mul(2, matMul(tf.mul(a, dy), a, { transposeB: true })); // 2 ∂f/∂S
          return [
            () => tf.neg(matMul(slope, solve(factor, linear))),
            () => tf.neg(slope),
            () => tf.mul(tf.mul(2, solve(factor, a)), dy),
          ];
        },
      ) as Tensor1D,
    kl: ({ linear, precision }) =>
      differentiable(
        [linear, precision],
        (save) => {
          save([linear, precision]);
          const factor = cholesky(precision);
          const trace = tf.sum(tf.square(triangularSolve(factor, tf.eye(dimension))));
          const logDeterminant = tf.mul(2, tf.sum(tf.log(diagonal(factor))));
          const squares = tf.sum(tf.square(solve(factor, linear)));
          return tf.mul(0.5, tf.add(tf.sub(tf.add(trace, squares), dimension), logDeterminant));
        },
        // ∇_η KL(q ‖ p) = θ_q − θ_p, with nothing to cancel.
        (dy, [linear, precision]) => [
          () => tf.mul(dy, linear!),
          () => tf.mul(dy, tf.sub(precision!, tf.eye(dimension))),
        ],
      ) as Scalar,
  };
}

/** Λ⁻¹ b from Λ's Cholesky factor. */
function solve(factor: Tensor, right: Tensor): Tensor {
  return triangularSolve(factor, triangularSolve(factor, right), { transposed: true });
}
