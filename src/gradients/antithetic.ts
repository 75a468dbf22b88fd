import { elbo } from "../bounds/elbo.js";
import { checkSamples } from "../models/problem.js";
import { type DeclaredGradient, declareGradient } from "./declared.js";
import { reparameterised } from "./reparameterised.js";

/**
 * A pathwise gradient with antithetic draws: K/2 pairs z = μ + δ, z′ = μ − δ in place of K independent draws.
 *
 * What is odd in δ averages out of each pair, so that the gradient in the mean of a Gaussian q is exact for a quadratic log p. What is even is counted
 * twice: the scale's gradient there has the variance of K/2 independent draws.
 *
 * Unbiased for the ELBO, a mean over samples each of which is a draw of q. Any other bound needs its K draws independent: with pairs it becomes another
 * lower bound on log p(x), whose gradient this is.
 *
 * @param of `reparameterised` (default), `pathDerivative` or a `taylorControlVariate`: means over draws, each by itself.
 * @throws Error if K is odd, if q is not symmetric about its mean, or if the gradient is another one.
 * Source: Hammersley & Morton 1956; Wu, Goodman & Ermon 2019, "Differentiable antithetic sampling for variance reduction".
 */
export function antithetic(of: DeclaredGradient = reparameterised): DeclaredGradient {
  if (!of.drawByDraw) {
    throw new Error(
      `antithetic: ${of.name || "this gradient"} is not known to hold for draws in pairs (a leave-one-out baseline does not); give reparameterised, pathDerivative or taylorControlVariate().`,
    );
  }
  return declareGradient(
    `antithetic (${of.name})`,
    (bound) => {
      const inner = of.standing(bound);
      if (bound === elbo || inner.verdict === "refused") return inner;
      return {
        verdict: "biased",
        why: "draws in pairs are not independent, so it climbs another lower bound than that of K independent draws; use independent draws.",
      };
    },
    (inputs) => {
      const { problem, samples } = inputs;
      const { sampleAntithetic } = problem;
      checkSamples(samples);
      if (!sampleAntithetic) {
        throw new Error(
          "antithetic: this problem does not draw in pairs; give it sampleAntithetic(phi, key, samples), or use independent draws.",
        );
      }
      return of({ ...inputs, problem: { ...problem, sampleWithLogQ: sampleAntithetic } });
    },
    of === reparameterised ? "a symmetric q" : `a symmetric q, and what ${of.name} is made for`,
  );
}
