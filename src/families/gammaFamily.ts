import { digamma, logGamma } from "../diagnostics/specialFunctions.js";
import { checkPositive, type ExponentialFamily } from "./exponentialFamily.js";

/** Parameters of a gamma distribution, both positive. */
export interface GammaParameters {
  readonly shape: number;
  readonly rate: number;
}

const checked = (natural: Float64Array): GammaParameters => {
  const [shape, rate] = [natural[0], -natural[1]];
  if (natural.length !== 2) throw new RangeError(`Gamma: η must have 2 values, not ${natural.length}.`);
  checkPositive("Gamma: the shape", [shape]);
  checkPositive("Gamma: the rate", [rate]);
  return { shape, rate };
};

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
  parameters: checked,
  logNormaliser: (natural) => {
    const { shape, rate } = checked(natural);
    return logGamma(shape) - shape * Math.log(rate);
  },
  mean: (natural) => {
    const { shape, rate } = checked(natural);
    return Float64Array.of(digamma(shape) - Math.log(rate), shape / rate);
  },
  statistics: (x) => Float64Array.of(Math.log(x), x),
  logBase: (x) => -Math.log(x),
};
