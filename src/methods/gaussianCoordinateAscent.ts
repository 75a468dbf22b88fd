import { choleskyFactor, logDeterminant } from "../diagnostics/choleskyFactor.js";

/** What {@link gaussianCoordinateAscent} finds. */
export interface GaussianCoordinateAscent {
  /** E_q[z], `[D]`. */
  readonly mean: Float64Array;
  /** Var_q[z_d] = 1/Λ_dd, `[D]`. */
  readonly variances: Float64Array;
  /** KL(q ‖ p) at the start and after every sweep; it never rises. */
  readonly trace: readonly number[];
  readonly sweeps: number;
  readonly converged: boolean;
}

/**
 * Mean-field inference of a Gaussian `p = N(μ, Λ⁻¹)`: coordinate by coordinate `q_d ← N(μ_d − Σ_{e≠d} Λ_de (m_e − μ_e) / Λ_dd, 1/Λ_dd)`, the normalised
 * `exp E_{q_−d}[log p]`.
 *
 * The means come to μ, by Gauss and Seidel's iteration for Λ m = Λ μ. The variances are 1/Λ_dd after one sweep and stay so: `1/Λ_dd = Var_p[z_d | z_−d] ≤ Var_p[z_d]`,
 * so mean field shrinks a variance by 1 − R_d², with R_d² the share of it that the other coordinates explain. In two dimensions with correlation ρ the ratio is
 * 1 − ρ² and a sweep shrinks the means' error by ρ². What remains is `KL = ½ (Σ_d log Λ_dd − log |Λ|)`.
 *
 * @param options.mean - μ, `[D]`.
 * @param options.precision - Λ, `[D · D]` row by row, symmetric positive definite.
 * @param options.start - the means of q, `[D]`; its variances start at 1/Λ_dd. Default: zeros.
 * @param options.tolerance - stops when a sweep lowers KL by no more. Default 1e-14.
 * @param options.maxSweeps - default 1000.
 * @throws RangeError if the shapes do not fit, a number is not finite, Λ is not symmetric positive definite, or an option is out of range.
 * Source: Bishop 2006, "Pattern recognition and machine learning", section 10.1.2; Zhang et al. 2018, section 3.
 */
export function gaussianCoordinateAscent(options: {
  readonly mean: Float64Array;
  readonly precision: Float64Array;
  readonly start?: Float64Array;
  readonly tolerance?: number;
  readonly maxSweeps?: number;
}): GaussianCoordinateAscent {
  const { mean: mu, precision, tolerance = 1e-14, maxSweeps = 1000 } = options;
  const D = mu.length;
  const m = Float64Array.from(options.start ?? new Float64Array(D));
  if (D === 0 || precision.length !== D * D || m.length !== D)
    throw new RangeError(
      `gaussianCoordinateAscent: a mean and a start of one length D ≥ 1 and a precision of D² numbers, not ${D}, ${m.length} and ${precision.length}.`,
    );
  if (!mu.every(Number.isFinite) || !m.every(Number.isFinite) || !precision.every(Number.isFinite))
    throw new RangeError("gaussianCoordinateAscent: the mean, the start and the precision must be finite.");
  if (!(tolerance >= 0)) throw new RangeError(`gaussianCoordinateAscent: the tolerance must be ≥ 0, not ${tolerance}.`);
  if (!Number.isInteger(maxSweeps) || maxSweeps < 1)
    throw new RangeError(`gaussianCoordinateAscent: maxSweeps must be a positive integer, not ${maxSweeps}.`);
  for (let i = 0; i < D; i++)
    for (let j = 0; j < i; j++)
      if (
        Math.abs(precision[i * D + j] - precision[j * D + i]) >
        1e-9 * Math.sqrt(precision[i * D + i] * precision[j * D + j])
      )
        throw new RangeError(`gaussianCoordinateAscent: the precision must be symmetric, but differs at (${i}, ${j}).`);
  const factor = choleskyFactor(precision, D, "gaussianCoordinateAscent: the precision");
  const variances = Float64Array.from({ length: D }, (_, d) => 1 / precision[d * D + d]);
  const least = -(variances.reduce((total, v) => total + Math.log(v), 0) + logDeterminant(factor, D)) / 2;
  const divergence = (): number => {
    let quadratic = 0;
    for (let i = 0; i < D; i++)
      for (let j = 0; j < D; j++) quadratic += (m[i] - mu[i]) * precision[i * D + j] * (m[j] - mu[j]);
    return least + quadratic / 2;
  };
  const trace = [divergence()];
  for (let sweep = 1; ; sweep++) {
    for (let d = 0; d < D; d++) {
      let pull = 0;
      for (let e = 0; e < D; e++) if (e !== d) pull += precision[d * D + e] * (m[e] - mu[e]);
      m[d] = mu[d] - pull * variances[d];
    }
    trace.push(divergence());
    const converged = trace[sweep - 1] - trace[sweep] <= tolerance;
    if (converged || sweep === maxSweeps) return { mean: m, variances, trace, sweeps: sweep, converged };
  }
}
