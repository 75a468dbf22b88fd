import { leaves, type Parameters } from "../engine/parameters.js";
import type { Problem } from "../models/problem.js";

/**
 * Draws must carry their gradient into φ, and say so: by what `sampleWithLogQ` returned, or by the problem's `distribution`. A φ without parameters asks for nothing.
 *
 * @throws Error if they carry none, or if neither says.
 * @internal
 */
export function checkPath<Theta extends Parameters, Phi extends Parameters, Z>(
  name: string,
  of: {
    readonly problem: Problem<Theta, Phi, Z>;
    readonly phi: Phi;
    readonly reparameterised: boolean | undefined;
    readonly remedy: string;
  },
): void {
  const { problem, phi, remedy } = of;
  if (leaves(phi).length === 0) return;
  const flows = of.reparameterised ?? problem.distribution?.(phi).reparameterised;
  if (flows === true) return;
  throw new Error(
    flows === false
      ? `${name}: no gradient flows through the draws of this q into its parameters, so their gradient would be wrong; ${remedy}.`
      : `${name}: this problem does not say whether a gradient flows through its draws into q's parameters, which would be wrong without; let its sampleWithLogQ(phi, key, samples) return reparameterised: true, or use scoreFunction.`,
  );
}
