import { type ExponentialMember, exponentialMembers } from "../distributions/exponentialMember.js";
import type { Parameters } from "../engine/parameters.js";
import type { Problem } from "../models/problem.js";

/**
 * The exponential families that a problem's q is made of, differentiable in φ.
 *
 * @throws Error if the problem does not say that its q is made of such.
 */
export function membersOf<Theta extends Parameters, Phi extends Parameters, Z>(
  name: string,
  problem: Problem<Theta, Phi, Z>,
  phi: Phi,
): readonly ExponentialMember[] {
  const q = "marginal" in problem ? undefined : problem.distribution?.(phi);
  const members = q && exponentialMembers(q);
  if (members) return members;
  throw new Error(
    `${name}: its proposals are made for a q whose coordinates are independent and normal, gamma, log-gamma, Poisson or Bernoulli, and this problem's is not known to be one; use meanFieldGaussian, meanFieldGamma or another such family, or another gradient.`,
  );
}
