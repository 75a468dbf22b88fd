import { type Estimate, estimateMean, mean } from "../diagnostics/moments.js";
import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import { foldIn, type Key, split } from "../engine/random.js";
import { tf } from "../engine/tf.js";
import { valuesOf } from "../engine/values.js";
import { sir } from "../samplers/sir.js";
import {
  checkCount,
  columnLogSums,
  freshLogSums,
  logAddExp,
  type ProposalSource,
  passes,
  proposeBatches,
} from "./proposals.js";

/** A quantity that a noisy density estimate leaves between two bounds. */
export interface Sandwich {
  /** Below the truth in expectation. */
  readonly lower: Estimate;
  /** Above the truth in expectation. */
  readonly upper: Estimate;
  /** Mean of the two: their biases of order 1/M cancel, which leaves order 1/M². */
  readonly midpoint: Estimate;
}

/** Options of the Monte Carlo estimates of q_EW's ELBO and divergence. */
export interface SandwichOptions {
  readonly key: Key;
  /** R ≥ 2, independent repetitions, which the standard errors are over. Default 20. */
  readonly replicates?: number;
  /** Draws of z ~ q_EW in one repetition. Default 100. */
  readonly draws?: number;
  /** M, batches that log q_EW is averaged over in one repetition. Default 100. */
  readonly batches?: number;
}

/**
 * L_VAE[q_EW] between two bounds; see `marginalElbo` of `ImportanceWeightedDistribution` for what they are and why they hold.
 *
 * @throws Error if R < 2, or the numbers of draws or batches are not positive integers.
 */
export async function marginalElbo<Theta extends Parameters, Phi extends Parameters>(
  source: ProposalSource<Theta, Phi>,
  samples: number,
  options: SandwichOptions,
): Promise<Sandwich> {
  const { key, replicates = 20, draws = 100, batches = 100 } = options;
  checkCount("marginalElbo: replicates", replicates, 2);
  checkCount("marginalElbo: draws", draws, 1);
  checkCount("marginalElbo: batches", batches, 1);
  const data = source.problem.batchSize;
  const [lower, upper] = [new Float64Array(replicates), new Float64Array(replicates)];
  for (let r = 0; r < replicates; r++) {
    const [propose, fresh] = split(foldIn(key, r));
    const own = await resampledWeights(source, samples, { key: propose, draws });
    const sums = await freshLogSums(source, { key: fresh, size: samples - 1, batches });
    const [below, above] = [new Float64Array(draws * data), new Float64Array(draws * data)];
    const logTotals = new Float64Array(batches);
    for (let i = 0; i < below.length; i++) {
      // log Σ_m 1/(w + S_m) over the fresh batches; the sum is at least 1 after the shift, so it loses nothing to plain summation.
      let least = Number.POSITIVE_INFINITY;
      for (let m = 0; m < batches; m++) {
        logTotals[m] = logAddExp(own.chosen[i], sums[m * data + (i % data)]);
        if (logTotals[m] < least) least = logTotals[m];
      }
      let total = 0;
      for (let m = 0; m < batches; m++) total += Math.exp(least - logTotals[m]);
      const logSum = Math.log(total) - least;
      above[i] = Math.log(batches) - Math.log(samples) - logSum;
      below[i] = Math.log(batches + 1) - Math.log(samples) - logAddExp(logSum, -own.sums[i]);
    }
    lower[r] = mean(below);
    upper[r] = mean(above);
    await breathe();
  }
  return {
    lower: estimateMean(lower),
    upper: estimateMean(upper),
    midpoint: estimateMean(lower.map((value, r) => (value + upper[r]) / 2)),
  };
}

/**
 * Draws by Algorithm 1 of which only weights are kept, as they are all that the densities need: log w of the chosen proposal and log Σ of its
 * whole batch, `[draws · B]` each.
 */
async function resampledWeights<Theta extends Parameters, Phi extends Parameters>(
  source: ProposalSource<Theta, Phi>,
  samples: number,
  options: { readonly key: Key; readonly draws: number },
): Promise<{ readonly chosen: Float64Array; readonly sums: Float64Array }> {
  const data = source.problem.batchSize;
  const size = options.draws * data;
  const [chosen, sums] = [new Float64Array(size), new Float64Array(size)];
  for (const { key, start, count } of passes(options.key, { size: samples, batches: options.draws, data })) {
    const [propose, choose] = split(key);
    const values = valuesOf(() => {
      const { logW } = proposeBatches(source, { key: propose, size: samples, count });
      const kept = tf.squeeze(sir(tf.expandDims(logW, -1), logW, choose), [-1]);
      return tf.concat([tf.expandDims(kept, 0), logW], 0);
    });
    chosen.set(values.subarray(0, count * data), start * data);
    sums.set(columnLogSums(values.subarray(count * data), samples, count * data), start * data);
    await breathe();
  }
  return { chosen, sums };
}
