import type { NaturalParameters } from "../models/conjugateModel.js";
import { combined, innerProduct } from "./naturalGradient.js";

/** What an {@link AdaptiveBatchSize} is told of a step. */
export interface BatchHalves {
  /** The natural gradients of the two halves of the minibatch, each an estimate of the full one. */
  readonly gradients: readonly [NaturalParameters, NaturalParameters];
  /** S, even. */
  readonly size: number;
  /** N. */
  readonly total: number;
  /** ρ of the step. */
  readonly rate: number;
}

/** A minibatch size that follows from the natural gradients of a run. */
export interface AdaptiveBatchSize {
  readonly name: string;
  /** S of the first step, even. */
  readonly initial: number;
  /** A new run: what it returns is told each step, in turn, and says how large the next minibatch should be, an even number. */
  begin(): (halves: BatchHalves) => number;
}

/** Options of {@link adaptiveBatchSize}. */
export interface AdaptiveBatchSizeOptions {
  /** S of the first step, even. */
  readonly initial: number;
  /** S at least, even. Default: `initial`. */
  readonly smallest?: number;
  /** S at most. Default: all of the data. */
  readonly largest?: number;
  /** How much of the moments' averages a step keeps, in [0, 1). Default 0.95. */
  readonly smoothing?: number;
}

/**
 * The minibatch size that gains most for each datum at the rate in use, so that the batch grows as the gradient vanishes under its noise.
 *
 * A step of size ρ brings ‖γ − γ*‖² down by `(2ρ − ρ²) ‖g‖² − ρ² σ² (1/S − 1/N)` in the mean, with σ² the variance of a one-datum gradient (among N,
 * without replacement). That gain over S is largest at {@link optimalBatchSize}. It is the rule of Balles et al. for a smoothness constant of 1, which is that of
 * natural gradients; their further step, to put the objective in ‖g‖²'s place, needs an objective that ends at 0, which an ELBO does not.
 *
 * The minibatch is taken as two halves, with gradients a and b: σ̂² = S ‖a − b‖²/4 and ‖g‖² ≈ a·b + σ̂²/N are both unbiased. They are averaged over steps.
 *
 * @throws RangeError if a size is not even and ≥ 2, they are out of order, or the smoothing is out of range.
 * Source: Balles, Romero & Hennig 2017, "Coupling adaptive batch sizes with learning rates"; Zhang et al. 2018, section 4.2.
 */
export function adaptiveBatchSize(options: AdaptiveBatchSizeOptions): AdaptiveBatchSize {
  const { initial, smallest = initial, largest = Infinity, smoothing = 0.95 } = options;
  for (const [name, size] of Object.entries({ initial, smallest })) {
    if (!Number.isInteger(size) || size < 2 || size % 2 !== 0)
      throw new RangeError(`adaptiveBatchSize: ${name} must be an even number ≥ 2, not ${size}.`);
  }
  if (!(smallest <= initial && initial <= largest)) {
    throw new RangeError(
      `adaptiveBatchSize: initial must lie between smallest and largest, not ${initial} between ${smallest} and ${largest}.`,
    );
  }
  if (!(smoothing >= 0 && smoothing < 1))
    throw new RangeError(`adaptiveBatchSize: the smoothing must be in [0, 1), not ${smoothing}.`);
  return {
    name: "adaptive batch size",
    initial,
    begin: () => {
      let [variance, squaredNorm, mass] = [0, 0, 0];
      return ({ gradients, size, total, rate }) => {
        const [a, b] = gradients;
        const difference = combined(1, a, -1, b);
        const now = (size * innerProduct(difference, difference)) / 4;
        variance = smoothing * variance + (1 - smoothing) * now;
        squaredNorm = smoothing * squaredNorm + (1 - smoothing) * (innerProduct(a, b) + now / total);
        mass = smoothing * mass + 1 - smoothing;
        const best = optimalBatchSize({
          squaredNorm: Math.max(0, squaredNorm / mass),
          variance: variance / mass,
          total,
          rate,
        });
        const even = 2 * Math.round(best / 2);
        const most = Math.min(largest, total);
        return Math.max(smallest, Math.min(even, most - (most % 2)));
      };
    },
  };
}

/**
 * `S* = 2ρσ² / ((2 − ρ) ‖g‖² + ρσ²/N)`, the minibatch size that {@link adaptiveBatchSize} estimates; N at most.
 *
 * @param moments - `squaredNorm`: ‖g‖² of the full natural gradient; `variance`: σ² of a one-datum gradient, as `naturalGradientNoise` gives it; `total`: N;
 *   `rate`: ρ.
 */
export function optimalBatchSize(moments: {
  readonly squaredNorm: number;
  readonly variance: number;
  readonly total: number;
  readonly rate: number;
}): number {
  const { squaredNorm, variance, total, rate } = moments;
  if (variance === 0) return 1;
  return Math.min(total, Math.max(1, (2 * rate * variance) / ((2 - rate) * squaredNorm + (rate * variance) / total)));
}
