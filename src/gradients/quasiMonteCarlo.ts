import { elbo } from "../bounds/elbo.js";
import { split } from "../engine/random.js";
import type { Tensor2D } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { DrawsWithLogQ } from "../models/problem.js";
import { quasiDraws } from "../samplers/quasiDraws.js";
import { type DeclaredGradient, declareGradient } from "./declared.js";
import { reparameterised } from "./reparameterised.js";

/**
 * A pathwise gradient on randomised quasi-Monte-Carlo draws: Sobol's points, shifted at random and mapped by the normal quantile, in place of K independent draws.
 *
 * For a smooth log p the variance falls in K much faster than 1/K; how much faster hangs on the dimension. With K = 1 it is a draw like any other.
 *
 * Unbiased for the ELBO, a mean over samples each of which is a draw of q. Any other bound needs its K draws independent.
 *
 * @param of `reparameterised` (default), `pathDerivative` or a `taylorControlVariate`: means over draws, each by itself.
 * @throws Error if q is not a Gaussian of at most 53 dimensions, or if the gradient is another one.
 * Source: Buchholz, Wenzel & Mandt 2018, "Quasi-Monte Carlo variational inference"; L'Ecuyer & Lemieux 2002 (randomised quasi-Monte-Carlo).
 */
export function quasiMonteCarlo(of: DeclaredGradient = reparameterised): DeclaredGradient {
  if (!of.drawByDraw) {
    throw new Error(
      `quasiMonteCarlo: ${of.name || "this gradient"} is not known to hold for draws that hang together (a leave-one-out baseline does not); give reparameterised, pathDerivative or taylorControlVariate().`,
    );
  }
  return declareGradient(
    `quasiMonteCarlo (${of.name})`,
    (bound) => {
      const inner = of.standing(bound);
      if (bound === elbo || inner.verdict === "refused") return inner;
      return {
        verdict: "biased",
        why: "draws that fill q evenly are not independent, so it climbs another function than the bound of K independent draws; use independent draws.",
      };
    },
    (inputs) => {
      const { problem } = inputs;
      const { distribution } = problem;
      if (!distribution || "marginal" in problem) {
        throw new Error(
          "quasiMonteCarlo: this problem does not say what distribution its q is; give it distribution(phi), or use independent draws.",
        );
      }
      const sampleWithLogQ: NonNullable<typeof problem.sampleWithLogQ> = (phi, key, samples) =>
        tidied(() => {
          const q = distribution(phi);
          const z = quasiDraws(q, split(key)[0], samples);
          return { z, logQ: q.logProb(z) as Tensor2D, reparameterised: true } as unknown as DrawsWithLogQ<never>;
        });
      return of({ ...inputs, problem: { ...problem, sampleWithLogQ } });
    },
    of === reparameterised ? "a Gaussian q" : `a Gaussian q, and what ${of.name} is made for`,
  );
}
