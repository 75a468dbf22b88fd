import { type DescentOptions, type DescentResult, descend } from "./finiteSumDescent.js";

/**
 * Stochastic gradient descent on a finite sum, `x ← x − η_t (1/S) Σ_{i in B} ∇f_i(x)`, with a fresh minibatch B at every step: what SVRG and SAGA are compared with.
 *
 * Its gradient error does not vanish at the optimum, so with a constant rate it ends in a ball about it; with η_t ∝ 1/t, F − F* falls as 1/t.
 *
 * @throws RangeError if an option is out of range, the objective becomes not finite, or a rate is not positive (the error names the step); Error if a term is not
 *   deterministic.
 * Source: Robbins & Monro 1951, "A stochastic approximation method"; Zhang et al. 2018, section 4.1.
 */
export function stochasticGradientDescent(options: DescentOptions): Promise<DescentResult> {
  return descend("stochasticGradientDescent", options, (sum, S) => ({
    prepare: async () => ({ evaluated: 0 }),
    estimate: (point, rows, into) => {
      into.fill(0);
      sum.accumulate(point, rows, into);
      for (let d = 0; d < into.length; d++) into[d] /= S;
      return S;
    },
  }));
}
