import { gaussHermite, productRule } from "../diagnostics/quadrature.js";
import { foldIn, type Key } from "../engine/random.js";
import { uniforms } from "../models/randomStart.js";

/**
 * How an expectation under a Gaussian is taken: by a product of Gauss–Hermite rules, nodes to the power D points, for few dimensions; or by pairs of draws ε and −ε, anew
 * at every step.
 */
export type GaussianExpectation =
  | { readonly kind: "quadrature"; readonly nodes: number }
  | { readonly kind: "draws"; readonly pairs: number; readonly key: Key };

/** Points of a standard Gaussian, `[S · D]`, and their weights, `[S]`, of sum 1. */
export interface GaussianNodes {
  readonly epsilons: Float64Array;
  readonly weights: Float64Array;
}

/** Points that a product of rules has at most. */
const most = 2 ** 16;

/**
 * The points of every step, from 0.
 *
 * @throws RangeError if there are no nodes or pairs, or a product of rules has more than 2¹⁶ points.
 * @internal
 */
export function gaussianNodes(
  where: string,
  expectation: GaussianExpectation,
  D: number,
): (step: number) => GaussianNodes {
  if (expectation.kind === "quadrature") {
    const { nodes } = expectation;
    if (!(nodes ** D <= most)) {
      throw new RangeError(
        `${where}: ${nodes} nodes in each of ${D} dimensions are ${nodes ** D} points, more than ${most}; take fewer nodes, or draws.`,
      );
    }
    const rule = productRule(...Array.from({ length: D }, () => gaussHermite(nodes)));
    const fixed = { epsilons: rule.points, weights: rule.logWeights.map(Math.exp) };
    return () => fixed;
  }
  const { pairs, key } = expectation;
  if (!Number.isInteger(pairs) || pairs < 1)
    throw new RangeError(`${where}: pairs must be a positive integer, not ${pairs}.`);
  const weights = new Float64Array(2 * pairs).fill(1 / (2 * pairs));
  return (step) => {
    const half = pairs * D;
    const draws = uniforms(foldIn(key, step), 2 * half);
    const epsilons = new Float64Array(2 * half);
    for (let i = 0; i < half; i++) {
      epsilons[i] = Math.sqrt(-2 * Math.log(draws[2 * i])) * Math.cos(2 * Math.PI * draws[2 * i + 1]);
      epsilons[half + i] = -epsilons[i];
    }
    return { epsilons, weights };
  };
}
