import { onOwnTape } from "../engine/ownTape.js";
import type { Key } from "../engine/random.js";
import { repeat } from "../engine/repeat.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { type LogDensity, type Slope, slopeAt } from "./slope.js";

/** A point of phase space, with the log-density and its gradient at the position. */
export type PhasePoint = Slope & {
  /** q, `[..., D]`. */
  readonly position: Tensor;
  /** r, `[..., D]`, a priori standard normal: the momentum in units of the root of the mass. */
  readonly momentum: Tensor;
};

/** How far and in what units {@link leapfrog} goes. */
export interface LeapfrogOptions {
  readonly logDensity: LogDensity;
  /** ε: one number for all, `[]`, or one a chain, `[...]`. */
  readonly stepSize: Tensor;
  /** L ≥ 1. */
  readonly leapfrogSteps: number;
  /** s, the root of a diagonal inverse mass, `[D]` or `[..., D]`; best about the target's standard deviations. Default 1. */
  readonly scale?: Tensor;
}

/**
 * L leapfrog steps of Hamilton's equations for `H(q, r) = −log p(q) + ½ |r|²`, kick–drift–kick:
 * `r ← r + ½ ε s ∇log p(q)`, `q ← q + ε s r`, `r ← r + ½ ε s ∇log p(q)`.
 *
 * It preserves volume, runs back on itself when r is negated, and keeps H to O(ε²). The scale s is a diagonal mass matrix M = 1/s² written as a
 * change of units: r = M^(−½) p of the momentum p ~ N(0, M). The given gradient is used, so L steps cost L gradients. The result is a constant to
 * any derivative around it.
 *
 * @param options.start position, momentum, and the gradient at the position.
 * @throws Error if L is not a positive integer, or if step size or scale do not fit the position.
 * Source: Neal 2011, "MCMC using Hamiltonian dynamics", equations 5.18–5.20 and section 5.4.1.
 */
export function leapfrog(options: LeapfrogOptions & { readonly start: PhasePoint }): PhasePoint {
  const { logDensity, start, leapfrogSteps } = options;
  checkLeapfrog(options, start.position);
  return onOwnTape(() => {
    const step = stepOf(options);
    const half = tf.mul(step, 0.5);
    const drift = ({ position, momentum }: Motion): Slope & { readonly position: Tensor } => {
      const next = tf.add(position, tf.mul(step, momentum));
      return { position: next, ...slopeAt(logDensity, next) };
    };
    // Two half kicks in a row are one.
    const turn = (motion: Motion): Motion => {
      const { position, gradient } = drift(motion);
      return { position, momentum: tf.add(motion.momentum, tf.mul(step, gradient)) };
    };
    let inner: Motion = {
      position: start.position,
      momentum: tf.add(start.momentum, tf.mul(half, start.gradient)),
    };
    const times = leapfrogSteps - 1;
    if (times < mostUnrolled) for (let i = 0; i < times; i++) inner = turn(inner);
    else inner = repeat({ times, init: inner, key: unused, body: ({ state }) => turn(state) });
    const end = drift(inner);
    return { ...end, momentum: tf.add(inner.momentum, tf.mul(half, end.gradient)) };
  });
}

type Motion = { readonly position: Tensor; readonly momentum: Tensor };

/** Longer trajectories become a loop of the compiled graph: that turns half as fast, but recording a step takes as long as 500 replays of it. */
const mostUnrolled = 8;

/** {@link repeat} hands out keys; the steps draw nothing. */
const unused: Key = { words: [0, 0] };

/** ε s, which multiplies `[..., D]`. */
function stepOf({ stepSize, scale }: LeapfrogOptions): Tensor {
  const step = stepSize.rank === 0 ? stepSize : tf.expandDims(stepSize, -1);
  return scale ? tf.mul(step, scale) : step;
}

function checkLeapfrog({ stepSize, leapfrogSteps, scale }: LeapfrogOptions, position: Tensor): void {
  if (!Number.isInteger(leapfrogSteps) || leapfrogSteps < 1)
    throw new Error(`leapfrogSteps must be a positive integer, not ${leapfrogSteps}.`);
  if (position.rank === 0) throw new Error("position must have the shape [..., D], not [].");
  const chains = position.shape.slice(0, -1);
  if (stepSize.rank > 0 && !same(stepSize.shape, chains)) {
    throw new Error(
      `stepSize has the shape ${formatShape(stepSize.shape)}, but needs [] or one number a chain, ${formatShape(chains)}.`,
    );
  }
  if (scale && !same(scale.shape, position.shape) && !same(scale.shape, position.shape.slice(-1))) {
    throw new Error(
      `scale has the shape ${formatShape(scale.shape)}, but needs ${formatShape(position.shape.slice(-1))} or ${formatShape(position.shape)}.`,
    );
  }
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
