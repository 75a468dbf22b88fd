import type { Parameters } from "../engine/parameters.js";
import { type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import { softplus } from "../ops/softplus.js";
import type { Problem } from "./problem.js";
import { type Beside, liftedProblem } from "./withParameters.js";

/** Parameters of the dispersions that a fit moves: τ_j = 1 + softplus(excess_j). */
export type DispersionParameters = {
  /** One number for each proposal, `[J]`. */
  readonly excess: Tensor1D;
};

/** A problem whose proposals' dispersions are moved beside q: φ is `{ q, dispersion }`. */
export interface DispersedProblem<Theta extends Parameters, Phi extends Parameters, Z>
  extends Problem<Theta, Beside<Phi, "dispersion", DispersionParameters>, Z> {
  /** τ, `[J]`, each above 1. */
  dispersions(parameters: DispersionParameters): Tensor;
}

/**
 * A problem whose draws' dispersions τ `overdispersed` learns: φ becomes `{ q: φ, dispersion: { excess } }`, with τ = 1 + softplus(excess).
 *
 * @throws Error if log q is a marginal's estimate.
 */
export function withDispersions<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
): DispersedProblem<Theta, Phi, Z> {
  const lifted = liftedProblem<Theta, Phi, Beside<Phi, "dispersion", DispersionParameters>, Z>(
    "withDispersions",
    problem,
  );
  return { ...lifted, dispersions: ({ excess }) => tf.tidy(() => tf.add(1, softplus(excess))) };
}
