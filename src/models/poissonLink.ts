import type { Corpus } from "../data/ldaC.js";
import { logGamma } from "../diagnostics/specialFunctions.js";
import { type Tensor, type Tensor3D, tf } from "../engine/tf.js";
import { lgamma } from "../ops/lgamma.js";
import { segmentSum } from "../ops/segmentSum.js";

/** What a layer of counts c_dn ~ Poisson(ε + Σ_j z_dj w_jn) hangs on. */
export interface LinkAt {
  /** z, `[K, D, J]`. */
  readonly parents: Tensor3D;
  /** w, `[K, J, n]`. */
  readonly weights: Tensor3D;
}

/** The terms of a layer of counts. */
export interface LinkTerms {
  /** Σ_dn log p(c_dn | z, w), `[K]`. */
  readonly logP: Tensor;
  /** What of it holds each z_dj, Σ_n [c_dn log rate_dn − z_dj w_jn], `[K, D, J]`. */
  readonly ofParents: Tensor;
  /** What of it holds each w_jn, Σ_d [c_dn log rate_dn − z_dj w_jn], `[K, J, n]`. */
  readonly ofWeights: Tensor;
}

/**
 * The terms of counts that are themselves drawn, `[K, D, n]`: a hidden layer.
 *
 * @param at parents and weights as they are.
 * @param proposed where given, `ofParents` and `ofWeights` are of each by itself replaced by these.
 */
export function denseLink(at: LinkAt, counts: Tensor3D, floor: number, proposed: LinkAt | undefined): LinkTerms {
  const { parents, weights } = at;
  const rates = tf.add(floor, tf.matMul(parents, weights)); // [K, D, n]
  const explained = tf.mul(counts, tf.log(rates));
  const logP = tf.sum(tf.sub(tf.sub(explained, rates), lgamma(tf.add(counts, 1))), [1, 2]);
  const [own, shared] = [proposed?.parents ?? parents, proposed?.weights ?? weights];
  const mass = { ofParents: tf.mul(own, perParent(weights)), ofWeights: tf.mul(shared, perWeight(parents)) };
  if (!proposed) {
    return {
      logP,
      ofParents: tf.sub(tf.sum(explained, 2, true), mass.ofParents),
      ofWeights: tf.sub(tf.sum(explained, 1, true), mass.ofWeights),
    };
  }
  const [z, w] = [tf.expandDims(parents, 3), tf.expandDims(weights, 1)]; // [K, D, J, 1] and [K, 1, J, n]
  const explains = (change: Tensor): Tensor =>
    tf.mul(tf.expandDims(counts, 2), tf.log(atLeast(floor, tf.add(tf.expandDims(rates, 2), change))));
  return {
    logP,
    ofParents: tf.sub(tf.sum(explains(tf.mul(tf.sub(tf.expandDims(own, 3), z), w)), 3), mass.ofParents),
    ofWeights: tf.sub(tf.sum(explains(tf.mul(z, tf.sub(tf.expandDims(shared, 1), w))), 1), mass.ofWeights),
  };
}

/**
 * The terms of observed counts, of which most are 0: the logs are taken at the entries alone.
 *
 * @param corpus D documents over n words.
 */
export function sparseLink(at: LinkAt, corpus: CorpusEntries, floor: number, proposed: LinkAt | undefined): LinkTerms {
  const { parents, weights } = at;
  const [D, n] = [parents.shape[1], weights.shape[2]];
  const { documents, words, counts, logFactorials } = corpus;
  const [docs, vocabulary] = [tf.tensor1d(documents, "int32"), tf.tensor1d(words, "int32")];
  // The entries come first, so that one can gather and add up along the first axis.
  const byEntry = {
    parents: (x: Tensor3D): Tensor => tf.gather(tf.transpose(x, [1, 0, 2]), docs), // [entries, K, J]
    weights: (x: Tensor3D): Tensor => tf.gather(tf.transpose(x, [2, 0, 1]), vocabulary),
  };
  const toParents = (x: Tensor): Tensor => tf.transpose(segmentSum(x, docs, D), [1, 0, 2]);
  const toWeights = (x: Tensor): Tensor => tf.transpose(segmentSum(x, vocabulary, n), [1, 2, 0]);
  const [z, w] = [byEntry.parents(parents), byEntry.weights(weights)];
  const rates = tf.add(floor, tf.sum(tf.mul(z, w), 2, true)); // [entries, K, 1]
  const seen = tf.tensor3d(counts, [counts.length, 1, 1]);
  const explained = tf.mul(seen, tf.log(rates));
  const total = tf.sum(tf.mul(tf.sum(parents, 1), tf.sum(weights, 2)), 1);
  const constant = logFactorials + floor * D * n;
  const logP = tf.sub(tf.sub(tf.sum(explained, [0, 2]), total), constant);
  const [own, shared] = [proposed?.parents ?? parents, proposed?.weights ?? weights];
  const mass = { ofParents: tf.mul(own, perParent(weights)), ofWeights: tf.mul(shared, perWeight(parents)) };
  if (!proposed) {
    return {
      logP,
      ofParents: tf.sub(toParents(explained), mass.ofParents),
      ofWeights: tf.sub(toWeights(explained), mass.ofWeights),
    };
  }
  const explains = (change: Tensor): Tensor => tf.mul(seen, tf.log(atLeast(floor, tf.add(rates, change))));
  return {
    logP,
    ofParents: tf.sub(toParents(explains(tf.mul(tf.sub(byEntry.parents(own), z), w))), mass.ofParents),
    ofWeights: tf.sub(toWeights(explains(tf.mul(z, tf.sub(byEntry.weights(shared), w)))), mass.ofWeights),
  };
}

/** A corpus, an entry at a time. */
export interface CorpusEntries {
  /** The document of each entry, its word and its count. */
  readonly documents: number[];
  readonly words: number[];
  readonly counts: number[];
  /** Σ log c!. */
  readonly logFactorials: number;
}

/** The entries of a corpus. */
export function entriesOf(corpus: Corpus): CorpusEntries {
  const documents: number[] = [];
  for (let d = 0; d < corpus.size; d++) {
    for (let i = corpus.offsets[d]; i < corpus.offsets[d + 1]; i++) documents.push(d);
  }
  const counts = Array.from(corpus.counts);
  const logFactorials = counts.reduce((sum, count) => sum + logGamma(count + 1), 0);
  return { documents, words: Array.from(corpus.words), counts, logFactorials };
}

/** Σ_n w_jn, `[K, 1, J]`: the rate that one more of a parent adds. */
function perParent(weights: Tensor3D): Tensor {
  return tf.expandDims(tf.sum(weights, 2), 1);
}

/** Σ_d z_dj, `[K, J, 1]`. */
function perWeight(parents: Tensor3D): Tensor {
  return tf.expandDims(tf.sum(parents, 1), 2);
}

/** A rate from which a change was taken is no smaller than the floor, whatever rounding says. */
function atLeast(floor: number, rates: Tensor): Tensor {
  return tf.maximum(rates, floor);
}
