import { logMeanExp } from "../diagnostics/logSumExp.js";

/**
 * log p(y_n) of responses under a process with Gaussian noise, `log (1/K) Σ_k N(y_n; μ_kn, v_kn + σ²)`, in Float64: K = 1 is one process, K > 1 the mixture that draws of the inner layer
 * of a deep one make.
 *
 * @param options.mean - of the latent function, `[K · n]`, draw by draw.
 * @param options.variance - of the latent function, `[K · n]`, at least 0.
 * @param options.noiseVariance - σ².
 * @param options.responses - y, `[n]`.
 * @returns `[n]`; their mean is the held-out log-density a datum. With K draws it is biased down, by O(1/K).
 * @throws RangeError if there are no responses, means and variances are not K for each of them, a variance is negative or σ² not positive and finite.
 */
export function predictiveDensity(options: {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
  readonly noiseVariance: number;
  readonly responses: ArrayLike<number>;
}): Float64Array {
  const { mean, variance, noiseVariance, responses } = options;
  const n = responses.length;
  const draws = mean.length / n;
  if (n === 0 || draws < 1 || !Number.isInteger(draws) || variance.length !== mean.length)
    throw new RangeError(
      `predictiveDensity needs K means and variances for each response and at least one, not ${mean.length} and ${variance.length} for ${n}.`,
    );
  if (!(noiseVariance > 0 && noiseVariance < Infinity))
    throw new RangeError(`predictiveDensity: noiseVariance must be positive and finite, not ${noiseVariance}.`);
  const terms = new Float64Array(draws);
  return Float64Array.from({ length: n }, (_, i) => {
    for (let k = 0; k < draws; k++) {
      const at = k * n + i;
      if (!(variance[at] >= 0))
        throw new RangeError(`predictiveDensity: variance ${at} is ${variance[at]}; it must be at least 0.`);
      const total = variance[at] + noiseVariance;
      terms[k] = -(Math.log(2 * Math.PI * total) + (responses[i] - mean[at]) ** 2 / total) / 2;
    }
    return logMeanExp(terms);
  });
}
