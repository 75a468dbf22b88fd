import type { Sequences } from "../data/sequences.js";
import type { Key } from "../engine/random.js";

/** How the states of a hidden Markov model emit what is observed: K conjugate families with their priors, one after another in one array. */
export interface Emissions<Parameters> {
  readonly name: string;
  /** What defines them beside their name and `prior`. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** K. */
  readonly states: number;
  /** Numbers in an observation. */
  readonly columns: number;
  /** log h(x) of one observation, which no parameter changes. */
  readonly logBase: number;
  /** The prior's natural parameters, `[K · size]`. */
  readonly prior: Float64Array;
  /** Σ_k A(η_k). */
  logNormaliser(natural: Float64Array): number;
  /** Σ_k KL(q_k ‖ p_k). */
  kl(q: Float64Array, p: Float64Array): number;
  /**
   * E_q[log p(x_t | state k)], `[observations · K]`.
   *
   * @throws RangeError if an observation does not fit.
   */
  expectedLogDensities(natural: Float64Array, batch: Sequences): Float64Array;
  /** Σ_t w_tk t(x_t) for every state, as `prior` is laid out; w is `[observations · K]`. */
  statistics(batch: Sequences, weights: Float64Array): Float64Array;
  /** Random weights `[observations · K]`, each row of sum 1, that tell the states apart. */
  start(key: Key, batch: Sequences): Float64Array;
  /** The usual parameters of every state. */
  parameters(natural: Float64Array): readonly Parameters[];
  /**
   * The inverse of `parameters`, `[K · size]`.
   *
   * @throws RangeError if they are not of K states, or one is out of range.
   */
  natural(parameters: readonly Parameters[]): Float64Array;
}
