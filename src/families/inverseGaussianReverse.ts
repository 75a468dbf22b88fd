import { Independent } from "../distributions/independent.js";
import { InverseGaussian } from "../distributions/inverseGaussian.js";
import { type Tensor, tf } from "../engine/tf.js";
import type { MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber } from "./family.js";
import type { Reverse } from "./hierarchicalFamily.js";
import { perceptronReverse, type ReversePerceptronOptions } from "./perceptronReverse.js";
import { type ReverseConditional, reverseOf } from "./reverseConditional.js";

/** Options of {@link inverseGaussianReverse}. */
export interface InverseGaussianReverseOptions extends ReversePerceptronOptions {
  /** What is inverse Gaussian: ψ itself ("value"), e^ψ ("exp"), or e^−ψ ("reciprocal"), where ψ is the log of a positive variable. Default "value". */
  readonly of?: "value" | "exp" | "reciprocal";
  /** μ at the start, whatever z. Default 1. */
  readonly initialMean?: number;
  /** λ at the start. Default 1. */
  readonly initialShape?: number;
}

/**
 * τ(ψ | z, x; η) = ∏_d IG(u_d; μ_d(z, x), λ_d(z, x)), inverse Gaussian in u = ψ, e^ψ or e^−ψ, with log μ and log λ from a perceptron.
 *
 * For `hierarchicalLaplace`, whose ψ is log v, `of: "reciprocal"` is the family of the exact reverse conditional: 1/v | z has μ = b/|z| and λ = 1.
 * Reparameterised, implicitly in both.
 *
 * @throws Error as `perceptronReverse`, or if a start is not positive.
 * Source: Andrews & Mallows 1974, "Scale mixtures of normal distributions".
 */
export function inverseGaussianReverse(options: InverseGaussianReverseOptions): ReverseConditional<MlpParameters> {
  const { of = "value", initialMean = 1, initialShape = 1 } = options;
  checkPositiveNumber("inverseGaussianReverse: initialMean", initialMean);
  checkPositiveNumber("inverseGaussianReverse: initialShape", initialShape);
  return perceptronReverse({
    ...options,
    name: "inverseGaussianReverse",
    outputs: 2,
    start: [Math.log(initialMean), Math.log(initialShape)],
    law: ([logMean, logShape]) => {
      const base = new InverseGaussian({ mean: exp(logMean!), shape: exp(logShape!) });
      const law = reverseOf(new Independent({ base, eventRank: 1 }));
      return of === "value" ? law : inLog(law, of === "exp" ? 1 : -1);
    },
  });
}

/** The law of ψ = s log u: p(ψ) = p(u) u. */
function inLog(law: Reverse, sign: 1 | -1): Reverse {
  const signed = (psi: Tensor): Tensor => (sign === 1 ? psi : tf.neg(psi));
  return {
    sample: (key, draws) => tf.tidy(() => signed(tf.log(law.sample(key, draws)))),
    logProb: (psi) =>
      tf.tidy(() => {
        const logU = signed(psi);
        return tf.add(law.logProb(exp(logU)), tf.sum(logU, -1));
      }),
  };
}
