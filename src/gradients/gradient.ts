import type { Bound } from "../bounds/bound.js";
import { valueAndGradient } from "../engine/gradient.js";
import type { Parameters } from "../engine/parameters.js";
import { type Scalar, type Tensor1D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { Point, Problem } from "../models/problem.js";

/** What a gradient estimator looks at. */
export interface GradientInputs<Theta extends Parameters, Phi extends Parameters, Z> extends Point<Theta, Phi> {
  readonly problem: Problem<Theta, Phi, Z>;
  readonly bound: Bound;
}

/** What a gradient estimator returns. */
export interface Surrogate {
  /** The bound of each datum, `[B]`, an unbiased estimate; for reports, not to be differentiated. */
  readonly value: Tensor1D;
  /**
   * A scalar whose gradient in (θ, φ) estimates that of `scale · Σ_b L_b`, the bound of the whole data set. Its value means nothing.
   */
  readonly surrogate: Scalar;
}

/** A way to differentiate a bound: it turns a problem into a surrogate for automatic differentiation. */
export type Gradient = <Theta extends Parameters, Phi extends Parameters, Z>(
  inputs: GradientInputs<Theta, Phi, Z>,
) => Surrogate;

/** A bound's estimate `[B]` and its gradient in both records of parameters. */
export interface GradientEstimate<Theta extends Parameters, Phi extends Parameters> {
  readonly value: Tensor1D;
  readonly gradient: { readonly theta: Theta; readonly phi: Phi };
}

/**
 * One estimate of the gradient of `scale · Σ_b L_b` in (θ, φ), by any {@link Gradient}.
 *
 * Pure: new tensors come back, and none is left behind.
 *
 * @throws Error as the problem, the bound and the gradient do.
 */
export function estimateGradient<Theta extends Parameters, Phi extends Parameters, Z>(
  gradient: Gradient,
  inputs: GradientInputs<Theta, Phi, Z>,
): GradientEstimate<Theta, Phi> {
  return tidied(() => {
    let value: Tensor1D | undefined;
    try {
      const { gradient: slope } = valueAndGradient(
        ({ theta, phi }) => {
          const estimate = gradient({ ...inputs, theta, phi });
          value = tf.keep(estimate.value);
          return estimate.surrogate;
        },
        { theta: inputs.theta, phi: inputs.phi },
      );
      return { value: tf.clone(value as Tensor1D), gradient: slope };
    } finally {
      value?.dispose(); // a kept tensor would outlive the scopes of whoever called
    }
  });
}
