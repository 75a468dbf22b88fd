import { onOwnTape } from "../engine/ownTape.js";
import { foldIn, type Key } from "../engine/random.js";
import { type Tensor, tf } from "../engine/tf.js";
import { type HmcKernel, type HmcState, hmcState, hmcTransition } from "./hmcTransition.js";

/** What {@link hmcChain} needs. */
export interface HmcChainOptions extends HmcKernel {
  /** Where the chains start, `[..., D]`. */
  readonly position: Tensor;
  /** Transitions before the first that is kept, ≥ 0. */
  readonly burnIn: number;
  /** Transitions that are kept, S ≥ 1. */
  readonly samples: number;
  readonly key: Key;
}

/** Short chains. */
export type HmcChain = {
  /** The kept positions, `[S, ..., D]`; the last one is `state.position`. */
  readonly positions: Tensor;
  readonly state: HmcState;
  /** Each chain's acceptance probability averaged over all its transitions, `[...]`: what the step size is adapted by. */
  readonly acceptanceProbability: Tensor;
};

/**
 * Short chains of {@link hmcTransition} with one fixed kernel, for use inside a training step: every value is a tensor, none is read, and all of it is
 * a constant to the derivative around it.
 *
 * The step size is frozen within a chain, which keeps the target exactly invariant; adapt it from one training step to the next by
 * {@link adaptedStepSize}. A chain started at a draw from its target stays one from it, at any length; how far it has moved from the start is
 * another matter.
 *
 * @throws Error if burnIn is not a non-negative integer, if S is not a positive one, or as {@link hmcTransition}.
 * Source: Titsias & Ruiz 2019, "Unbiased implicit variational inference", section 3.2 (5 + 5 transitions of 5 leapfrog steps, started at ε).
 */
export function hmcChain(options: HmcChainOptions): HmcChain {
  const { logDensity, position, burnIn, samples, key } = options;
  if (!Number.isInteger(burnIn) || burnIn < 0)
    throw new Error(`hmcChain: burnIn must be a non-negative integer, not ${burnIn}.`);
  if (!Number.isInteger(samples) || samples < 1)
    throw new Error(`hmcChain: samples must be a positive integer, not ${samples}.`);
  return onOwnTape(() => {
    let state = hmcState(logDensity, position);
    const kept: Tensor[] = [];
    const acceptances: Tensor[] = [];
    for (let t = 0; t < burnIn + samples; t++) {
      const step = hmcTransition({ ...options, state, key: foldIn(key, t) });
      state = step.state;
      acceptances.push(step.acceptanceProbability);
      if (t >= burnIn) kept.push(state.position);
    }
    return { positions: tf.stack(kept), state, acceptanceProbability: tf.mean(tf.stack(acceptances), 0) };
  });
}
