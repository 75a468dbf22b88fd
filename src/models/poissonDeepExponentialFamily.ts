import type { Corpus } from "../data/ldaC.js";
import { logGamma } from "../diagnostics/specialFunctions.js";
import { coordinateLogProb } from "../distributions/exponentialMember.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import type { Family } from "../families/family.js";
import {
  type MeanFieldPoissonGammaOptions,
  type MeanFieldPoissonGammaParameters,
  meanFieldPoissonGamma,
} from "../families/meanFieldPoissonGamma.js";
import { lgamma } from "../ops/lgamma.js";
import { withFactors } from "./factorisedProblem.js";
import type { ReplaceableProblem } from "./factorReplacement.js";
import { denseLink, entriesOf, type LinkAt, type LinkTerms, sparseLink } from "./poissonLink.js";
import { densityProblem, type NoParameters } from "./problem.js";

/** Options of {@link poissonDeepExponentialFamily}. */
export interface PoissonDeepExponentialFamilyOptions {
  /** D documents over V words. */
  readonly corpus: Corpus;
  /** K_1, …, K_L: the factors of each hidden layer, from the words upwards. */
  readonly layers: readonly number[];
  /** α_w, the shape of a weight's gamma prior. Default 0.1. */
  readonly weightShape?: number;
  /** β_w, its rate. Default 0.3. */
  readonly weightRate?: number;
  /** λ_z, the mean of the top layer's counts. Default 0.1. */
  readonly topRate?: number;
  /** ε, what every rate has at least. Default 1e-3. */
  readonly floor?: number;
  /** Where q starts. */
  readonly start?: Omit<MeanFieldPoissonGammaOptions, "counts" | "positives" | "batchSize">;
}

/** A {@link poissonDeepExponentialFamily} with its mean-field q. */
export interface PoissonDeepExponentialFamily {
  /** How many hidden variables there are: D Σ_l K_l counts, then K_1 V + Σ_l K_l K_{l+1} weights. */
  readonly dimension: number;
  readonly family: Family<MeanFieldPoissonGammaParameters>;
  /** The problem, its Markov blankets declared, each coordinate replaceable by itself. */
  readonly problem: ReplaceableProblem<NoParameters, MeanFieldPoissonGammaParameters>;
  /** z, `[K, 1, dimension]`, taken apart: counts of every layer `[K, D, K_l]`, and weights into the words and every lower layer `[K, K_{l+1}, K_l]`. */
  unknowns(z: Tensor3D): { readonly counts: Tensor3D[]; readonly weights: Tensor3D[] };
  /** E_q[ε + Σ_k z_dk w_kv], the words' mean rates, `[D, V]`; exact, since q is a product. */
  meanRates(phi: MeanFieldPoissonGammaParameters): Tensor2D;
}

/**
 * The Poisson deep exponential family: layers of counts over documents, each the parents of the one below by gamma weights,
 *
 * w^(l)_jk ~ Gamma(α_w, β_w), z^(L)_dk ~ Poisson(λ_z), z^(l)_dk ~ Poisson(ε + Σ_j z^(l+1)_dj w^(l)_jk), x_dv ~ Poisson(ε + Σ_k z^(1)_dk w^(0)_kv).
 *
 * The floor ε > 0 is not in the papers, but their ELBO is −∞ without it: under a mean-field q all parents of a count are 0 with positive probability, and then it would have
 * to be 0 too. q is Poisson for the counts and gamma for the weights, all independent. A blanket holds a count's own term and those of its children, which are as many as the
 * layer below is wide; a weight's, one column of the counts.
 *
 * @throws Error if the corpus holds no words, a size is not a positive integer, or a rate, a shape or the floor is not positive.
 * Source: Ranganath, Tang, Charlin & Blei 2015, "Deep exponential families"; Ruiz, Titsias & Blei 2016, section 4.1, whose α_w, β_w and λ_z are the defaults.
 */
export function poissonDeepExponentialFamily(
  options: PoissonDeepExponentialFamilyOptions,
): PoissonDeepExponentialFamily {
  const { corpus, layers, weightShape = 0.1, weightRate = 0.3, topRate = 0.1, floor = 1e-3, start } = options;
  checkOptions({ weightShape, weightRate, topRate, floor }, layers);
  const { size: D, vocabulary: V } = corpus;
  const entries = entriesOf(corpus);
  if (entries.counts.length === 0)
    throw new Error("poissonDeepExponentialFamily: the corpus holds no words; give at least one document with a word.");
  const L = layers.length;
  const widths = [V, ...layers.slice(0, -1)]; // what the weights of layer l lead to
  const counted = layers.map((factors) => D * factors);
  const weighed = layers.map((factors, l) => factors * widths[l]);
  const [N, P] = [counted, weighed].map((sizes) => sizes.reduce((sum, size) => sum + size, 0));
  const family = meanFieldPoissonGamma({ ...start, counts: N, positives: P });

  const unknowns = (z: Tensor3D): { counts: Tensor3D[]; weights: Tensor3D[] } => {
    const pieces = tf.split(z, [...counted, ...weighed], 2);
    return {
      counts: layers.map((factors, l) => tf.reshape(pieces[l], [-1, D, factors])),
      weights: layers.map((factors, l) => tf.reshape(pieces[L + l], [-1, factors, widths[l]])),
    };
  };
  /** The link below each layer, at z, and with z′ in the place of each coordinate by itself where it is given. */
  const linksOf = (z: Tensor3D, proposed?: Tensor3D): LinkTerms[] => {
    const { counts, weights } = unknowns(z);
    const other = proposed && unknowns(proposed);
    return layers.map((_, l) => {
      const at: LinkAt = { parents: counts[l], weights: weights[l] };
      const exchange = other && { parents: other.counts[l], weights: other.weights[l] };
      return l === 0 ? sparseLink(at, entries, floor, exchange) : denseLink(at, counts[l - 1], floor, exchange);
    });
  };
  /** log p(z_dk | parents) but for what does not hold z_dk, `[K, D, K_l]`, with the parents as they are. */
  const own = (l: number, value: Tensor, { counts, weights }: { counts: Tensor3D[]; weights: Tensor3D[] }): Tensor => {
    const logRate = l === L - 1 ? Math.log(topRate) : tf.log(tf.add(floor, tf.matMul(counts[l + 1], weights[l + 1]))); // [K, D, K_l]
    return tf.sub(tf.mul(value, logRate), lgamma(tf.add(value, 1)));
  };
  const logPrior = (weights: Tensor): Tensor =>
    tf.sub(tf.mul(weightShape - 1, tf.log(weights)), tf.mul(weightRate, weights));
  const normaliser = P * (weightShape * Math.log(weightRate) - logGamma(weightShape)) - D * layers[L - 1] * topRate;
  const blankets = (z: Tensor3D, proposed?: Tensor3D): Tensor3D =>
    tf.tidy(() => {
      const links = linksOf(z, proposed);
      const at = unknowns(z);
      const value = proposed ? unknowns(proposed) : at;
      const ofCounts = value.counts.map((count, l) => tf.add(own(l, count, at), links[l].ofParents));
      const ofWeights = value.weights.map((weight, l) => tf.add(logPrior(weight), links[l].ofWeights));
      const flat = [...ofCounts, ...ofWeights].map((terms) => tf.reshape(terms, [z.shape[0], 1, -1]));
      return tf.concat(flat, 2) as Tensor3D;
    });
  const factorised = withFactors({
    problem: densityProblem({
      family,
      logDensity: (z) => {
        const at = unknowns(z);
        const top = tf.sum(own(L - 1, at.counts[L - 1], at), [1, 2]);
        const prior = at.weights.map((weight) => tf.sum(logPrior(weight), [1, 2]));
        const all = [top, ...prior, ...linksOf(z).map(({ logP }) => logP)];
        return tf.reshape(tf.add(tf.addN(all), normaliser), [-1, 1]);
      },
    }),
    factors: (_theta: NoParameters, phi: MeanFieldPoissonGammaParameters, z: Tensor3D) => ({
      logP: blankets(z),
      logQ: coordinateLogProb(family.distribution(phi), z) as Tensor3D,
    }),
  });
  return {
    dimension: N + P,
    family,
    problem: { ...factorised, replaced: (_theta, _phi, z, proposed) => blankets(z, proposed) },
    unknowns,
    meanRates: (phi) =>
      tf.tidy(() => {
        const { counts, weights } = unknowns(tf.expandDims(family.distribution(phi).mean(), 0) as Tensor3D);
        return tf.add(floor, tf.squeeze(tf.matMul(counts[0], weights[0]), [0])) as Tensor2D;
      }),
  };
}

function checkOptions(positive: Readonly<Record<string, number>>, layers: readonly number[]): void {
  for (const [name, value] of Object.entries(positive)) {
    if (!(value > 0 && Number.isFinite(value)))
      throw new Error(`poissonDeepExponentialFamily: ${name} must be positive and finite, not ${value}.`);
  }
  if (layers.length === 0 || layers.some((factors) => !Number.isInteger(factors) || factors < 1))
    throw new Error(
      `poissonDeepExponentialFamily: layers must be one or more positive integers, from the words upwards, not [${layers.join(", ")}].`,
    );
}
