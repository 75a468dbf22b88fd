import type { Parameters } from "../engine/parameters.js";
import type { Scalar } from "../engine/tf.js";

/** A number for every step, counted from 0: a step size, or a weight that a problem is fed. */
export type Schedule = (step: number) => number;

/**
 * A first-order optimizer as two pure functions. Both leave their arguments alone and return new tensors, so that a step can be replayed.
 */
export interface Optimizer {
  readonly name: string;
  /** The numbers it was made with, its schedule aside; a checkpoint compares them. */
  readonly settings?: Readonly<Record<string, number>>;
  readonly schedule: Schedule;
  /** The state before the first step. */
  init(parameters: Parameters): Parameters;
  /**
   * One step of size `learningRate` that *descends* along the gradient; a negative size ascends. As a tensor, the size can be fed anew to
   * each replay of a compiled step.
   */
  step<P extends Parameters>(inputs: {
    readonly parameters: P;
    readonly gradient: P;
    readonly state: Parameters;
    readonly learningRate: number | Scalar;
  }): { readonly parameters: P; readonly state: Parameters };
}
