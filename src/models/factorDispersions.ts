import type { Parameters } from "../engine/parameters.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import type { ReplaceableProblem } from "./factorReplacement.js";
import { type Beside, liftedProblem } from "./withParameters.js";

/** The dispersions that a fit moves: τ itself. */
export type FactorDispersionParameters = {
  /** τ ≥ 1 of each moving proposal for each coordinate, `[J, D]`. */
  readonly tau: Tensor2D;
};

/** A problem each of whose factors has proposals of its own dispersions: φ is `{ q, dispersion }`. */
export interface FactorDispersedProblem<Theta extends Parameters, Phi extends Parameters>
  extends ReplaceableProblem<Theta, Beside<Phi, "dispersion", FactorDispersionParameters>> {
  /** τ of all proposals, fixed and moving, `[J, D]`. */
  factorDispersions(parameters: FactorDispersionParameters): Tensor;
}

/**
 * A problem whose factors' dispersions `overdispersedFactors` learns: φ becomes `{ q: φ, dispersion: { tau } }`, beside proposals of fixed dispersions.
 *
 * They are best moved by the sign of their gradient, held above 1:
 * `signedSteps({ optimizer, path: "phi.dispersion", size: 0.1, range: [1, 20] })`.
 *
 * @param options.fixed the dispersions that stay, such as `[1]` for q itself. Default none.
 * @throws Error if a fixed dispersion is below 1 or not finite; when it is used, if τ is not `[J, D]`.
 * Source: Ruiz, Titsias & Blei 2016, "Overdispersed black-box variational inference", section 3.2.
 */
export function withFactorDispersions<Theta extends Parameters, Phi extends Parameters>(options: {
  readonly problem: ReplaceableProblem<Theta, Phi>;
  readonly fixed?: readonly number[];
}): FactorDispersedProblem<Theta, Phi> {
  const { problem, fixed = [] } = options;
  const bad = fixed.find((tau) => !(tau >= 1 && Number.isFinite(tau)));
  if (bad !== undefined)
    throw new Error(`withFactorDispersions: a fixed dispersion must be a finite number ≥ 1, not ${bad}.`);
  const lifted = liftedProblem<Theta, Phi, Beside<Phi, "dispersion", FactorDispersionParameters>, Tensor3D>(
    "withFactorDispersions",
    problem,
  );
  return {
    ...lifted,
    factors: (theta, phi, z) => problem.factors(theta, phi.q, z),
    replaced: (theta, phi, z, proposed) => problem.replaced(theta, phi.q, z, proposed),
    factorDispersions: ({ tau }) =>
      tf.tidy(() => {
        if (tau.rank !== 2)
          throw new Error(
            `withFactorDispersions: tau must be [J, D], one row for each moving proposal, not ${formatShape(tau.shape)}.`,
          );
        return tf.concat([...fixed.map((value) => tf.fill([1, tau.shape[1]], value)), tau], 0);
      }),
  };
}
