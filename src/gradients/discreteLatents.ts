import { Bernoulli } from "../distributions/bernoulli.js";
import type { Distribution } from "../distributions/distribution.js";
import { Independent } from "../distributions/independent.js";
import { OneHotCategorical } from "../distributions/oneHotCategorical.js";
import type { Parameters } from "../engine/parameters.js";
import type { Tensor, Tensor2D, Tensor3D } from "../engine/tf.js";
import type { BernoulliProblem } from "../models/bernoulliProblem.js";
import { refuseKlWeight } from "../models/klWeight.js";
import type { Problem } from "../models/problem.js";

/** The logits of a q that is a product: of bits `[B, N]`, or of one-hot categorical variables `[B, N, C]`. */
export type DiscreteLogits = Tensor2D | Tensor3D;

/** A problem that tells the logits of its discrete q. */
export interface DiscreteProblem<Theta extends Parameters, Phi extends Parameters> extends Problem<Theta, Phi> {
  logits(phi: Phi): DiscreteLogits;
}

/**
 * The problem as one whose q is a product of Bernoullis, or of one-hot categorical variables: it says so by `logits`, or its `distribution` is one of the two.
 *
 * @throws Error if it has a `klWeight` or neither of the two; when its logits are asked for, if its distribution is another.
 */
export function discreteOf<Theta extends Parameters, Phi extends Parameters, Z>(
  name: string,
  problem: Problem<Theta, Phi, Z>,
): DiscreteProblem<Theta, Phi> {
  refuseKlWeight(name, problem);
  if ("logits" in problem) return problem as unknown as BernoulliProblem<Theta, Phi>;
  const { distribution } = problem;
  const logits = (phi: Phi): DiscreteLogits => {
    const found = distribution && logitsOf(distribution(phi));
    if (found) return found as DiscreteLogits;
    throw new Error(
      `${name}: this problem's q is not declared to be Bernoulli or one-hot categorical; give it a family of such, or add logits(phi), [B, N], to a problem whose latents are bits, or use scoreFunction.`,
    );
  };
  return { ...(problem as unknown as Problem<Theta, Phi>), logits };
}

/**
 * The problem as one whose q is a product of Bernoullis.
 *
 * @throws Error as {@link discreteOf}; when its logits are asked for, if it is of categorical variables.
 */
export function bernoulliOf<Theta extends Parameters, Phi extends Parameters, Z>(
  name: string,
  problem: Problem<Theta, Phi, Z>,
): BernoulliProblem<Theta, Phi> {
  const discrete = discreteOf(name, problem);
  const logits = (phi: Phi): Tensor2D => {
    const found = discrete.logits(phi);
    if (found.rank === 2) return found as Tensor2D;
    throw new Error(`${name}: this problem's q is of categorical variables, but this is for bits; use rebar.`);
  };
  return { ...discrete, logits };
}

function logitsOf(q: Distribution): Tensor | undefined {
  if (q instanceof OneHotCategorical) return q.parameters.logits;
  return q instanceof Independent && q.base instanceof Bernoulli ? q.base.parameters.logits : undefined;
}
