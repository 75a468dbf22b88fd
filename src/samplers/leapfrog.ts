import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { type LogDensity, onOwnTape, type Slope, slopeAt } from "./ownTape.js";

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
    let { position } = start;
    let momentum = tf.add(start.momentum, tf.mul(half, start.gradient));
    for (let i = 1; ; i++) {
      position = tf.add(position, tf.mul(step, momentum));
      const slope = slopeAt(logDensity, position);
      // Two half kicks in a row are one.
      momentum = tf.add(momentum, tf.mul(i < leapfrogSteps ? step : half, slope.gradient));
      if (i === leapfrogSteps) return { position, momentum, ...slope };
    }
  });
}

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
