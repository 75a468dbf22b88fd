import type { Corpus } from "../data/ldaC.js";
import { breathe } from "../engine/interrupt.js";
import type { Key } from "../engine/random.js";
import type { LatentDirichletAllocation } from "../models/latentDirichletAllocation.js";
import { uniforms } from "../models/randomStart.js";

/** One sweep of {@link collapsedLda}: a row of a table. */
export type CollapsedLdaPoint = {
  /** Sweeps through the corpus. */
  readonly sweep: number;
  /** The mean over tokens of Σ_k |φ_k − its value a sweep before|. */
  readonly change: number;
  /** Seconds since the start, without those of `onProgress`. */
  readonly seconds: number;
};

/** Where a run of {@link collapsedLda} stands. */
export interface CollapsedLdaState {
  /** φ, `[entries · K]`: q(topic) of every token of each entry (document, word) of the corpus. */
  readonly responsibilities: Float64Array;
  /** η + E[n_kw], `[V · K]`, words row by row, as `LdaGlobal.topics`. */
  readonly topics: Float64Array;
}

/** Options of {@link collapsedLda}. */
export interface CollapsedLdaOptions {
  /** K, V, α and η are its own; its local step is not used. */
  readonly model: LatentDirichletAllocation;
  /** Over the model's vocabulary. */
  readonly corpus: Corpus;
  /** CVB, to second order, or CVB0, which puts expected counts for counts. */
  readonly order: "second" | "zeroth";
  /** φ starts at random shares from here. */
  readonly key: Key;
  /** φ to start from instead, `[entries · K]`. */
  readonly start?: Float64Array;
  /** Stops when φ changes by less in a sweep, in the mean over tokens. Default 1e-4. */
  readonly tolerance?: number;
  /** Sweeps at most. Default 200. */
  readonly maxSweeps?: number;
  /** Called after every sweep, with what makes the state so far: the topics `[V · K]` and φ, as copies; what it returns is awaited. */
  readonly onProgress?: (point: CollapsedLdaPoint, state: () => CollapsedLdaState) => void | Promise<void>;
}

/** What {@link collapsedLda} returns; it has no bound. */
export interface CollapsedLdaResult extends CollapsedLdaState {
  /** α + E[n_dk], `[D · K]`, row by row. */
  readonly proportions: Float64Array;
  readonly trace: readonly CollapsedLdaPoint[];
  readonly converged: boolean;
}

/**
 * Collapsed variational Bayes for LDA: θ and β are integrated out, and q(z) = Π φ over tokens is brought to `φ_k ∝ exp E[log(α + n_dk) + log(η + n_kw) − log(Vη + n_k)]`, the counts
 * being those of all other tokens, Gaussian sums with means and variances Σ φ and Σ φ (1 − φ).
 *
 * CVB0 takes the logarithms at the mean counts; CVB adds the second-order terms `−Var[n] / (2 (a + E n)²)` of each. Both approximate the fixed point of the collapsed bound,
 * which is never below the bound of VB with the same q(z). *Neither is a bound nor raises one*: no ELBO is returned, and convergence is judged by φ. (The exact
 * collapsed bound of a tiny corpus is `exactLda`'s.)
 *
 * @throws RangeError if an option is out of range, the corpus has no words or another vocabulary than the model, or the start has another length or is no row of shares.
 * Source: Teh, Newman & Welling 2007, "A collapsed variational Bayesian inference algorithm for latent Dirichlet allocation"; Asuncion, Welling, Smyth & Teh 2009, "On smoothing and
 *   inference for topic models" (CVB0).
 */
export async function collapsedLda(options: CollapsedLdaOptions): Promise<CollapsedLdaResult> {
  const { model, corpus, order, key, tolerance = 1e-4, maxSweeps = 200, onProgress } = options;
  const { topics: K, alpha, eta } = model;
  check(options, tolerance, maxSweeps);
  const { size: D, vocabulary: V, offsets, words, counts } = corpus;
  const second = order === "second";
  let began = performance.now();
  const phi = options.start ? Float64Array.from(options.start) : randomShares(key, words.length, K);
  // Means of the counts, and their variances.
  const [inDocument, ofWord, inTopic] = [new Float64Array(D * K), new Float64Array(V * K), new Float64Array(K)];
  const [varDocument, varWord, varTopic] = [new Float64Array(D * K), new Float64Array(V * K), new Float64Array(K)];
  const add = (d: number, entry: number, k: number, share: number, weight: number): void => {
    const mean = weight * share;
    inDocument[d * K + k] += mean;
    ofWord[words[entry] * K + k] += mean;
    inTopic[k] += mean;
    if (!second) return;
    const variance = mean * (1 - share);
    varDocument[d * K + k] += variance;
    varWord[words[entry] * K + k] += variance;
    varTopic[k] += variance;
  };
  let tokens = 0;
  for (let d = 0; d < D; d++)
    for (let e = offsets[d]; e < offsets[d + 1]; e++) {
      tokens += counts[e];
      for (let k = 0; k < K; k++) add(d, e, k, phi[e * K + k], counts[e]);
    }
  const next = new Float64Array(K);
  const trace: CollapsedLdaPoint[] = [];
  let converged = false;
  for (let sweep = 1; sweep <= maxSweeps && !converged; sweep++) {
    let change = 0;
    for (let d = 0; d < D; d++) {
      await breathe();
      for (let e = offsets[d]; e < offsets[d + 1]; e++) {
        let total = 0;
        for (let k = 0; k < K; k++) {
          const share = phi[e * K + k];
          const own = share * (1 - share);
          // Without one token of this entry; its other tokens stay.
          const a = alpha + inDocument[d * K + k] - share;
          const b = eta + ofWord[words[e] * K + k] - share;
          const c = V * eta + inTopic[k] - share;
          let value = (a * b) / c;
          if (second) {
            value *= Math.exp(
              -(varDocument[d * K + k] - own) / (2 * a * a) -
                (varWord[words[e] * K + k] - own) / (2 * b * b) +
                (varTopic[k] - own) / (2 * c * c),
            );
          }
          next[k] = value;
          total += value;
        }
        for (let k = 0; k < K; k++) {
          const [before, after] = [phi[e * K + k], next[k] / total];
          change += counts[e] * Math.abs(after - before);
          add(d, e, k, before, -counts[e]);
          add(d, e, k, after, counts[e]);
          phi[e * K + k] = after;
        }
      }
    }
    const point = { sweep, change: change / tokens, seconds: (performance.now() - began) / 1000 };
    trace.push(point);
    converged = point.change < tolerance;
    const away = performance.now();
    await onProgress?.(point, () => ({
      responsibilities: Float64Array.from(phi),
      topics: ofWord.map((n) => eta + n),
    }));
    began += performance.now() - away;
  }
  return {
    responsibilities: phi,
    topics: ofWord.map((n) => eta + n),
    proportions: inDocument.map((n) => alpha + n),
    trace,
    converged,
  };
}

function randomShares(key: Key, rows: number, K: number): Float64Array {
  const shares = uniforms(key, rows * K);
  for (let row = 0; row < rows; row++) {
    let total = 0;
    for (let k = 0; k < K; k++) total += shares[row * K + k];
    for (let k = 0; k < K; k++) shares[row * K + k] /= total;
  }
  return shares;
}

function check(options: CollapsedLdaOptions, tolerance: number, maxSweeps: number): void {
  const { corpus, start } = options;
  const { topics: K, vocabulary: V } = options.model;
  if (!(tolerance >= 0)) throw new RangeError(`collapsedLda: the tolerance must be ≥ 0, not ${tolerance}.`);
  if (!Number.isInteger(maxSweeps) || maxSweeps < 1)
    throw new RangeError(`collapsedLda: maxSweeps must be a positive integer, not ${maxSweeps}.`);
  const entries = corpus.words.length;
  if (entries === 0) throw new RangeError("collapsedLda: the corpus has no words; give it at least one.");
  if (corpus.vocabulary !== V)
    throw new RangeError(
      `collapsedLda: the corpus has a vocabulary of ${corpus.vocabulary} words, the model one of ${V}.`,
    );
  if (!start) return;
  if (start.length !== entries * K)
    throw new RangeError(
      `collapsedLda: the start must have ${K} shares for each of ${entries} entries, not ${start.length} numbers.`,
    );
  for (let e = 0; e < entries; e++) {
    const row = start.subarray(e * K, (e + 1) * K);
    if (!row.every((share) => share >= 0) || Math.abs(row.reduce((a, b) => a + b, 0) - 1) > 1e-9)
      throw new RangeError(`collapsedLda: the start's shares of entry ${e} are not positive numbers that sum to 1.`);
  }
}
