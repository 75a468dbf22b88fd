import type { Sequences } from "../data/sequences.js";
import type { Key } from "../engine/random.js";
import { dirichletFamily } from "../families/dirichletFamily.js";
import { klDivergence } from "../families/exponentialFamily.js";
import { type ConjugateModel, globalStep, type NaturalParameters } from "./conjugateModel.js";
import type { Emissions } from "./emissions.js";
import { chainSmoother } from "./forwardBackward.js";

/** q(π) q(A) q(emissions), in natural parameters. */
export interface HmmGlobal extends NaturalParameters {
  /** The concentration of the first state's probabilities, `[K]`. */
  readonly initial: Float64Array;
  /** The concentrations of every state's row of transitions, `[K · K]`. */
  readonly transitions: Float64Array;
  /** What the emissions make of it, `[K · size]`. */
  readonly emissions: Float64Array;
}

/** Options of {@link hiddenMarkovModel}. */
export interface HiddenMarkovModelOptions<Parameters> {
  /** `gaussianEmissions` or `categoricalEmissions`, of K ≥ 2 states. */
  readonly emissions: Emissions<Parameters>;
  /** The concentration of each state as the first, positive. Default 1. */
  readonly initial?: number;
  /** The concentration of each transition, positive. Default 1. */
  readonly transition?: number;
  /** What staying in a state has more, ≥ 0. Default 0. */
  readonly stickiness?: number;
}

/** The model, and how to start and read it. */
export interface HiddenMarkovModel<Parameters> extends ConjugateModel<HmmGlobal, Sequences, never> {
  /** K. */
  readonly states: number;
  readonly emissions: Emissions<Parameters>;
  /** The update of the emissions from the states that their `start` gives, with the prior's transitions. */
  start(key: Key, batch: Sequences): HmmGlobal;
  /** q(z_t = k), `[observations · K]`, row by row. */
  marginals(global: HmmGlobal, batch: Sequences): Float64Array;
  /** E[π], `[K]`, E[A], `[K · K]`, and the parameters of every state's emission. */
  parameters(global: HmmGlobal): {
    readonly initial: Float64Array;
    readonly transitions: Float64Array;
    readonly emissions: readonly Parameters[];
  };
}

/**
 * Hidden Markov model: `z_1 ~ π`, `z_{t+1} ~ A_{z_t}`, x_t from the emission of z_t; π and the rows of A Dirichlet, emissions conjugate; a datum is a whole sequence.
 *
 * Inference is structured: q(z) is a chain, not a product over times. It is exact given q(θ), by forward–backward on `exp E[log π]`, `exp E[log A]` and `exp E[log p(x_t | k)]`,
 * and its bound is the log of their normaliser.
 *
 * @throws RangeError if there are fewer than two states or a concentration is out of range; from its functions, as the emissions do.
 * Source: MacKay 1997, "Ensemble learning for hidden Markov models"; Beal 2003, "Variational algorithms for approximate Bayesian inference", chapter 3; minibatches of
 *   sequences: Hoffman, Blei, Wang & Paisley 2013, section 2, and Johnson & Willsky 2014, "Stochastic variational inference for Bayesian time series models".
 */
export function hiddenMarkovModel<Parameters>(
  options: HiddenMarkovModelOptions<Parameters>,
): HiddenMarkovModel<Parameters> {
  const { emissions, initial = 1, transition = 1, stickiness = 0 } = options;
  const K = emissions.states;
  if (!(K >= 2)) throw new RangeError(`hiddenMarkovModel: give emissions of at least two states, not ${K}.`);
  if (!(stickiness >= 0 && stickiness < Infinity))
    throw new RangeError(`hiddenMarkovModel: stickiness must be finite and ≥ 0, not ${stickiness}.`);
  const family = dirichletFamily(K);
  const evenly = (concentration: number): Float64Array =>
    family.natural({ concentration: new Float64Array(K).fill(concentration) });
  const row = evenly(transition);
  const prior: HmmGlobal = {
    initial: evenly(initial),
    transitions: Float64Array.from({ length: K * K }, (_, i) => row[i % K] + (i % (K + 1) === 0 ? stickiness : 0)),
    emissions: emissions.prior,
  };
  const rowOf = (table: Float64Array, k: number): Float64Array => table.subarray(k * K, (k + 1) * K);
  const rows = (table: Float64Array, f: (row: Float64Array) => Float64Array): Float64Array => {
    const out = new Float64Array(K * K);
    for (let k = 0; k < K; k++) out.set(f(rowOf(table, k)), k * K);
    return out;
  };
  const smoothAll = (global: HmmGlobal, batch: Sequences) => {
    if (batch.size === 0) throw new RangeError("hiddenMarkovModel: the batch has no sequences; give it at least one.");
    const logEmissions = emissions.expectedLogDensities(global.emissions, batch);
    const smooth = chainSmoother(family.mean(global.initial), rows(global.transitions, family.mean));
    const marginals = new Float64Array(logEmissions.length);
    const [first, pairs] = [new Float64Array(K), new Float64Array(K * K)];
    let bound = 0;
    for (let s = 0; s < batch.size; s++) {
      const [from, to] = [batch.offsets[s] * K, batch.offsets[s + 1] * K];
      bound += smooth(logEmissions.subarray(from, to), marginals.subarray(from, to), pairs);
      for (let k = 0; k < K; k++) first[k] += marginals[from + k];
    }
    return { bound, marginals, first, pairs };
  };
  const shares = (concentration: Float64Array): Float64Array => {
    const total = concentration.reduce((a, b) => a + b);
    return concentration.map((value) => value / total);
  };
  return {
    name: `Hidden Markov model, ${emissions.name.toLowerCase()} emissions`,
    settings: { states: K, ...emissions.settings },
    states: K,
    emissions,
    prior,
    kl: (global, from = prior) => {
      let total = klDivergence(family, global.initial, from.initial) + emissions.kl(global.emissions, from.emissions);
      for (let k = 0; k < K; k++)
        total += klDivergence(family, rowOf(global.transitions, k), rowOf(from.transitions, k));
      return total;
    },
    local: (global, batch) => {
      const { bound, marginals, first, pairs } = smoothAll(global, batch);
      return {
        statistics: { initial: first, transitions: pairs, emissions: emissions.statistics(batch, marginals) },
        bound,
      };
    },
    start: (key, batch) => {
      const statistics = {
        initial: new Float64Array(K),
        transitions: new Float64Array(K * K),
        emissions: emissions.statistics(batch, emissions.start(key, batch)),
      };
      return globalStep({ global: prior, prior, statistics, scale: 1, rate: 1 });
    },
    marginals: (global, batch) => smoothAll(global, batch).marginals,
    parameters: (global) => ({
      initial: shares(global.initial),
      transitions: rows(global.transitions, shares),
      emissions: emissions.parameters(global.emissions),
    }),
  };
}
