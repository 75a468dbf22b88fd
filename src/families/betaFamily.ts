import { dirichletFamily } from "./dirichletFamily.js";
import type { ExponentialFamily } from "./exponentialFamily.js";

/** Parameters of a beta distribution, both positive. */
export interface BetaParameters {
  readonly a: number;
  readonly b: number;
}

const pair = dirichletFamily(2);

/**
 * Beta on (0, 1), the Dirichlet of two categories: t(θ) = (log θ, log(1 − θ)), η = (a, b), h(θ) = 1 / (θ (1 − θ)),
 * `A(a, b) = log B(a, b)`.
 *
 * @throws RangeError, from its functions, if a or b is not positive.
 */
export const betaFamily: ExponentialFamily<BetaParameters, number> = {
  ...pair,
  name: "Beta",
  natural: ({ a, b }) => pair.natural({ concentration: Float64Array.of(a, b) }),
  parameters: (natural) => {
    const [a, b] = pair.parameters(natural).concentration;
    return { a, b };
  },
  statistics: (theta) => Float64Array.of(Math.log(theta), Math.log1p(-theta)),
  logBase: (theta) => -Math.log(theta) - Math.log1p(-theta),
};
