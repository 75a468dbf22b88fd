import type { NaturalParameters } from "../models/conjugateModel.js";
import { combined, innerProduct } from "./naturalGradient.js";

/** A step size that follows from the natural gradients of a run. */
export interface AdaptiveRate {
  readonly name: string;
  /** How many minibatches are looked at before the first step. */
  readonly warmUp: number;
  /**
   * A new run, given the noisy natural gradients of `warmUp` minibatches at the start. What it returns is told the gradient of each step, in turn, and
   * says how large that step should be.
   */
  begin(first: readonly NaturalParameters[]): (gradient: NaturalParameters) => number;
}

/**
 * The step size that brings q(θ) nearest to the full batch's update in the mean, `ρ*_t = ‖g‖² / (‖g‖² + tr Σ)`, estimated from the run itself.
 *
 * With g_t = γ̂_t − γ_t the natural gradient of a minibatch, g its mean and Σ its covariance, `E‖γ_t + ρ g_t − γ*_t‖² = (1 − ρ)² ‖g‖² + ρ² tr Σ` is least at
 * ρ*. Moving averages stand for both moments, `ḡ ← (1 − 1/τ) ḡ + g_t/τ`, `h ← (1 − 1/τ) h + ‖g_t‖²/τ`, `ρ_t = ‖ḡ‖²/h`, and their memory grows while steps are
 * short: `τ ← τ (1 − ρ_t) + 1`. It begins with `warmUp` minibatches at the start; from one alone, ρ would be 1 for ever.
 *
 * ‖·‖ is the Euclidean norm of natural parameters, so the rate depends on the units of the data. ‖ḡ‖² holds noise too: where gradients are nothing else, and many,
 * ρ_t falls as φ/t with φ = (1 + √5)/2 (τ = a t, ρ = c/t solve c = 1/(a (2 − a)) and a = 1 − a c), as a schedule of Robbins and Monro does.
 *
 * @param options - `warmUp`: an integer ≥ 2, default 10.
 * @throws RangeError if `warmUp` is out of range.
 * Source: Ranganath, Wang, Blei & Xing 2013, "An adaptive learning rate for stochastic variational inference"; Zhang et al. 2018, section 4.2.
 */
export function adaptiveRate(options: { readonly warmUp?: number } = {}): AdaptiveRate {
  const { warmUp = 10 } = options;
  if (!Number.isInteger(warmUp) || warmUp < 2) {
    throw new RangeError(
      `adaptiveRate: warmUp must be an integer ≥ 2, not ${warmUp}: one minibatch tells nothing of the noise.`,
    );
  }
  return {
    name: "adaptive rate",
    warmUp,
    begin: (first) => {
      let mean = first[0];
      first.forEach((gradient, i) => {
        if (i > 0) mean = combined(i / (i + 1), mean, 1 / (i + 1), gradient);
      });
      let square = first.reduce((sum, gradient) => sum + innerProduct(gradient, gradient), 0) / first.length;
      let memory = first.length;
      return (gradient) => {
        mean = combined(1 - 1 / memory, mean, 1 / memory, gradient);
        square += (innerProduct(gradient, gradient) - square) / memory;
        // By Cauchy–Schwarz at most 1 but for rounding; where all gradients are 0 any step is as good.
        const rate = square > 0 ? Math.min(1, innerProduct(mean, mean) / square) : 1;
        memory = memory * (1 - rate) + 1;
        return rate;
      };
    },
  };
}

/**
 * `ρ* = ‖g‖² / (‖g‖² + tr Σ)`, the step size that {@link adaptiveRate} estimates.
 *
 * @param moments - `squaredNorm`: ‖g‖² of the full natural gradient; `variance`: tr Σ of a minibatch's. Not both 0.
 * Source: Zhang et al. 2018, section 4.2; Ranganath et al. 2013.
 */
export function optimalRate(moments: { readonly squaredNorm: number; readonly variance: number }): number {
  return moments.squaredNorm / (moments.squaredNorm + moments.variance);
}
