import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import type { Scalar, Tensor } from "../engine/tf.js";

/** What a step is a pure function of. */
export interface StepInputs<State extends Parameters> {
  readonly state: State;
  /** This step's own key. */
  readonly key: Key;
  /** From 0. */
  readonly step: number;
}

/** What a step returns: the state it leaves and what it saw on the way. */
export interface StepResult<State extends Parameters> {
  readonly state: State;
  /** The objective, one value or one a datum. */
  readonly value: Tensor;
  /** The norm of the whole gradient, ‖g‖₂. */
  readonly gradientNorm?: Scalar;
}

/** One step of any method. */
export type Step<State extends Parameters> = (inputs: StepInputs<State>) => StepResult<State>;

/** What many steps in one call are a pure function of. */
export interface ManyStepsInputs<State extends Parameters> {
  readonly state: State;
  /** The run's key: step t uses `foldIn(key, t)`. */
  readonly key: Key;
  /** The first step, from 0. */
  readonly step: number;
  /** How many to take, from 1 to `stepsPerCall`. */
  readonly count: number;
}

/** What many steps in one call return, in new tensors: the last state, and the objective and the gradient's norm of every step. */
export interface ManyStepsResult<State extends Parameters> {
  readonly state: State;
  /** `[count, ...]`, a row for each step's value. */
  readonly values: Tensor;
  /** `[count]`. */
  readonly gradientNorms?: Tensor;
}

/** Many steps in one call, for instance a compiled loop. The numbers of a step must not depend on the call that takes it. */
export interface ManySteps<State extends Parameters> {
  /** The most steps that one call takes. */
  readonly stepsPerCall: number;
  /** Takes `count` steps from `step` on. */
  run(inputs: ManyStepsInputs<State>): ManyStepsResult<State>;
}
