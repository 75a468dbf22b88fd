import { digamma, logGamma } from "../diagnostics/specialFunctions.js";
import { checkLength, checkPositive, type ExponentialFamily } from "./exponentialFamily.js";

/** Parameters of a Dirichlet distribution. */
export interface DirichletParameters {
  /** α, `[K]`, positive. */
  readonly concentration: Float64Array;
}

/**
 * Dirichlet on the simplex of K probabilities: t(θ) = log θ, η = α, h(θ) = Π_k 1/θ_k, `A(α) = Σ_k log Γ(α_k) − log Γ(Σ_k α_k)`, and
 * `E[log θ_k] = ψ(α_k) − ψ(Σ_j α_j)`.
 *
 * Counts of categories are its sufficient statistics: α + n is the posterior.
 *
 * @throws RangeError if K is not an integer ≥ 2; from its functions, if a concentration is not positive, or there are not K of them or of probabilities.
 */
export function dirichletFamily(categories: number): ExponentialFamily<DirichletParameters, Float64Array> {
  if (!Number.isInteger(categories) || categories < 2)
    throw new RangeError(`dirichletFamily: the categories must be an integer ≥ 2, not ${categories}.`);
  const check = (concentration: Float64Array): void => {
    checkLength("Dirichlet: the concentration", concentration, categories);
    checkPositive("Dirichlet: the concentration", concentration);
  };
  const checked = (concentration: Float64Array): Float64Array => {
    check(concentration);
    return Float64Array.from(concentration);
  };
  return {
    name: "Dirichlet",
    size: categories,
    natural: ({ concentration }) => checked(concentration),
    parameters: (natural) => ({ concentration: checked(natural) }),
    logNormaliser: (natural) => {
      check(natural);
      let total = 0;
      let logs = 0;
      for (const alpha of natural) {
        total += alpha;
        logs += logGamma(alpha);
      }
      return logs - logGamma(total);
    },
    mean: (natural) => {
      check(natural);
      const ofTotal = digamma(natural.reduce((total, alpha) => total + alpha, 0));
      return natural.map((alpha) => digamma(alpha) - ofTotal);
    },
    statistics: (theta) => {
      checkLength("Dirichlet: the probabilities", theta, categories);
      return theta.map(Math.log);
    },
    logBase: (theta) => -theta.reduce((total, p) => total + Math.log(p), 0),
  };
}
