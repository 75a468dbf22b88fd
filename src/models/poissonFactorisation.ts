import type { SparseRows } from "../data/sparseRows.js";
import { digamma, logGamma } from "../diagnostics/specialFunctions.js";
import type { Key } from "../engine/random.js";
import { checkPositive } from "../families/exponentialFamily.js";
import type { GammaParameters } from "../families/gammaFamily.js";
import type { ConjugateModel, NaturalParameters } from "./conjugateModel.js";
import { expDigammaTable, topicTotals } from "./ldaWordTable.js";
import { userStep } from "./poissonUser.js";
import { uniforms } from "./randomStart.js";

/** q(β), a gamma for each item and component. The rate of a component is the same for all items, since their prior's is and what is added to it is. */
export interface PoissonFactorsGlobal extends NaturalParameters {
  /** `[V · K]`: the shapes of item 0 in every component, then those of item 1, … */
  readonly shapes: Float64Array;
  /** `[K]`; the natural parameter is its negative, which mixes and adds alike. */
  readonly rates: Float64Array;
}

/** q(θ) of every user of a batch, a gamma for each component. */
export interface PoissonFactorsLocal {
  /** `[size · K]`, row by row. */
  readonly shapes: Float64Array;
  /** `[K]`, alike for all users. */
  readonly rates: Float64Array;
}

/** Options of {@link poissonFactorisation}. */
export interface PoissonFactorisationOptions {
  /** K, 1 to 500. */
  readonly components: number;
  /** V, items. */
  readonly items: number;
  /** The prior of each θ_uk, what a user does of component k. */
  readonly users: GammaParameters;
  /** The prior of each β_ik, what an item has of component k. */
  readonly itemPrior: GammaParameters;
  /** A user is done when the shapes change by less, on the average over components. Default 1e-3. */
  readonly tolerance?: number;
  /** Updates of a user at most. Default 100. */
  readonly maxUpdates?: number;
}

/** The model, and how to start and read it. */
export interface PoissonFactorisation extends ConjugateModel<PoissonFactorsGlobal, SparseRows, PoissonFactorsLocal> {
  /** K. */
  readonly components: number;
  /** V. */
  readonly items: number;
  /** Every β near its prior mean, with a bias of its own. */
  start(key: Key): PoissonFactorsGlobal;
  /** E[β], `[V · K]`, items row by row. */
  itemFactors(global: PoissonFactorsGlobal): Float64Array;
  /** E[θ], `[size · K]`, users row by row. */
  userFactors(local: PoissonFactorsLocal): Float64Array;
  /** `E[θ_u] · E[β_i]` at every entry of a matrix of the same users, in its order; its values are not read. */
  expectedCounts(global: PoissonFactorsGlobal, local: PoissonFactorsLocal, at: SparseRows): Float64Array;
}

/**
 * Poisson factorisation of sparse counts: `θ_uk ~ Gamma(users)`, `β_ik ~ Gamma(itemPrior)`, `y_ui ~ Poisson(θ_u · β_i)`; a datum is a user's row.
 *
 * A count is a sum of hidden ones, `y_ui = Σ_k z_uik`, `z_uik ~ Poisson(θ_uk β_ik)`; given y they are multinomial, and q(z) q(θ) q(β) is conjugate:
 * `φ_uik ∝ exp(E[log θ_uk] + E[log β_ik])`, θ_uk has shape a + Σ_i y_ui φ_uik and rate b + Σ_i E[β_ik], and β_ik gets Σ_u y_ui φ_uik and Σ_u E[θ_uk].
 * Only counts that are not 0 are visited: the others enter by `Σ_i E[β_ik]` alone.
 *
 * The local step iterates φ and the shapes from an even start, and from an earlier q(θ) where that ends higher, as in LDA.
 *
 * @throws RangeError if an option is out of range; from its functions, if a batch is empty, has another number of items or a value that is no count.
 * Source: Gopalan, Hofman & Blei 2015, "Scalable recommendation with hierarchical Poisson factorization" (without its hierarchy); Cemgil 2009, "Bayesian inference for
 *   nonnegative matrix factorisation models".
 */
export function poissonFactorisation(options: PoissonFactorisationOptions): PoissonFactorisation {
  const { components: K, items: V, users, itemPrior, tolerance = 1e-3, maxUpdates = 100 } = options;
  for (const [name, value, most] of [
    ["components", K, 500],
    ["items", V, Infinity],
    ["maxUpdates", maxUpdates, Infinity],
  ] as const) {
    if (!Number.isInteger(value) || value < 1 || value > most) {
      const range = most === Infinity ? "a positive integer" : `an integer from 1 to ${most}`;
      throw new RangeError(`poissonFactorisation: ${name} must be ${range}, not ${value}.`);
    }
  }
  checkPositive("poissonFactorisation: the tolerance", [tolerance]);
  for (const [name, prior] of Object.entries({ users, itemPrior })) {
    checkPositive(`poissonFactorisation: the shape of ${name}`, [prior.shape]);
    checkPositive(`poissonFactorisation: the rate of ${name}`, [prior.rate]);
  }
  const prior: PoissonFactorsGlobal = {
    shapes: new Float64Array(V * K).fill(itemPrior.shape),
    rates: new Float64Array(K).fill(itemPrior.rate),
  };
  return {
    name: "Poisson factorisation",
    settings: {
      components: K,
      items: V,
      "shape of users": users.shape,
      "rate of users": users.rate,
      tolerance,
      maxUpdates,
    },
    components: K,
    items: V,
    prior,
    kl: (global, from = prior) => gammaKls(global, from),
    local: (global, batch, from) => {
      checkCounts(batch, V);
      if (from && from.shapes.length !== batch.size * K) {
        throw new RangeError(
          `poissonFactorisation: the earlier q(θ) is of ${from.shapes.length / K} users, not of these ${batch.size}.`,
        );
      }
      const totals = topicTotals(global.shapes, V, K);
      const rates = totals.map((total, k) => users.rate + total / global.rates[k]);
      const factors = rates.map((rate, k) => 1 / (rate * global.rates[k]));
      const table = expDigammaTable({ shapes: global.shapes, indices: batch.indices, columns: V, factors });
      const gathered = new Float64Array(table.rows.length);
      const shapes = evenShapes(batch, K, users.shape);
      const priors = { priorShape: users.shape, priorRate: users.rate };
      const step = userStep({
        counts: batch,
        table,
        gathered,
        shapes,
        rates,
        earlier: from,
        ...priors,
        tolerance,
        maxUpdates,
      });
      let bound = 0;
      for (let u = 0; u < batch.size; u++) bound += step(u);
      const statistics = { shapes: new Float64Array(V * K), rates: new Float64Array(K) };
      for (let u = 0; u < table.words.length; u++) {
        const [at, to] = [u * K, table.words[u] * K];
        for (let k = 0; k < K; k++) statistics.shapes[to + k] = gathered[at + k] * table.rows[at + k];
      }
      for (let u = 0; u < batch.size; u++) {
        for (let k = 0; k < K; k++) statistics.rates[k] += shapes[u * K + k] / rates[k];
      }
      return { statistics, bound, local: { shapes, rates } };
    },
    start: (key) => ({
      shapes: uniforms(key, V * K).map((u) => itemPrior.shape + 0.5 + u),
      rates: new Float64Array(K).fill((itemPrior.rate * (itemPrior.shape + 1)) / itemPrior.shape),
    }),
    itemFactors: means,
    userFactors: means,
    expectedCounts: (global, local, at) => {
      const [theta, beta] = [means(local), means(global)];
      if (at.size * K !== theta.length || at.columns !== V) {
        throw new RangeError(
          `poissonFactorisation: expected counts are of the ${theta.length / K} users of q(θ) and ${V} items, not of ${at.size} and ${at.columns}.`,
        );
      }
      const out = new Float64Array(at.values.length);
      for (let u = 0; u < at.size; u++) {
        for (let e = at.offsets[u]; e < at.offsets[u + 1]; e++) {
          for (let k = 0; k < K; k++) out[e] += theta[u * K + k] * beta[at.indices[e] * K + k];
        }
      }
      return out;
    },
  };
}

/** Shape over rate, of gammas whose rates are those of their column. */
function means({ shapes, rates }: { readonly shapes: Float64Array; readonly rates: Float64Array }): Float64Array {
  return shapes.map((shape, i) => shape / rates[i % rates.length]);
}

/** Every user's counts given to the components in equal parts. */
function evenShapes({ size, offsets, values }: SparseRows, K: number, priorShape: number): Float64Array {
  const out = new Float64Array(size * K);
  for (let u = 0; u < size; u++) {
    let total = 0;
    for (let e = offsets[u]; e < offsets[u + 1]; e++) total += values[e];
    out.fill(priorShape + total / K, u * K, (u + 1) * K);
  }
  return out;
}

/** Σ KL(Gamma(s, r) ‖ Gamma(a, b)) = Σ (s − a) ψ(s) − log Γ(s) + log Γ(a) + a log(r/b) + s (b − r)/r. */
function gammaKls(q: PoissonFactorsGlobal, p: PoissonFactorsGlobal): number {
  const K = q.rates.length;
  let kl = 0;
  let [last, logGammaOfLast] = [1, 0];
  for (let i = 0; i < q.shapes.length; i++) {
    const [s, r, a, b] = [q.shapes[i], q.rates[i % K], p.shapes[i], p.rates[i % K]];
    if (a !== last) [last, logGammaOfLast] = [a, logGamma(a)];
    kl += (s - a) * digamma(s) - logGamma(s) + logGammaOfLast + a * Math.log(r / b) + (s * (b - r)) / r;
  }
  return kl;
}

function checkCounts(batch: SparseRows, V: number): void {
  if (batch.size === 0) throw new RangeError("poissonFactorisation: the batch has no users; give it at least one.");
  if (batch.columns !== V)
    throw new RangeError(`poissonFactorisation: the batch has ${batch.columns} items, the model ${V}.`);
  for (let e = 0; e < batch.values.length; e++) {
    const y = batch.values[e];
    if (!(Number.isInteger(y) && y >= 0))
      throw new RangeError(`poissonFactorisation: entry ${e} of the batch is ${y}, but must be a count.`);
  }
}
