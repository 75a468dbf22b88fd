import { elbo } from "../bounds/elbo.js";
import { valueAndGradient } from "../engine/gradient.js";
import { onOwnTape } from "../engine/ownTape.js";
import { type Scalar, type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { drawLogWeights } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient, drawByDraw, unbiased } from "./declared.js";
import { diagonalGaussian } from "./diagonalGaussian.js";

/** Options of {@link taylorControlVariate}. */
export interface TaylorOptions {
  /**
   * What stands for the Hessian A of log p at the mean: its second derivatives (an operation of tfjs that loses its own, such as `tf.sigmoid`, spoils A and the saving,
   * not the mean: use this library's), or the slopes of its gradient
   * between μ_d − σ_d and μ_d + σ_d, which asks for first derivatives only. Default `"derivative"`.
   */
  readonly slopes?: "derivative" | "secant";
}

/**
 * The reparameterised gradient of the ELBO less what the gradient of log p would be if it were linear, ∇ log p(z) ≈ g̃(ε) = ∇ log p(μ) + A σε, whose mean is known:
 *
 * ĝ_μ = g_μ − (g̃ − ∇ log p(μ)),  ĝ_σ = g_σ − (g̃ ∘ ε − diag(A) σ), averaged over the K draws.
 *
 * Nothing is left of the variance where log p is quadratic; little where q is narrow. It costs D (or, by secants, 2D) further gradients of log p at a time, whatever K is,
 * and D² numbers a datum. The authors' Hessian-vector products for every draw give the same in μ; with A in hand diag(A), the mean in σ, is exact too.
 *
 * Unbiased for the ELBO whatever A is, as long as no draw enters it; with draws that hang together too (`antithetic`, `quasiMonteCarlo`), since each term's own mean is known.
 *
 * @throws Error for another bound, or if q is not a product of normals.
 * Source: Miller, Foti, D'Amour & Adams 2017, "Reducing reparameterization gradient variance".
 */
export function taylorControlVariate({ slopes = "derivative" }: TaylorOptions = {}): DeclaredGradient {
  const name = "taylorControlVariate";
  return drawByDraw(
    declareGradient(
      slopes === "derivative" ? name : `${name} (${slopes})`,
      (bound) =>
        bound === elbo
          ? unbiased
          : {
              verdict: "refused",
              why: "the weights of another bound are no linear function of the draws, so the control variate's mean is not known; use doublyReparameterised, or bound: elbo.",
            },
      ({ problem, bound, theta, phi, samples, key }) =>
        tidied(() => {
          const { mean, scale } = diagonalGaussian(name, problem, phi);
          const { z: drawn, logW } = drawLogWeights(problem, { theta, phi, samples, key });
          const z = drawn as Tensor3D;
          const value = bound.value(logW);
          const { along, level, diagonal } = onOwnTape(() => {
            const slope = (at: Tensor3D): Tensor3D =>
              valueAndGradient(({ z }) => tf.sum(problem.logP(theta, z as never)), { z: at }).gradient.z;
            const columns = (slopes === "secant" ? secants : hessian)(slope, mean, scale); // [D, B, D]: A's column d
            const level = slope(tf.expandDims(mean, 0) as Tensor3D);
            const offset = tf.transpose(tf.sub(z, mean), [1, 0, 2]); // σε, [B, K, D]
            const linear = tf.transpose(tf.matMul(offset, tf.transpose(columns, [1, 0, 2])), [1, 0, 2]);
            const identity = tf.expandDims(tf.eye(mean.shape[1]), 1);
            return { along: tf.add(level, linear), level, diagonal: tf.sum(tf.mul(columns, identity), 0) };
          });
          const path = tf.div(tf.sum(tf.mul(along, z)), samples);
          const known = tf.add(
            tf.sum(tf.mul(level, mean)),
            tf.sum(tf.mul(tf.mul(diagonal, stopGradient(scale)), scale)),
          );
          const climbed = tf.sub(tf.sum(value), tf.sub(path, known));
          return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
        }),
      "q a product of normals",
    ),
  );
}

type Slope = (at: Tensor3D) => Tensor3D;

/** H e_d at the mean for each d, in one backward pass through the gradient. */
function hessian(slope: Slope, mean: Tensor2D): Tensor {
  const [batch, dimension] = mean.shape;
  const unit = tf.expandDims(tf.eye(dimension), 1);
  const at = tf.add(mean, tf.zeros([dimension, batch, dimension])) as Tensor3D;
  return valueAndGradient(({ z }) => tf.sum(tf.mul(slope(z), unit)), { z: at }).gradient.z;
}

/** [∇f(μ + σ_d e_d) − ∇f(μ − σ_d e_d)] / 2σ_d for each d. */
function secants(slope: Slope, mean: Tensor2D, scale: Tensor2D): Tensor {
  const unit = tf.expandDims(tf.eye(mean.shape[1]), 1);
  const step = tf.mul(unit, scale);
  const [above, below] = tf.split(slope(tf.concat([tf.add(mean, step), tf.sub(mean, step)], 0) as Tensor3D), 2, 0);
  const width = tf.expandDims(tf.transpose(scale), 2); // [D, B, 1]
  return tf.div(tf.sub(above, below), tf.mul(2, width));
}
