import { logSumExp } from "../diagnostics/logSumExp.js";
import { checkLength, checkPositive, type ExponentialFamily } from "./exponentialFamily.js";

/** Parameters of a categorical distribution. */
export interface CategoricalParameters {
  /** `[K]`, positive, of sum 1. */
  readonly probabilities: Float64Array;
}

/**
 * Categorical over 0, …, K − 1: t(k) is one-hot, η the logits (K of them, so a constant added to all changes nothing), h = 1,
 * `A(η) = log Σ_k exp(η_k)`, and `∇A(η) = softmax(η)`.
 *
 * @throws RangeError if K is not an integer ≥ 2; from its functions, if the probabilities are not positive or do not sum to 1, or the value is no
 *   category.
 */
export function categoricalFamily(categories: number): ExponentialFamily<CategoricalParameters, number> {
  if (!Number.isInteger(categories) || categories < 2)
    throw new RangeError(`categoricalFamily: the categories must be an integer ≥ 2, not ${categories}.`);
  const softmax = (natural: Float64Array): Float64Array => {
    checkLength("Categorical: the logits", natural, categories);
    const logTotal = logSumExp(natural);
    return natural.map((logit) => Math.exp(logit - logTotal));
  };
  return {
    name: "Categorical",
    size: categories,
    natural: ({ probabilities }) => {
      checkLength("Categorical: the probabilities", probabilities, categories);
      checkPositive("Categorical: the probabilities", probabilities);
      const total = probabilities.reduce((sum, p) => sum + p, 0);
      if (Math.abs(total - 1) > 1e-9)
        throw new RangeError(`Categorical: the probabilities must sum to 1, but they sum to ${total}.`);
      return probabilities.map(Math.log);
    },
    parameters: (natural) => ({ probabilities: softmax(natural) }),
    logNormaliser: (natural) => {
      checkLength("Categorical: the logits", natural, categories);
      return logSumExp(natural);
    },
    mean: softmax,
    statistics: (value) => {
      if (!Number.isInteger(value) || value < 0 || value >= categories)
        throw new RangeError(`Categorical: the value must be one of 0 to ${categories - 1}, not ${value}.`);
      return Float64Array.from({ length: categories }, (_, k) => Number(k === value));
    },
    logBase: () => 0,
  };
}
