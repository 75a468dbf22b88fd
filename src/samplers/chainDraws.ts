import { bulkEffectiveSampleSize } from "../diagnostics/autocorrelation.js";
import { chainCorrelation, chainMean, chainStandardDeviation } from "../diagnostics/chainMoments.js";
import type { Estimate } from "../diagnostics/moments.js";
import { rHat } from "../diagnostics/rHat.js";

/** What the chains say of one coordinate. */
export interface CoordinateSummary {
  readonly mean: Estimate;
  readonly standardDeviation: Estimate;
  /** Rank-normalised split R̂; above 1.01 the chains have not mixed. */
  readonly rHat: number;
  /** Bulk-ESS over all chains. */
  readonly effectiveSampleSize: number;
}

/** Draws of several Markov chains, and what is computed from them on demand. */
export class ChainDraws {
  private readonly summaries = new Map<number, CoordinateSummary>();

  /** @internal */
  constructor(
    /** `[samples, chains, dimension]`, row by row. */
    readonly values: Float32Array,
    /** S, C, D. */
    readonly shape: readonly [samples: number, chains: number, dimension: number],
  ) {}

  /** The series of one coordinate, `[C][S]`. */
  chains(coordinate: number): Float64Array[] {
    const [samples, chains, dimension] = this.shape;
    if (!Number.isInteger(coordinate) || coordinate < 0 || coordinate >= dimension)
      throw new RangeError(`coordinate must be an integer in [0, ${dimension}), not ${coordinate}.`);
    return Array.from({ length: chains }, (_, c) =>
      Float64Array.from({ length: samples }, (_, s) => this.values[(s * chains + c) * dimension + coordinate]),
    );
  }

  /**
   * Mean and standard deviation with Monte Carlo standard errors, R̂ and ESS of one coordinate; computed once.
   *
   * @throws RangeError if there is no such coordinate, or if there are fewer than four draws a chain.
   */
  summary(coordinate: number): CoordinateSummary {
    const known = this.summaries.get(coordinate);
    if (known) return known;
    const summary = summariseChains(this.chains(coordinate));
    this.summaries.set(coordinate, summary);
    return summary;
  }

  /**
   * Correlation of two coordinates with its Monte Carlo standard error.
   *
   * @throws RangeError as {@link ChainDraws.summary}.
   */
  correlation(i: number, j: number): Estimate {
    return chainCorrelation(this.chains(i), this.chains(j));
  }

  /** The largest R̂ and the smallest ESS of all coordinates: the first thing to look at. */
  worst(): { readonly rHat: number; readonly effectiveSampleSize: number } {
    const all = Array.from({ length: this.shape[2] }, (_, d) => this.summary(d));
    return {
      rHat: Math.max(...all.map((summary) => summary.rHat)),
      effectiveSampleSize: Math.min(...all.map((summary) => summary.effectiveSampleSize)),
    };
  }
}

/**
 * Mean and standard deviation with Monte Carlo standard errors, R̂ and ESS of any quantity along the chains, `[C][S]`, such as a function of several coordinates.
 *
 * @throws RangeError if there are fewer than four draws a chain, or lengths differ, or a draw is not finite.
 */
export function summariseChains(chains: readonly ArrayLike<number>[]): CoordinateSummary {
  return {
    mean: chainMean(chains),
    standardDeviation: chainStandardDeviation(chains),
    rHat: rHat(chains),
    effectiveSampleSize: bulkEffectiveSampleSize(chains),
  };
}
