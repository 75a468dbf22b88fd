import { onOwnTape } from "../engine/ownTape.js";
import { type Tensor, tf } from "../engine/tf.js";

/** Options of {@link adaptedStepSize}. */
export interface AdaptedStepSizeOptions {
  /** Acceptance probability to reach. Default 0.9. */
  readonly target?: number;
  /** How much a step size may change, relatively. Default 0.05. */
  readonly rate?: number;
}

/**
 * A step size moved towards a target acceptance, `ε ← ε (1 + rate · (ā − target) / target)`: a pure update that lives in the state of a compiled step.
 *
 * The step size stays positive and finite, and shrinks by at most the rate. One update after each training step, with ā from all
 * of a chain's transitions, replaces the authors' five with rate .01 within the burn-in, after each of which their chain targets something slightly
 * else; hence the default .05.
 *
 * @param stepSize ε, `[]`, or one a chain, `[...]`.
 * @param acceptanceProbability `[...]`; averaged over all chains where there is one ε for all.
 * @returns the new ε, of the shape of the old.
 * @throws Error if the target is not in (0, 1) or the rate not in (0, 1).
 * Source: Titsias & Ruiz 2019, section 4 (target .9), and the authors' code for the rule.
 */
export function adaptedStepSize(
  stepSize: Tensor,
  acceptanceProbability: Tensor,
  { target = 0.9, rate = 0.05 }: AdaptedStepSizeOptions = {},
): Tensor {
  for (const [name, value] of Object.entries({ target, rate }))
    if (!(value > 0 && value < 1)) throw new Error(`adaptedStepSize: ${name} must be between 0 and 1, not ${value}.`);
  return onOwnTape(() => {
    const reached = stepSize.rank === 0 ? tf.mean(acceptanceProbability) : acceptanceProbability;
    return tf.mul(stepSize, tf.add(tf.mul(reached, rate / target), 1 - rate));
  });
}
