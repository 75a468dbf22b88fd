import type { Parameters } from "../engine/parameters.js";
import type { Problem } from "./problem.js";

/** q's parameters with further ones beside them, which the model and q do not look at. */
export type Beside<Phi extends Parameters, Name extends string, Psi extends Parameters> = {
  readonly q: Phi;
} & { readonly [name in Name]: Psi };

/**
 * The same problem with parameters of which q's are `phi.q`.
 *
 * @throws Error if log q is a marginal's estimate, whose parameters stand elsewhere.
 * @internal
 */
export function liftedProblem<
  Theta extends Parameters,
  Phi extends Parameters,
  Lifted extends { readonly q: Phi } & Parameters,
  Z,
>(name: string, problem: Problem<Theta, Phi, Z>): Problem<Theta, Lifted, Z> {
  if ("marginal" in problem)
    throw new Error(
      `${name}: log q of this problem is a marginal's estimate, which score-function gradients do not take; give a problem whose log q is exact.`,
    );
  const { sampleWithLogQ, distribution } = problem;
  return {
    batchSize: problem.batchSize,
    scale: problem.scale,
    ...(problem.klWeight === undefined ? {} : { klWeight: problem.klWeight }),
    sample: (phi, key, samples) => problem.sample(phi.q, key, samples),
    logP: (theta, z) => problem.logP(theta, z),
    logQ: (phi, z, key) => problem.logQ(phi.q, z, key),
    ...(sampleWithLogQ && { sampleWithLogQ: (phi, key, samples) => sampleWithLogQ(phi.q, key, samples) }),
    ...(distribution && { distribution: (phi) => distribution(phi.q) }),
  };
}
