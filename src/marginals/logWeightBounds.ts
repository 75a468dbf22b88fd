import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import { foldIn, type Key, split } from "../engine/random.js";
import { tf } from "../engine/tf.js";
import { valuesOf } from "../engine/values.js";
import { checkSamples } from "../models/problem.js";
import type { HierarchicalParameters, HierarchicalProblem } from "./hierarchicalProblem.js";
import { sampleHierarchy } from "./marginal.js";
import { marginalBounds } from "./sandwich.js";

/** How many numbers the largest tensor of a pass holds, about: 16 MB. */
const numbersAtOnce = 1 << 22;

/** How many latents one pass draws at most, as a picture is made of each. */
const latentsAtOnce = 1 << 14;

/** Every datum's log-weights from the same draws of z with two estimates of log q(z | x), B arrays of M each. */
export interface LogWeightBounds {
  /** log p(x, z_m) − log q̂(z_m | x), q̂ with the ψ_0 that z_m was drawn given. */
  readonly lower: Float64Array[];
  /** The same with q̂ of the K fresh draws alone. */
  readonly upper: Float64Array[];
}

/** Options of {@link collectLogWeightBounds}. */
export interface LogWeightBoundsOptions<Theta extends Parameters, Phi extends Parameters, Eta extends Parameters> {
  /** Its marginal says τ and K ≥ 1; with `sivi({ samples, shared: true })` it takes K + M conditionals a datum and pass in place of (K + 1) M. */
  readonly problem: Pick<HierarchicalProblem<Theta, Phi, Eta>, "batchSize" | "hierarchy" | "marginal" | "x" | "logP">;
  readonly theta: Theta;
  readonly phi: HierarchicalParameters<Phi, Eta>;
  /** M ≥ 1. */
  readonly samples: number;
  readonly key: Key;
  /** Samples drawn in one pass; the draws of z depend on it and on the key alone. Default: what makes 4 million numbers a tensor. */
  readonly chunk?: number;
}

/**
 * The M log-weights of every datum under a hierarchical q, with an estimate of log q(z | x) from either side: what L_M of the q itself, whose density is not
 * known, is held between.
 *
 * With q̂⁺ the average that includes ψ_0's weight and q̂⁻ the one that does not,
 * E log (1/M) Σ_m p(x, z_m)/q̂⁺(z_m) ≤ L_M[q] = E log (1/M) Σ_m p(x, z_m)/q(z_m | x) ≤ E log (1/M) Σ_m p(x, z_m)/q̂⁻(z_m),
 * as E[1/q̂⁺ | z] = 1/q(z | x) and the logarithm is concave; as E[q̂⁻ | z] = q(z | x) and log Σ p/q is convex in all the q. Sharing the draws of τ among
 * the z_m changes neither. L_M[q] ≤ log p(x), so the lower side is a lower bound on log p(x) for every M and K; **the upper side is no bound on log p(x)**.
 * M = 1 is the ELBO (`sandwich` has it for one batch).
 *
 * @returns log-weights that a `Bound` evaluates: `iwae.evaluate(lower[b])`.
 * @throws Error if M or the chunk is not a positive integer, if the marginal's K is 0, or if a log-weight is NaN or +∞ (the error names the datum).
 * Source: Sobolev & Vetrov 2019, section 4.1, for the lower side; the upper one is Jensen's inequality.
 */
export async function collectLogWeightBounds<Theta extends Parameters, Phi extends Parameters, Eta extends Parameters>(
  options: LogWeightBoundsOptions<Theta, Phi, Eta>,
): Promise<LogWeightBounds> {
  const { problem, theta, phi, samples, key } = options;
  const { marginal, batchSize, x } = problem;
  checkSamples(samples);
  const chunk = options.chunk ?? defaultChunk(options);
  if (!Number.isInteger(chunk) || chunk < 1)
    throw new Error(`collectLogWeightBounds: chunk must be a positive integer, not ${chunk}.`);
  const columns = (): Float64Array[] => Array.from({ length: batchSize }, () => new Float64Array(samples));
  const [lower, upper] = [columns(), columns()];
  for (let start = 0, i = 0; start < samples; start += chunk, i++) {
    const size = Math.min(chunk, samples - start);
    const [draw, estimate] = split(foldIn(key, i));
    const values = valuesOf(() => {
      const hierarchy = problem.hierarchy(phi.q);
      const { z, psi, conditional } = sampleHierarchy(hierarchy, draw, size);
      const { reverse, samples } = marginal;
      const inputs = { hierarchy, eta: phi.tau, z, psi0: psi, conditional, x, key: estimate };
      const logQ = marginalBounds({ reverse, samples, ...inputs });
      const logP = problem.logP(theta, { z, psi });
      return tf.stack([tf.sub(logP, logQ.upper), tf.sub(logP, logQ.lower)]);
    });
    const bad = values.findIndex((value) => Number.isNaN(value) || value === Number.POSITIVE_INFINITY);
    if (bad !== -1) {
      throw new Error(
        `collectLogWeightBounds: a log-weight of datum ${bad % batchSize} is ${values[bad]}; look at that row of the data, then at log p(x, z) and log q(z | ψ, x) of its draws.`,
      );
    }
    for (let m = 0; m < size; m++) {
      for (let b = 0; b < batchSize; b++) {
        lower[b][start + m] = values[m * batchSize + b];
        upper[b][start + m] = values[(size + m) * batchSize + b];
      }
    }
    await breathe();
  }
  return { lower, upper };
}

function defaultChunk<Theta extends Parameters, Phi extends Parameters, Eta extends Parameters>({
  problem,
  phi,
  key,
}: LogWeightBoundsOptions<Theta, Phi, Eta>): number {
  const one = tf.tidy(() => sampleHierarchy(problem.hierarchy(phi.q), key, 1).z); // only its shape is looked at
  const most = Math.min(numbersAtOnce / ((problem.marginal.samples + 1) * one.size), latentsAtOnce / problem.batchSize);
  one.dispose();
  return Math.max(1, Math.floor(most));
}
