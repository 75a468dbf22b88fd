import { choleskyFactor, choleskyInverse, choleskySolve, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { dot, klDivergence } from "../families/exponentialFamily.js";
import { type GaussianParameters, gaussianFamily } from "../families/gaussianFamily.js";
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
  /** log p(x) of all rows together = A(posterior) − A(prior) + Σ_i log N(x_i; 0, σ² I). */
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
  /** Σ_i log N(x_i; 0, σ² I). */
  const base = ({ values, size }: Rows): number =>
    -(dot(values, values) / noiseVariance + size * D * Math.log(2 * Math.PI * noiseVariance)) / 2;
  return {
    name: "Gaussian mean",
    settings: { noiseVariance },
    dimension: D,
    prior,
    kl: (global, from = prior) => klDivergence(family, global.mean, from.mean),
    local: (global, batch) => {
      const statistics = statisticsOf(batch);
      return { statistics: { mean: statistics }, bound: dot(statistics, family.mean(global.mean)) + base(batch) };
    },
    logEvidence: (batch) => {
      const posterior = statisticsOf(batch).map((value, i) => value + prior.mean[i]);
      return family.logNormaliser(posterior) - family.logNormaliser(prior.mean) + base(batch);
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
