import type { Sequences } from "../data/sequences.js";
import { type DirichletParameters, dirichletFamily } from "../families/dirichletFamily.js";
import { klDivergence } from "../families/exponentialFamily.js";
import type { Emissions } from "./emissions.js";
import { uniforms } from "./randomStart.js";

/**
 * Categorical emissions with unknown probabilities: `x_t | z_t = k ~ Categorical(β_k)`, `β_k ~ Dirichlet(η)`, x_t one of 0, …, V − 1.
 *
 * They start from every symbol split at random between the states.
 *
 * @param options.states - K ≥ 1.
 * @param options.symbols - V ≥ 2.
 * @param options.concentration - η of each symbol, positive.
 * @throws RangeError if K is no positive integer, V < 2 or η is not positive; from its functions, if an observation is no symbol (the error names the first).
 * Source: MacKay 1997, "Ensemble learning for hidden Markov models".
 */
export function categoricalEmissions(options: {
  readonly states: number;
  readonly symbols: number;
  readonly concentration: number;
}): Emissions<DirichletParameters> {
  const { states: K, symbols: V, concentration } = options;
  if (!Number.isInteger(K) || K < 1)
    throw new RangeError(`categoricalEmissions: states must be a positive integer, not ${K}.`);
  const family = dirichletFamily(V);
  const ofState = (natural: Float64Array, k: number): Float64Array => natural.subarray(k * V, (k + 1) * V);
  const each = <T>(f: (k: number) => T): T[] => Array.from({ length: K }, (_, k) => f(k));
  const check = ({ columns, values }: Sequences): void => {
    if (columns !== 1)
      throw new RangeError(`categoricalEmissions: an observation is one symbol, but here it has ${columns} columns.`);
    const bad = values.findIndex((x) => !Number.isInteger(x) || x < 0 || x >= V);
    if (bad !== -1) {
      throw new RangeError(
        `categoricalEmissions: observation ${bad} is ${values[bad]}, but symbols are 0 to ${V - 1}.`,
      );
    }
  };
  const natural = (parameters: readonly DirichletParameters[]): Float64Array => {
    if (parameters.length !== K)
      throw new RangeError(
        `categoricalEmissions: natural takes the parameters of ${K} states, not ${parameters.length}.`,
      );
    const out = new Float64Array(K * V);
    for (const [k, one] of parameters.entries()) out.set(family.natural(one), k * V);
    return out;
  };
  return {
    name: "Categorical",
    settings: {}, // all is in the prior
    states: K,
    columns: 1,
    logBase: 0,
    prior: natural(each(() => ({ concentration: new Float64Array(V).fill(concentration) }))),
    logNormaliser: (natural) => each((k) => family.logNormaliser(ofState(natural, k))).reduce((a, b) => a + b),
    kl: (q, p) => each((k) => klDivergence(family, ofState(q, k), ofState(p, k))).reduce((a, b) => a + b),
    expectedLogDensities: (natural, batch) => {
      check(batch);
      const means = each((k) => family.mean(ofState(natural, k)));
      const out = new Float64Array(batch.values.length * K);
      for (let t = 0; t < batch.values.length; t++) {
        for (let k = 0; k < K; k++) out[t * K + k] = means[k][batch.values[t]];
      }
      return out;
    },
    statistics: ({ values }, weights) => {
      const out = new Float64Array(K * V);
      for (let t = 0; t < values.length; t++) {
        for (let k = 0; k < K; k++) out[k * V + values[t]] += weights[t * K + k];
      }
      return out;
    },
    start: (key, batch) => {
      check(batch);
      const shares = uniforms(key, V * K);
      for (let v = 0; v < V; v++) {
        const total = shares.subarray(v * K, (v + 1) * K).reduce((a, b) => a + b);
        for (let k = 0; k < K; k++) shares[v * K + k] /= total;
      }
      return Float64Array.from({ length: batch.values.length * K }, (_, i) => {
        return shares[batch.values[Math.floor(i / K)] * K + (i % K)];
      });
    },
    parameters: (natural) => each((k) => family.parameters(ofState(natural, k))),
    natural,
  };
}
