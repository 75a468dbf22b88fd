import { onOwnTape } from "../engine/ownTape.js";
import { type Key, normal, split, uniform } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { type LeapfrogOptions, leapfrog } from "./leapfrog.js";
import { type LogDensity, type Slope, slopeAt } from "./slope.js";

/** Where the chains stand; a record of tensors, so that a compiled step may carry it. */
export type HmcState = Slope & {
  /** `[..., D]`: any number of chains side by side. */
  readonly position: Tensor;
};

/** What a transition is made of, beside state and randomness. */
export interface HmcKernel extends LeapfrogOptions {
  /**
   * j in [0, 1): each chain's trajectory uses the step size ε U, U uniform on [1 − j, 1 + j), so that no trajectory length is a period of the
   * target. Default 0.
   */
  readonly jitter?: number;
}

/** Where a transition led. */
export type HmcStep = {
  readonly state: HmcState;
  /** min(1, exp(H − H′)), `[...]`; 0 where the trajectory diverged. */
  readonly acceptanceProbability: Tensor;
  /** Whether each chain moved, `[...]`, bool. */
  readonly accepted: Tensor;
};

/**
 * The state of chains that start at a position: it evaluates log-density and gradient there.
 *
 * @param position `[..., D]`; its log-density must not be NaN, or the chain will never move.
 * @throws Error if the log-density does not map `[..., D]` to `[...]`.
 */
export function hmcState(logDensity: LogDensity, position: Tensor): HmcState {
  if (position.rank === 0) throw new Error("hmcState: position must have the shape [..., D], not [].");
  return onOwnTape(() => ({ position: tf.clone(position), ...slopeAt(logDensity, position) }));
}

/**
 * One transition of Hamiltonian Monte Carlo for every chain: fresh momenta r ~ N(0, I), L leapfrog steps, and acceptance with probability
 * `min(1, exp(H(q, r) − H(q′, r′)))`, chain by chain.
 *
 * It leaves `p(q) ∝ exp(logDensity(q))` invariant. The state brings log-density and gradient along, so L steps cost L evaluations of each. A trajectory whose
 * energy ends infinite or NaN is rejected, and nothing of it enters the state. A pure function of tensors and key that reads no value, so it can be
 * recorded; and a constant to any derivative around it, so it may run within one.
 *
 * Energies are float32: log-densities beyond 10⁵ in size blur H − H′ by .01 and more, so leave out the constants of a sum over data.
 *
 * @throws Error if L is not a positive integer, if the jitter is not in [0, 1), or if a shape does not fit.
 * Source: Neal 2011, "MCMC using Hamiltonian dynamics", section 5.3.2 and, for the jitter, 5.4.2.
 */
export function hmcTransition(options: HmcKernel & { readonly state: HmcState; readonly key: Key }): HmcStep {
  const { state, stepSize, jitter = 0 } = options;
  if (!(jitter >= 0 && jitter < 1)) throw new Error(`jitter must be in [0, 1), not ${jitter}.`);
  checkState(state);
  const [momentumKey, acceptKey, jitterKey] = split(options.key, 3);
  const chains = state.logDensity.shape;
  return onOwnTape(() => {
    const momentum = normal(momentumKey, state.position.shape);
    const jittered = (): Tensor => tf.mul(stepSize, uniform(jitterKey, chains, { low: 1 - jitter, high: 1 + jitter }));
    const proposal = propose({ ...options, momentum, stepSize: jitter === 0 ? stepSize : jittered() });
    const { acceptanceProbability } = proposal;
    const accepted = tf.less(uniform(acceptKey, chains), acceptanceProbability);
    const rows = tf.expandDims(accepted, -1);
    // A selection, not a blend: what is not taken may be NaN.
    return {
      state: {
        position: tf.where(rows, proposal.position, state.position),
        logDensity: tf.where(accepted, proposal.logDensity, state.logDensity),
        gradient: tf.where(rows, proposal.gradient, state.gradient),
      },
      acceptanceProbability,
      accepted,
    };
  });
}

/**
 * The deterministic part of a transition: where given momenta lead, and how probably that is accepted. With r negated at its end, the
 * map is its own inverse. @internal
 */
export function propose(
  options: LeapfrogOptions & { readonly state: HmcState; readonly momentum: Tensor },
): HmcState & { readonly acceptanceProbability: Tensor } {
  const { state, momentum } = options;
  return onOwnTape(() => {
    const end = leapfrog({ ...options, start: { ...state, momentum } });
    const before = energy({ ...state, momentum });
    const after = energy(end);
    const usable = tf.less(tf.abs(after), Number.POSITIVE_INFINITY); // false for NaN too
    const logRatio = tf.where(usable, tf.sub(before, after), Number.NEGATIVE_INFINITY);
    const { position, logDensity, gradient } = end;
    return { position, logDensity, gradient, acceptanceProbability: tf.exp(tf.minimum(logRatio, 0)) };
  });
}

/** H(q, r) = −log p(q) + ½ |r|². */
function energy({ logDensity, momentum }: { readonly logDensity: Tensor; readonly momentum: Tensor }): Tensor {
  return tf.sub(tf.mul(tf.sum(tf.square(momentum), -1), 0.5), logDensity);
}

function checkState({ position, logDensity, gradient }: HmcState): void {
  checkShape("state.position", position, ["...", "*"]);
  checkShape("state.logDensity", logDensity, position.shape.slice(0, -1));
  checkShape("state.gradient", gradient, position.shape);
}
