import { type LogPredictive, pointwisePredictive } from "../diagnostics/pointwisePredictive.js";
import { breathe } from "../engine/interrupt.js";
import { tf } from "../engine/tf.js";
import { valuesOf } from "../engine/values.js";
import type { GammaNormalSeries } from "./gammaNormalSeries.js";

/** How many numbers of z one pass takes at most. */
const numbersAtOnce = 1 << 20;

/** Options of {@link seriesPredictive}. */
export interface SeriesPredictiveOptions {
  /** A series with labs that it did not see. */
  readonly series: GammaNormalSeries;
  /** Draws of z, `[S, D]` row by row; of C chains `[S, C, D]`, as `ChainDraws` keeps them. */
  readonly draws: Float32Array;
  /** C, where the draws are those of Markov chains. Default: independent draws, as those of a variational q. */
  readonly chains?: number;
}

/**
 * The log predictive density of the labs that a {@link GammaNormalSeries} did not see, a lab's mean, under draws of its unknowns:
 * (1/N) Σ_n log (1/S) Σ_s p(l_n | z_s), with the standard error over the draws.
 *
 * @throws Error if the series saw all its labs, or the draws are not rows of D numbers; or a RangeError as `pointwisePredictive`.
 */
export async function seriesPredictive(options: SeriesPredictiveOptions): Promise<LogPredictive> {
  const { series, draws, chains } = options;
  const { dimension, heldOut } = series;
  const count = draws.length / dimension;
  if (heldOut.length === 0)
    throw new Error("seriesPredictive: the series saw all its labs; hold some out, with 0 in its `seen`.");
  if (!Number.isInteger(count) || count === 0)
    throw new Error(
      `seriesPredictive: ${draws.length} numbers are no rows of the series' ${dimension} unknowns; give whole draws.`,
    );
  const chunk = Math.max(1, Math.floor(numbersAtOnce / dimension));
  const logLikelihoods = new Float64Array(count * heldOut.length);
  for (let start = 0; start < count; start += chunk) {
    const size = Math.min(chunk, count - start);
    const rows = draws.subarray(start * dimension, (start + size) * dimension);
    const values = valuesOf(() => series.logLikelihood(tf.tensor3d(rows, [size, 1, dimension])));
    const labs = values.length / size;
    for (let s = 0; s < size; s++)
      heldOut.forEach((lab, n) => {
        logLikelihoods[(start + s) * heldOut.length + n] = values[s * labs + lab]!;
      });
    await breathe();
  }
  return pointwisePredictive({ logLikelihoods, data: heldOut.length, ...(chains !== undefined && { chains }) });
}
