import { type Estimate, estimateMean } from "../diagnostics/moments.js";
import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { checkShape, formatShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { valuesOf } from "../engine/values.js";
import { refuseKlWeight } from "../models/klWeight.js";
import { checkSamples, type Problem } from "../models/problem.js";
import { sir } from "../samplers/sir.js";
import { iwae } from "./iwae.js";
import { marginalElbo, type Sandwich, type SandwichOptions } from "./marginalElbo.js";
import { checkCount, freshLogSums, logAddExp, passes, proposeBatches } from "./proposals.js";

/** Options of {@link importanceWeightedDistribution}. */
export interface ImportanceWeightedOptions<Theta extends Parameters, Phi extends Parameters> {
  /** A problem whose q has an exact density. */
  readonly problem: Problem<Theta, Phi, Tensor3D>;
  readonly theta: Theta;
  readonly phi: Phi;
  /** k ≥ 1, the size of a batch of proposals. */
  readonly samples: number;
}

/** The density of q_EW at given points, averaged over batches of proposals. */
export interface MarginalDensity {
  /** q̂_EW, `[G, B]` row by row; unbiased at every point. */
  readonly density: Float64Array;
  /** Standard error of `density` over the batches, `[G, B]`. The batches are shared, so errors at different points are correlated. */
  readonly standardError: Float64Array;
  /**
   * Riemann sum cell · Σ_g q̂_EW(z_g) for points that tile a region in cells of this volume, averaged over data, with its standard error over
   * the batches: 1 ± s.e. where the region holds q_EW's mass.
   */
  integral(cell: number): Estimate;
}

/** The distribution that importance weighting implies, see {@link importanceWeightedDistribution}. */
export interface ImportanceWeightedDistribution {
  /** k. */
  readonly samples: number;
  /**
   * n exact draws from the marginal q_EW, `[n, B, D]`, each by SIR from its own batch of k proposals.
   *
   * @throws Error if n is not a positive integer, or as `sirIndices`.
   */
  sample(key: Key, n: number): Tensor3D;
  /** log (k w̃_i) = log q_IW(z_i | z_\i) − log q(z_i), `[k, B]`, of a batch z `[k, B, D]`. */
  batchConditionalLogWeight(z: Tensor3D): Tensor2D;
  /**
   * log q_IW(z_i | z_\i) = log p(x, z_i) − log (1/k) Σ_j w_j, `[k, B]`, of a batch z `[k, B, D]`.
   *
   * Conditional on the others it need not integrate to one in z_i; averaged over them it does.
   */
  batchConditionalLogProb(z: Tensor3D): Tensor2D;
  /**
   * Unbiased estimate of q_EW(z) = E_{z_2 … z_k ~ q}[p(x, z) / (1/k)(w(z) + Σ_{j≥2} w_j)] at the points.
   *
   * The marginal (q_EW) is the law of `sample`; {@link batchConditionalLogProb} is what makes L_VAE[q_IW] = L_IWAE.
   *
   * @param options.points `[G, B, D]`, or `[G, D]` where B = 1.
   * @param options.batches M ≥ 2, batches of k − 1 proposals to average over; all points see the same batches.
   */
  marginalDensity(options: {
    readonly points: Tensor;
    readonly batches: number;
    readonly key: Key;
  }): Promise<MarginalDensity>;
  /**
   * L_VAE[q_EW] = E_{q_EW}[log p(x, z) − log q_EW(z)], averaged over data, between two bounds; it lies between L_IWAE and log p(x).
   *
   * The log of a density estimate is biased down, by about Var/2M, so plugging it in would flatter q. Write
   * log q_EW(z) − log p(x, z) = log E[h(S)], with h(S) = k / (w(z) + S) and S the sum of the other k − 1 weights.
   *
   * - *Upper* bound on the ELBO: log of the mean of h over M fresh batches, at most log E[h] in expectation by Jensen.
   * - *Lower* bound on the ELBO: the same with one more batch in the average, the very one that z was resampled from. Given z, that batch has
   *   the density π(S) h(S)/E[h]; with ρ the mixture, over the M + 1 places, of one such batch among M fresh ones from π,
   *   E log [(1/(M+1)) Σ_m h(S_m) / E[h]] = KL(ρ ‖ π^(M+1)) ≥ 0. So its mean is at least log E[h].
   *
   * Their gap is of order 1/M, and their mean is off by order 1/M². For k = 1 they coincide.
   */
  marginalElbo(options: SandwichOptions): Promise<Sandwich>;
  /** KL(q_EW ‖ p(z | x)) = log p(x) − L_VAE[q_EW], between two bounds, where the mean log p(x) over the data is known. */
  marginalDivergence(options: SandwichOptions & { readonly logEvidence: number }): Promise<Sandwich>;
}

/**
 * The implicit distribution q_IW of importance-weighted inference, as a sampler, a batch-conditional density and a marginal density.
 *
 * q_IW(z_i | x, z_\i) = k w̃_i q(z_i | x) = p(x, z_i) / ((1/k) Σ_j p(x, z_j)/q(z_j | x)).
 *
 * With the batch-conditional density, E over batches and over z_j ~ Cat(w̃) of log p(x, z_j) − log q_IW(z_j | z_\j) is L_IWAE, batch by
 * batch; the ELBO of the marginal q_EW is at least that.
 *
 * @throws Error if k is not a positive integer.
 * Source: Cremer, Morris & Duvenaud 2017, "Implicit q_IW Distribution" and Algorithm 1.
 */
export function importanceWeightedDistribution<Theta extends Parameters, Phi extends Parameters>(
  options: ImportanceWeightedOptions<Theta, Phi>,
): ImportanceWeightedDistribution {
  const { problem, theta, phi, samples: k } = options;
  checkSamples(k);
  refuseKlWeight("importanceWeightedDistribution", problem);
  const columns = problem.batchSize;
  const source = { problem, theta, phi };

  const logWeightsOf = (z: Tensor3D): { logP: Tensor2D; logQ: Tensor2D; logW: Tensor2D } => {
    const logP = problem.logP(theta, z);
    const logQ = problem.logQ(phi, z, exactKey);
    return { logP, logQ, logW: tf.sub(logP, logQ) };
  };

  const checkBatch = (z: Tensor3D): void => {
    checkShape("q_IW: the batch z", z, [k, columns, "*"]);
  };

  const sample = (key: Key, n: number): Tensor3D => {
    checkCount("q_IW: the number of draws", n, 1);
    return tf.tidy(() => {
      const parts = passes(key, { size: k, batches: n, data: columns }).map(({ key: passKey, count }) =>
        tf.tidy(() => {
          const [draw, choose] = split(passKey);
          const { z, logW } = proposeBatches(source, { key: draw, size: k, count });
          return sir(z, logW, choose) as Tensor3D;
        }),
      );
      return parts.length === 1 ? parts[0] : tf.concat(parts, 0);
    });
  };

  const marginalDensity: ImportanceWeightedDistribution["marginalDensity"] = async ({ points, batches, key }) => {
    checkCount("marginalDensity: batches", batches, 2);
    if (points.rank !== 3 && !(points.rank === 2 && columns === 1)) {
      throw new Error(`marginalDensity: points need the shape [G, ${columns}, D], not ${formatShape(points.shape)}.`);
    }
    const z = tf.reshape(points, [points.shape[0], columns, points.shape[points.rank - 1]]) as Tensor3D;
    const logP = Float64Array.from(valuesOf(() => problem.logP(theta, z)));
    const logQ = Float64Array.from(valuesOf(() => problem.logQ(phi, z, exactKey)));
    z.dispose();
    const size = logP.length;
    const sums = await freshLogSums(source, { key, size: k - 1, batches });
    const total = new Float64Array(size);
    const squares = new Float64Array(size);
    const perBatch = new Float64Array(batches);
    for (let m = 0; m < batches; m++) {
      for (let i = 0; i < size; i++) {
        const value = Math.exp(conditionalLogDensity(logP[i], logQ[i], sums[m * columns + (i % columns)], k));
        // Welford's update: no cancellation where the density hardly varies between batches.
        const step = value - total[i];
        total[i] += step / (m + 1);
        squares[i] += step * (value - total[i]);
        perBatch[m] += value / columns;
      }
      await breathe();
    }
    return {
      density: total,
      standardError: squares.map((value) => Math.sqrt(value / (batches - 1) / batches)),
      integral: (cell) => estimateMean(perBatch.map((value) => value * cell)),
    };
  };

  return {
    samples: k,
    sample,
    batchConditionalLogWeight: (z) => {
      checkBatch(z);
      return tf.tidy(() => {
        const { logW } = logWeightsOf(z);
        return tf.sub(logW, iwae.value(logW)) as Tensor2D;
      });
    },
    batchConditionalLogProb: (z) => {
      checkBatch(z);
      return tf.tidy(() => {
        const { logP, logW } = logWeightsOf(z);
        return tf.sub(logP, iwae.value(logW)) as Tensor2D;
      });
    },
    marginalDensity,
    marginalElbo: (options) => marginalElbo(source, k, options),
    marginalDivergence: async ({ logEvidence, ...options }) => {
      const { lower, upper, midpoint } = await marginalElbo(source, k, options);
      const from = (estimate: Estimate): Estimate => ({ ...estimate, value: logEvidence - estimate.value });
      return { lower: from(upper), upper: from(lower), midpoint: from(midpoint) };
    },
  };
}

/** An exact log q draws nothing from its key. */
const exactKey: Key = { words: [0, 0] };

/** log [p / ((1/k)(w + S))], with w = p/q and log S given. */
function conditionalLogDensity(logP: number, logQ: number, logS: number, k: number): number {
  if (k === 1) return logQ; // also where p is zero and the ratio would be 0/0
  return logP === Number.NEGATIVE_INFINITY ? logP : logP + Math.log(k) - logAddExp(logP - logQ, logS);
}
