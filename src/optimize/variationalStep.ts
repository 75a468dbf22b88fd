import type { Bound } from "../bounds/bound.js";
import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import { type Scalar, type Tensor1D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { estimateGradient, type Gradient } from "../gradients/gradient.js";
import { reparameterised } from "../gradients/reparameterised.js";
import type { Problem } from "../models/problem.js";
import { norm } from "./flatten.js";
import type { Optimizer } from "./optimizer.js";

/** Parameters of model and q together. */
export type ModelAndPosterior<Theta extends Parameters, Phi extends Parameters> = {
  readonly theta: Theta;
  readonly phi: Phi;
};

/** What a fit carries from step to step. */
export type FitState<Theta extends Parameters, Phi extends Parameters> = ModelAndPosterior<Theta, Phi> & {
  readonly optimizer: Parameters;
};

/** What one step of a variational fit consists of. */
export interface VariationalStep {
  readonly bound: Bound;
  /** K, samples for each datum. */
  readonly samples: number;
  readonly optimizer: Optimizer;
  /** How to differentiate the bound. Default {@link reparameterised}. */
  readonly gradient?: Gradient;
}

/**
 * One step of stochastic gradient *ascent* on a bound, as a pure function of state, key and problem.
 *
 * (θ, φ) ← optimizer((θ, φ), ∇ scale Σ_b L_b), uphill. New tensors come back; the old state is
 * left alone.
 */
export function variationalStep<Theta extends Parameters, Phi extends Parameters, Z>(
  method: VariationalStep,
  inputs: {
    readonly problem: Problem<Theta, Phi, Z>;
    readonly state: FitState<Theta, Phi>;
    readonly key: Key;
    /** From 0, for the schedule. */
    readonly step: number;
    /** Size of the step uphill, in place of the schedule's; as a tensor, it can be fed anew to each replay of a compiled step. */
    readonly learningRate?: number | Scalar;
  },
): { readonly state: FitState<Theta, Phi>; readonly value: Tensor1D; readonly gradientNorm: Scalar } {
  const { bound, samples, optimizer, gradient = reparameterised } = method;
  const { problem, state, key, step, learningRate = optimizer.schedule(step) } = inputs;
  const { theta, phi } = state;
  return tidied(() => {
    const ascent = estimateGradient(gradient, { problem, bound, theta, phi, samples, key });
    const updated = optimizer.step({
      parameters: { theta, phi } as ModelAndPosterior<Theta, Phi>,
      gradient: ascent.gradient as ModelAndPosterior<Theta, Phi>,
      state: state.optimizer,
      learningRate: typeof learningRate === "number" ? -learningRate : (tf.neg(learningRate) as Scalar), // ascent
    });
    return {
      state: { ...updated.parameters, optimizer: updated.state },
      value: ascent.value,
      gradientNorm: norm(ascent.gradient),
    };
  });
}
