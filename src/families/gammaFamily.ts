import { digamma, logGamma } from "../diagnostics/specialFunctions.js";
import { checkPositive, type ExponentialFamily } from "./exponentialFamily.js";

/** Parameters of a gamma distribution, both positive. */
export interface GammaParameters {
  readonly shape: number;
  readonly rate: number;
}

/**
 * Gamma on x > 0: t(x) = (log x, x), η = (shape, −rate), h(x) = 1/x, `A = log Γ(shape) − shape log rate`, and
 * `E[log x] = ψ(shape) − log rate`, `E[x] = shape / rate`.
 *
 * @throws RangeError, from its functions, if shape or rate is not positive.
 */
export const gammaFamily: ExponentialFamily<GammaParameters, number> = {
  name: "Gamma",
  size: 2,
  natural: ({ shape, rate }) => {
    checkPositive("Gamma: the shape", [shape]);
    checkPositive("Gamma: the rate", [rate]);
    return Float64Array.of(shape, -rate);
  },
  parameters: ([shape, negativeRate]) => {
    checkPositive("Gamma: the shape", [shape]);
    checkPositive("Gamma: the rate", [-negativeRate]);
    return { shape, rate: -negativeRate };
  },
  logNormaliser: ([shape, negativeRate]) => logGamma(shape) - shape * Math.log(-negativeRate),
  mean: ([shape, negativeRate]) => Float64Array.of(digamma(shape) - Math.log(-negativeRate), -shape / negativeRate),
  statistics: (x) => Float64Array.of(Math.log(x), x),
  logBase: (x) => -Math.log(x),
};
