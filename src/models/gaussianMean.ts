import { choleskyFactor, choleskyInverse, choleskySolve, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { dot } from "../families/exponentialFamily.js";
import { type GaussianParameters, gaussianFamily, matrixTimes } from "../families/gaussianFamily.js";
import type { ConjugateModel, NaturalParameters, Rows } from "./conjugateModel.js";

/** q(μ), a Gaussian in its natural parameters. */
export interface GaussianMeanGlobal extends NaturalParameters {
  /** `[D + D²]`, what `gaussianFamily(D).parameters` reads. */
  readonly mean: Float64Array;
}

/** Options of {@link gaussianMean}. */
export interface GaussianMeanOptions {
  readonly prior: GaussianParameters;
  /** σ², positive. */
  readonly noiseVariance: number;
}

/** The model, with what is known exactly of it. */
export interface GaussianMean extends ConjugateModel<GaussianMeanGlobal, Rows, never> {
  /** D. */
  readonly dimension: number;
  /** log p(x) of all rows together: the ELBO at the posterior. */
  logEvidence(batch: Rows): number;
  /** log N(x_i; m, Λ⁻¹ + σ² I) of every row by itself, `[size]`, with μ ~ q. */
  logPredictive(global: GaussianMeanGlobal, batch: Rows): Float64Array;
  /** m and Λ of q(μ). */
  parameters(global: GaussianMeanGlobal): GaussianParameters;
}

/**
 * An unknown mean under known noise: `μ ~ N(m, Λ⁻¹)`, `x_i ~ N(μ, σ² I)`.
 *
 * It has no local variables, so one step of CAVI gives the exact posterior and the ELBO is the exact evidence. A datum adds `(x/σ², −½ I/σ²)`.
 *
 * Bounds and KLs are computed from differences of means, `½ (m_q − m_p)ᵀ Λ_p (m_q − m_p) + …`, not from log-normalisers, whose `½ mᵀ Λ m` has no digits left for them where all data lie
 * far from zero.
 *
 * @throws RangeError if the prior or σ² is out of range; from its functions, if a batch is empty or has another number of columns.
 * Source: Bishop 2006, "Pattern recognition and machine learning", section 2.3.6.
 */
export function gaussianMean(options: GaussianMeanOptions): GaussianMean {
  const { noiseVariance } = options;
  if (!(noiseVariance > 0 && noiseVariance < Infinity))
    throw new RangeError(`gaussianMean: the noise's variance must be positive and finite, not ${noiseVariance}.`);
  const D = options.prior.mean.length;
  const family = gaussianFamily(D);
  const prior: GaussianMeanGlobal = { mean: family.natural(options.prior) };
  const statisticsOf = (batch: Rows): Float64Array => {
    checkRows(batch, D);
    const out = new Float64Array(D + D * D);
    batch.values.forEach((x, i) => {
      out[i % D] += x / noiseVariance;
    });
    for (let d = 0; d < D; d++) out[D + d * D + d] = -batch.size / (2 * noiseVariance);
    return out;
  };
  const read = ({ mean: natural }: GaussianMeanGlobal) => {
    const { mean, precision } = family.parameters(natural);
    const factor = choleskyFactor(precision, D, "gaussianMean: the precision");
    return { mean, precision, covariance: choleskyInverse(factor, D), logDeterminant: logDeterminant(factor, D) };
  };
  const kl = (global: GaussianMeanGlobal, from: GaussianMeanGlobal): number => {
    const [q, p] = [read(global), read(from)];
    const off = q.mean.map((value, d) => value - p.mean[d]);
    const spread = dot(p.precision, q.covariance) + dot(off, matrixTimes(p.precision, off));
    return (spread - D + q.logDeterminant - p.logDeterminant) / 2;
  };
  /** Σ_i E_q log N(x_i; μ, σ² I). */
  const bound = (global: GaussianMeanGlobal, { values, size }: Rows): number => {
    const { mean, covariance } = read(global);
    let squares = 0;
    for (let i = 0; i < values.length; i++) squares += (values[i] - mean[i % D]) ** 2;
    for (let d = 0; d < D; d++) squares += size * covariance[d * D + d];
    return -(squares / noiseVariance + size * D * Math.log(2 * Math.PI * noiseVariance)) / 2;
  };
  return {
    name: "Gaussian mean",
    settings: { noiseVariance },
    dimension: D,
    prior,
    kl: (global, from = prior) => kl(global, from),
    local: (global, batch) => {
      const statistics = { mean: statisticsOf(batch) };
      return { statistics, bound: bound(global, batch) };
    },
    logEvidence: (batch) => {
      const posterior = { mean: statisticsOf(batch).map((value, i) => value + prior.mean[i]) };
      return bound(posterior, batch) - kl(posterior, prior);
    },
    logPredictive: (global, batch) => {
      checkRows(batch, D);
      const { mean, precision } = family.parameters(global.mean);
      const covariance = choleskyInverse(choleskyFactor(precision, D, "gaussianMean: the precision"), D);
      for (let d = 0; d < D; d++) covariance[d * D + d] += noiseVariance;
      const factor = choleskyFactor(covariance, D, "gaussianMean: the predictive covariance");
      const constant = D * Math.log(2 * Math.PI) + logDeterminant(factor, D);
      return Float64Array.from({ length: batch.size }, (_, row) => {
        const off = mean.map((m, d) => batch.values[row * D + d] - m);
        return -(dot(off, choleskySolve(factor, D, off)) + constant) / 2;
      });
    },
    parameters: ({ mean }) => family.parameters(mean),
  };
}

function checkRows(batch: Rows, D: number): void {
  if (batch.columns !== D || batch.size === 0) {
    throw new RangeError(
      `gaussianMean needs rows with the ${D} columns of its prior, at least one, not ${batch.size} rows of ${batch.columns}.`,
    );
  }
}
