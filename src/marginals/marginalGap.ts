import { type Estimate, estimateMean } from "../diagnostics/moments.js";
import type { Parameters } from "../engine/parameters.js";
import type { HierarchyWithTau } from "./hierarchyWithTau.js";
import { checkInteger, type DrawsOptions, logRatios } from "./logRatios.js";

/** Measured gaps of the two estimates of log q(z); {@link exactMarginalGap} has the exact ones. */
export interface MeasuredMarginalGap {
  /** K. */
  readonly samples: number;
  /** E log q̂ − E log q with ψ_0: at least 0. */
  readonly upper: Estimate;
  /** The same without ψ_0, at most 0; left out for K = 0, where there is no such estimate. */
  readonly lower?: Estimate;
}

/**
 * How far the two estimates of log q(z) with K draws of τ are from it, measured, for a hierarchical q whose density is known: in nats, averaged over the batch.
 *
 * Each draw z ~ q gives log q̂(z) − log q(z), so that the noise of log q(z) itself cancels. K = 0 is HVM's gap, with ψ_0 alone. The errors are standard errors of the
 * mean; without ψ_0 and at small K the summands may have no variance, or no mean (heavy-tailed weights), and then they tell nothing.
 *
 * @throws Error if K is not an integer of at least 0, if S is below 2, if the hierarchy does not know its `logDensity`, or if an estimate is not finite.
 */
export async function marginalGap<Eta extends Parameters>(
  q: HierarchyWithTau<Eta>,
  options: DrawsOptions & {
    /** K ≥ 0, draws of τ for each z. */
    readonly samples: number;
  },
): Promise<MeasuredMarginalGap> {
  const { samples } = options;
  checkInteger("marginalGap: samples K", samples, 0);
  const { withOwn, fresh } = await logRatios(
    "marginalGap",
    q,
    (z, hierarchy) => {
      if (hierarchy.logDensity) return hierarchy.logDensity(z);
      throw new Error("marginalGap: this hierarchy does not know log q(z); sandwich needs no density.");
    },
    options,
  );
  return { samples, upper: estimateMean(withOwn), ...(fresh && { lower: estimateMean(fresh) }) };
}
