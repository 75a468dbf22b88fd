import { countParameters, type Parameters } from "../engine/parameters.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { flatten, unflatten } from "./flatten.js";
import type { Optimizer } from "./optimizer.js";

/**
 * A running average of parameters as pure functions, so that it is part of a step's state: compiled, checkpointed and resumed with it.
 */
export interface Averaging {
  readonly name: string;
  /** The numbers it was made with; a checkpoint compares them. */
  readonly settings: Readonly<Record<string, number>>;
  /** The state before the first step. */
  init(parameters: Parameters): Parameters;
  /** The state after one more step, which left `parameters`. */
  update(inputs: { readonly state: Parameters; readonly parameters: Parameters }): Parameters;
  /** The average so far, a record like the given one; the caller disposes it. */
  average<P extends Parameters>(state: Parameters, like: P): P;
}

/** State of an average: how many steps it has seen, and the mean of all parameters in one vector. */
export type AveragingState = {
  readonly count: Scalar;
  readonly mean: Tensor1D;
  /** What rounding has taken from the mean so far: the last digits that float32 cannot hold. */
  readonly lost: Tensor1D;
};

/**
 * The mean of the iterates after the first `from` steps: θ̄_T = (1/(T − from)) Σ_{t > from} θ_t; until then, the iterate itself.
 *
 * At a step size that does not shrink, the iterates hover about the optimum and their mean comes closer to it than any of them. Leave out
 * the steps that approach it. The mean is one of the parameters as the family has them, for instance of log σ and not of σ.
 *
 * @throws Error if `from` is not a non-negative integer.
 * Source: Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30.
 */
export function polyakAveraging({ from = 0 }: { readonly from?: number } = {}): Averaging {
  if (!Number.isInteger(from) || from < 0) {
    throw new Error(`polyakAveraging: from must be a non-negative integer, not ${from}.`);
  }
  return averaging("Polyak", { from }, (count) => tf.div(1, tf.maximum(tf.sub(count, from), 1)));
}

/**
 * The exponentially weighted mean of the iterates, θ̄_T = Σ_t β^(T−t) θ_t / Σ_t β^(T−t): about the last 1/(1 − β) of them, without a pull
 * towards the start.
 *
 * @throws Error if the decay β is not in (0, 1).
 * Source: Kingma & Ba 2015, section 7.2.
 */
export function exponentialAveraging({ decay }: { readonly decay: number }): Averaging {
  if (!(decay > 0 && decay < 1)) throw new Error(`exponentialAveraging: decay must be in (0, 1), not ${decay}.`);
  // The weight of the newest iterate, (1 − β)/(1 − βᵗ), gives that mean one step at a time.
  return averaging("exponential", { decay }, (count) =>
    tf.div(1 - decay, tf.neg(tf.expm1(tf.mul(count, Math.log(decay))))),
  );
}

/** The optimizer that also averages the parameters it leaves; {@link averageIn} its state is their mean. */
export function averaged(optimizer: Optimizer, averaging: Averaging): Optimizer {
  return {
    ...optimizer,
    init: (parameters): AveragedState => ({
      optimizer: optimizer.init(parameters),
      averaging: averaging.init(parameters),
    }),
    step: ({ state: given, ...inputs }) => {
      const state = given as AveragedState;
      const { parameters, state: next } = optimizer.step({ ...inputs, state: state.optimizer });
      const averagingNext = averaging.update({ state: state.averaging, parameters });
      return { parameters, state: { optimizer: next, averaging: averagingNext } };
    },
  };
}

/** The average that the state of an {@link averaged} optimizer holds; the caller disposes it. */
export function averageIn<P extends Parameters>(state: Parameters, averaging: Averaging, like: P): P {
  return averaging.average((state as AveragedState).averaging, like);
}

type AveragedState = { readonly optimizer: Parameters; readonly averaging: Parameters };

/** θ̄_t = θ̄_{t−1} + w_t (θ_t − θ̄_{t−1}), with w_t a function of the count of steps. */
function averaging(
  name: string,
  settings: Readonly<Record<string, number>>,
  weight: (count: Scalar) => Tensor,
): Averaging {
  return {
    name,
    settings,
    init: (parameters): AveragingState => ({
      count: tf.scalar(0),
      mean: tf.zeros([countParameters(parameters)]),
      lost: tf.zeros([countParameters(parameters)]),
    }),
    update: ({ state: given, parameters }) =>
      tidied((): AveragingState => {
        const state = given as AveragingState;
        const count = tf.add(state.count, 1) as Scalar;
        // Kahan's summation: after a million steps the plain recursion's rounding exceeds the mean's standard error.
        const change = tf.sub(tf.mul(weight(count), tf.sub(flatten(parameters), state.mean)), state.lost);
        const mean = tf.add(state.mean, change) as Tensor1D;
        return { count, mean, lost: tf.sub(tf.sub(mean, state.mean), change) as Tensor1D };
      }),
    average: (state, like) => tidied(() => unflatten((state as AveragingState).mean, like)),
  };
}
