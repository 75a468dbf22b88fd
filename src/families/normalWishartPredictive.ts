import { choleskyFactor, choleskySolve, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { logGamma } from "../diagnostics/specialFunctions.js";
import { dot } from "./exponentialFamily.js";
import type { NormalWishartParameters } from "./normalWishartFamily.js";

/**
 * The log-density of an observation with μ and Λ integrated out, `log St(m + off; m, (1 + β) W⁻¹ / (β ν'), ν')` with ν' = ν − D + 1, as a function of `off` from the centre m.
 *
 * @param where - whose, for the error.
 * @throws RangeError if W⁻¹ is not positive definite.
 * Source: Bishop 2006, "Pattern recognition and machine learning", equations 10.81 and 10.82.
 */
export function normalWishartPredictive(
  parameters: NormalWishartParameters,
  where: string,
): (off: Float64Array) => number {
  const { meanPrecision, inverseScale, degrees } = parameters;
  const D = parameters.mean.length;
  const freedom = degrees - D + 1;
  const spread = (1 + meanPrecision) / meanPrecision;
  const factor = choleskyFactor(inverseScale, D, `${where}: the inverse scale`);
  const constant =
    logGamma((freedom + D) / 2) -
    logGamma(freedom / 2) -
    (D * Math.log(Math.PI * spread) + logDeterminant(factor, D)) / 2;
  return (off) => constant - ((freedom + D) / 2) * Math.log1p(dot(off, choleskySolve(factor, D, off)) / spread);
}
