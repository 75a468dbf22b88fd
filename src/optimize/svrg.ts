import { foldIn, permutation } from "../engine/random.js";
import { evaluateSum } from "../models/finiteSum.js";
import { type DescentOptions, type DescentResult, descend } from "./finiteSumDescent.js";

/** Options of {@link svrg}. */
export interface SvrgOptions extends DescentOptions {
  /** m, steps between two snapshots. Default 2N/S, rounded up. */
  readonly innerSteps?: number;
  /**
   * What the next snapshot is, and where the next inner loop starts: the last iterate (default), or one of the m of the loop drawn at random, for which the rate
   * is proved.
   */
  readonly snapshot?: "last" | "random";
}

/**
 * Stochastic variance-reduced gradient: `g = (1/S) Σ_{i in B} (∇f_i(x) − ∇f_i(x̃)) + ∇F(x̃)`, with a snapshot x̃ and its full gradient renewed every m steps.
 *
 * The control variate `−∇f_i(x̃) + ∇F(x̃)` has mean zero, so g is unbiased, and as x and x̃ come to the optimum its error goes to zero: a constant rate converges, and
 * linearly where F is strongly convex (see `svrgContraction`). It costs N + 2 S m gradients of terms a loop, and the memory of one point.
 *
 * @throws RangeError if an option is out of range, the objective becomes not finite, or a rate is not positive (the error names the step); Error if a term is not
 *   deterministic, with the reason.
 * Source: Johnson & Zhang 2013, "Accelerating stochastic gradient descent using predictive variance reduction", the SVRG procedure with options I ("last") and II
 *   ("random"); Zhang et al. 2018, section 4.2.
 */
export function svrg(options: SvrgOptions): Promise<DescentResult> {
  const { snapshot: choice = "last", key } = options;
  return descend("svrg", options, (sum, S) => {
    const m = options.innerSteps ?? Math.ceil((2 * sum.size) / S);
    if (!Number.isInteger(m) || m < 1) throw new RangeError(`svrg: innerSteps must be a positive integer, not ${m}.`);
    let anchor = new Float64Array(sum.dimension);
    let full = new Float64Array(sum.dimension);
    let candidate = new Float64Array(sum.dimension);
    let chosen = 0;
    const there = new Float64Array(sum.dimension);
    return {
      prepare: async (step, point) => {
        const inner = step % m;
        let from: Float64Array | undefined;
        if (inner === 0) {
          if (choice === "random" && step > 0) from = candidate;
          anchor = Float64Array.from(from ?? point);
          full = Float64Array.from((await evaluateSum(sum, anchor)).gradient);
          // A key of its own: the minibatches' are folded from the steps' numbers.
          if (choice === "random") chosen = permutation(foldIn(foldIn(key, 2 ** 32 - 1), step / m), m)[0];
        }
        // Option II draws from the iterates before each of the m steps.
        if (choice === "random" && inner === chosen) candidate = Float64Array.from(from ?? point);
        return { evaluated: inner === 0 ? sum.size : 0, ...(from && { from }) };
      },
      estimate: (point, rows, into) => {
        into.fill(0);
        there.fill(0);
        sum.accumulate(point, rows, into);
        sum.accumulate(anchor, rows, there);
        for (let d = 0; d < into.length; d++) into[d] = (into[d] - there[d]) / S + full[d];
        return 2 * S;
      },
      control: (row, into, weight) => {
        there.fill(0);
        sum.accumulate(anchor, row, there);
        for (let d = 0; d < into.length; d++) into[d] += weight * there[d];
      },
    };
  });
}

/**
 * The factor α by which a loop of SVRG with random snapshots shrinks E[F(x̃) − F*], at worst: `α = 1 / (μ η (1 − 2Lη) m) + 2Lη / (1 − 2Lη)`; at 1 or above nothing is
 * promised.
 *
 * For convex terms with L-Lipschitz gradients, a μ-strongly convex sum, single terms as minibatches (S = 1), and η < 1/(2L).
 *
 * @throws RangeError if L, μ, η or m is not positive, or η ≥ 1/(2L).
 * Source: Johnson & Zhang 2013, theorem 1.
 */
export function svrgContraction(options: {
  /** L. */
  readonly smoothness: number;
  /** μ. */
  readonly strongConvexity: number;
  /** η. */
  readonly rate: number;
  /** m. */
  readonly innerSteps: number;
}): number {
  const { smoothness: L, strongConvexity: mu, rate: eta, innerSteps: m } = options;
  for (const [name, value] of Object.entries(options)) {
    if (!(value > 0 && value < Infinity))
      throw new RangeError(`svrgContraction: ${name} must be positive and finite, not ${value}.`);
  }
  if (!(2 * L * eta < 1))
    throw new RangeError(`svrgContraction: the rate must be below 1/(2L) = ${0.5 / L}, not ${eta}.`);
  return 1 / (mu * eta * (1 - 2 * L * eta) * m) + (2 * L * eta) / (1 - 2 * L * eta);
}
