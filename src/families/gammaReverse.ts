import { Gamma } from "../distributions/gamma.js";
import { Independent } from "../distributions/independent.js";
import { LogGamma } from "../distributions/logGamma.js";
import { tf } from "../engine/tf.js";
import type { MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber } from "./family.js";
import { perceptronReverse, type ReversePerceptronOptions } from "./perceptronReverse.js";
import { type ReverseConditional, reverseOf } from "./reverseConditional.js";

/** Options of {@link gammaReverse}. */
export interface GammaReverseOptions extends ReversePerceptronOptions {
  /** What is gamma: ψ itself ("value"), or e^ψ ("exp"), where ψ is the log of a positive variable. Default "value". */
  readonly of?: "value" | "exp";
  /** α at the start, whatever z. Default 1. */
  readonly initialConcentration?: number;
  /** Mean α/β at the start. Default 1. */
  readonly initialMean?: number;
}

/**
 * τ(ψ | z, x; η) = ∏_d Gamma(v_d; α_d(z, x), β_d(z, x)) for v = ψ or v = e^ψ, with log α and the log of the mean α/β from a perceptron.
 *
 * On the log scale it is the same τ: ratios of densities, and with them every estimate of log q(z | x), do not change with the coordinate. For
 * `hierarchicalLaplace`, whose ψ is log v, `of: "exp"` with an `initialMean` of 2 starts as q(ψ), so that the estimate starts as SIVI's. Reparameterised,
 * implicitly in α.
 *
 * @throws Error as {@link perceptronReverse}, or if a start is not positive.
 * Source: Sobolev & Vetrov 2019, section 6.1 (a gamma τ for the Laplace).
 */
export function gammaReverse(options: GammaReverseOptions): ReverseConditional<MlpParameters> {
  const { of = "value", initialConcentration = 1, initialMean = 1 } = options;
  checkPositiveNumber("gammaReverse: initialConcentration", initialConcentration);
  checkPositiveNumber("gammaReverse: initialMean", initialMean);
  const Law = of === "exp" ? LogGamma : Gamma;
  return perceptronReverse({
    ...options,
    name: "gammaReverse",
    outputs: 2,
    start: [Math.log(initialConcentration), Math.log(initialMean)],
    law: ([logConcentration, logMean]) => {
      const rate = exp(tf.sub(logConcentration!, logMean!));
      return reverseOf(
        new Independent({ base: new Law({ concentration: exp(logConcentration!), rate }), eventRank: 1 }),
      );
    },
  });
}
