import type { Distribution } from "../distributions/distribution.js";
import { Gamma } from "../distributions/gamma.js";
import { Independent } from "../distributions/independent.js";
import { NegativeBinomial } from "../distributions/negativeBinomial.js";
import { Poisson } from "../distributions/poisson.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { checkSize } from "./family.js";
import type { ExactHierarchicalFamily } from "./hierarchicalFamily.js";
import { reverseOf } from "./reverseConditional.js";

/** Parameters of {@link hierarchicalNegativeBinomial}, `[B, D]` each. */
export type HierarchicalNegativeBinomialParameters = {
  /** log r. */
  readonly logConcentration: Tensor2D;
  /** log β, the rate of the gamma law. */
  readonly logRate: Tensor2D;
};

/**
 * The negative binomial as a mixture of Poisson laws: ψ ~ Gamma(r, β), z | ψ ~ Poisson(ψ), so that q(z) = ∏_d NB(z_d; r_d, p_d) with p = 1/(1 + β).
 *
 * The reverse conditional is conjugate: ψ | z ~ Gamma(r + z, β + 1). z is a count, so this q is **not reparameterised**: it is where estimates of log q(z), and of
 * log p(x) of a hierarchical model, are held to an exact answer.
 *
 * @throws Error if a size is not a positive integer.
 */
export function hierarchicalNegativeBinomial(options: {
  /** D, and Dψ. */
  readonly dimension: number;
  /** B. Default 1. */
  readonly batchSize?: number;
}): ExactHierarchicalFamily<HierarchicalNegativeBinomialParameters> {
  const { dimension, batchSize = 1 } = options;
  checkSize("hierarchicalNegativeBinomial: dimension", dimension);
  checkSize("hierarchicalNegativeBinomial: batchSize", batchSize);
  const shape: [number, number] = [batchSize, dimension];
  return {
    dimension,
    mixingDimension: dimension,
    init: () => ({ logConcentration: tf.zeros(shape) as Tensor2D, logRate: tf.zeros(shape) as Tensor2D }),
    hierarchy: ({ logConcentration, logRate }) => {
      const [r, rate] = [exp(logConcentration), exp(logRate)];
      return {
        mixing: vectors(new Gamma({ concentration: r, rate })),
        conditional: (psi) => vectors(new Poisson({ rate: psi })),
        reverse: (z) => reverseOf(vectors(new Gamma({ concentration: tf.add(z, r), rate: tf.add(rate, 1) }))),
        logDensity: (z) =>
          vectors(new NegativeBinomial({ concentration: r, logits: tf.neg(logRate) })).logProb(z) as Tensor2D,
      };
    },
  };
}

function vectors(base: Distribution): Independent {
  return new Independent({ base, eventRank: 1 });
}
