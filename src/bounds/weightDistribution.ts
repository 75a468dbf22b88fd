import type { Quadrature } from "../diagnostics/quadrature.js";
import type { WeightDistribution } from "./exactImportanceWeighted.js";

/** A density at one point `[D]`, in Float64. */
export type PointDensity = (z: readonly number[]) => number;

/**
 * The law of the importance weight w = p(x, z)/q(z) under q on a quadrature rule, for the exact values of everything that k weights make.
 *
 * Node i has log w_i = log p(x, z_i) − log q(z_i) and probability exp(logWeights_i) q(z_i).
 *
 * @param rule covers q's mass and reaches where p has some; a fine {@link trapezoid}, or a {@link productRule} of them.
 * @param joint p(x, ·), normalised or not.
 * @param proposal q, normalised.
 * @throws RangeError if a density is negative or not finite at a node, or if q underflows to 0 there: narrow the rule.
 */
export function weightDistribution(rule: Quadrature, joint: PointDensity, proposal: PointDensity): WeightDistribution {
  const { points, logWeights: logVolumes, dimension } = rule;
  const logWeights = new Float64Array(logVolumes.length);
  const probabilities = new Float64Array(logVolumes.length);
  for (let i = 0; i < logVolumes.length; i++) {
    const z = Array.from(points.subarray(i * dimension, (i + 1) * dimension));
    const [p, q] = [joint(z), proposal(z)];
    if (!(p >= 0 && p < Number.POSITIVE_INFINITY && q > 0 && q < Number.POSITIVE_INFINITY)) {
      throw new RangeError(
        `weightDistribution: at z = (${z.join(", ")}) p is ${p} and q is ${q}; p must be at least 0, q above 0, both finite. ` +
          "Where q underflows, narrow the rule.",
      );
    }
    logWeights[i] = Math.log(p) - Math.log(q);
    probabilities[i] = Math.exp(logVolumes[i]) * q;
  }
  return { logWeights, probabilities };
}
