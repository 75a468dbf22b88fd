import { onOwnTape } from "../engine/ownTape.js";
import { foldIn, type Key } from "../engine/random.js";
import { repeat } from "../engine/repeat.js";
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
    const looped = burnIn > mostUnrolled ? burnIn : 0;
    if (looped > 0) {
      const init = { state, total: tf.zerosLike(state.logDensity) };
      const end = repeat({
        times: looped,
        init,
        key,
        body: ({ state: before, key }) => transitionIn(options, before, key),
      });
      state = end.state;
      acceptances.push(end.total);
    }
    for (let t = looped; t < burnIn + samples; t++) {
      const step = hmcTransition({ ...options, state, key: foldIn(key, t) });
      state = step.state;
      acceptances.push(step.acceptanceProbability);
      if (t >= burnIn) kept.push(state.position);
    }
    const total = tf.sum(tf.stack(acceptances), 0);
    return { positions: tf.stack(kept), state, acceptanceProbability: tf.div(total, burnIn + samples) };
  });
}

/**
 * Longer burn-in becomes a loop of the compiled graph. By measurement, with 5 + 5 transitions of the toys' networks: recorded in 1.7 s of CPU instead of 2.8 s and compiled by
 * XLA in 8 s instead of 17 s, but a step takes a tenth longer, with XLA half as long again; with 20 + 5, XLA needs 6 s instead of 90 s.
 */
const mostUnrolled = 8;

type Turn = { readonly state: HmcState /** Acceptance probabilities so far. */; readonly total: Tensor };

function transitionIn(kernel: HmcKernel, { state, total }: Turn, key: Key): Turn {
  const step = hmcTransition({ ...kernel, state, key });
  return { state: step.state, total: tf.add(total, step.acceptanceProbability) };
}
