import type { SparseRows } from "../data/sparseRows.js";
import { choleskyFactor, choleskyInverse, choleskySolve, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { digamma } from "../diagnostics/specialFunctions.js";
import type { Key } from "../engine/random.js";
import { checkPositive, klDivergence } from "../families/exponentialFamily.js";
import { type GammaParameters, gammaFamily } from "../families/gammaFamily.js";
import type { ConjugateModel, NaturalParameters } from "./conjugateModel.js";
import { uniforms } from "./randomStart.js";

/** q(v, τ) of all items' vectors and the noise: `v_i | τ ~ N(m_i, (τ P_i)⁻¹)`, `τ ~ Gamma(shape, rate)`, in natural parameters but for factors −½ and −1. */
export interface FactorsGlobal extends NaturalParameters {
  /** P_i m_i, `[V · D]`. */
  readonly linear: Float64Array;
  /** P_i, `[V · D · D]`. */
  readonly precisions: Float64Array;
  /** shape, and rate + ½ Σ_i m_iᵀ P_i m_i; `[2]`. */
  readonly noise: Float64Array;
}

/** Options of {@link matrixFactorisation}. */
export interface MatrixFactorisationOptions {
  /** D: how many numbers describe a user, and an item. */
  readonly rank: number;
  /** V. */
  readonly items: number;
  /** λ of `u ~ N(0, I/λ)`, positive. Default 1, which sets the scale of u and with it that of v. */
  readonly userPrecision?: number;
  /** κ of `v_i | τ ~ N(0, I/(κ τ))`, positive: how many ratings by users of length 1 the prior is worth. */
  readonly itemPrecision: number;
  /** The prior of τ, the precision of a rating. */
  readonly noise: GammaParameters;
}

/** The model, and how to start and read it. */
export interface MatrixFactorisation extends ConjugateModel<FactorsGlobal, SparseRows, never> {
  /** D. */
  readonly rank: number;
  /** V. */
  readonly items: number;
  /** Items at random, as wide as the prior at its mean noise. */
  start(key: Key): FactorsGlobal;
  /** E[u] of a batch's users, `[size · D]`. */
  userFactors(global: FactorsGlobal, batch: SparseRows): Float64Array;
  /** m_i = E[v_i], `[V · D]`. */
  itemFactors(global: FactorsGlobal): Float64Array;
  /** q(τ). */
  noise(global: FactorsGlobal): GammaParameters;
  /** `E[u_u] · E[v_i]` at every entry of a matrix of the batch's users, in its order; its values are not read. */
  predictions(global: FactorsGlobal, batch: SparseRows, at: SparseRows): Float64Array;
}

/**
 * Probabilistic matrix factorisation of sparse ratings with unknown noise: `u ~ N(0, I/λ)`, `τ ~ Gamma`, `v_i | τ ~ N(0, I/(κ τ))`, `r_ui ~ N(u_uᵀ v_i, 1/τ)` where a rating was
 * made; a datum is a user's row. Give ratings less their mean.
 *
 * q(u) q(v, τ), no diagonal covariances: users have `Λ_u = λ I + Σ_i E[τ v_i v_iᵀ]`, `Λ_u E[u] = Σ_i r_ui E[τ v_i]`, and an item gets from each of its users what a row of a linear
 * regression adds, `(r E[u], E[u uᵀ], ½ r², ½)`. v and τ are dependent as in Normal–Gamma regression, so that one step updates both.
 *
 * @throws RangeError if an option is out of range; from its functions, if a batch is empty, has another number of items or a rating that is not finite, or if q is outside its
 *   natural parameters.
 * Source: Lim & Teh 2007, "Variational Bayesian approach to movie rating prediction"; Salakhutdinov & Mnih 2008, "Probabilistic matrix factorization"; the joint q(v, τ): Bishop 2006,
 *   exercise 3.12.
 */
export function matrixFactorisation(options: MatrixFactorisationOptions): MatrixFactorisation {
  const where = "matrixFactorisation";
  const { rank: D, items: V, userPrecision = 1, itemPrecision, noise } = options;
  for (const [name, count] of Object.entries({ rank: D, items: V })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${where}: ${name} must be a positive integer, not ${count}.`);
  }
  for (const [name, value] of Object.entries({ userPrecision, itemPrecision }))
    checkPositive(`${where}: ${name}`, [value]);
  checkPositive(`${where}: the shape and rate of the noise's precision`, [noise.shape, noise.rate]);
  const prior: FactorsGlobal = {
    linear: new Float64Array(V * D),
    precisions: Float64Array.from({ length: V * D * D }, (_, i) => ((i % (D * D)) % (D + 1) === 0 ? itemPrecision : 0)),
    noise: Float64Array.of(noise.shape, noise.rate),
  };
  /** q(u) of every user in turn, its covariance and mean in memory that the next takes over; returns their bound. */
  const visit = (
    global: FactorsGlobal,
    batch: SparseRows,
    each: (user: number, mean: Float64Array, covariance: Float64Array) => void,
  ): number => {
    checkRatings(batch, V);
    const items = readItems(global, D, new Set(batch.indices));
    const { shape, rate } = items.noise;
    const tau = shape / rate;
    const perRating = (digamma(shape) - Math.log(rate) - Math.log(2 * Math.PI)) / 2;
    const [precision, linear] = [new Float64Array(D * D), new Float64Array(D)];
    let bound = 0;
    for (let u = 0; u < batch.size; u++) {
      linear.fill(0);
      precision.fill(0);
      for (let d = 0; d < D; d++) precision[d * D + d] = userPrecision;
      for (let e = batch.offsets[u]; e < batch.offsets[u + 1]; e++) {
        const [at, r] = [batch.indices[e] * D, batch.values[e]];
        for (let d = 0; d < D; d++) {
          const m = tau * items.means[at + d];
          linear[d] += r * m;
          for (let f = 0; f <= d; f++)
            precision[d * D + f] += items.covariances[(at + d) * D + f] + m * items.means[at + f];
        }
        bound += perRating - (tau * r * r) / 2;
      }
      const factor = choleskyFactor(precision, D, `${where}: the precision of user ${u}`);
      const mean = choleskySolve(factor, D, linear);
      bound += (D * Math.log(userPrecision) - logDeterminant(factor, D)) / 2;
      for (let d = 0; d < D; d++) bound += (linear[d] * mean[d]) / 2;
      each(u, mean, choleskyInverse(factor, D));
    }
    return bound;
  };
  const userFactors = (global: FactorsGlobal, batch: SparseRows): Float64Array => {
    const out = new Float64Array(batch.size * D);
    visit(global, batch, (u, mean) => out.set(mean, u * D));
    return out;
  };
  const itemFactors = (global: FactorsGlobal): Float64Array => readItems(global, D).means;
  return {
    name: "Probabilistic matrix factorisation",
    settings: { rank: D, items: V, userPrecision },
    rank: D,
    items: V,
    prior,
    kl: (global, from = prior) => itemsKl(global, from, D),
    local: (global, batch) => {
      const [linear, precisions] = [new Float64Array(V * D), new Float64Array(V * D * D)];
      let squares = 0;
      const bound = visit(global, batch, (u, mean, second) => {
        for (let d = 0; d < D; d++) for (let f = 0; f < D; f++) second[d * D + f] += mean[d] * mean[f];
        for (let e = batch.offsets[u]; e < batch.offsets[u + 1]; e++) {
          const [at, r] = [batch.indices[e] * D, batch.values[e]];
          for (let d = 0; d < D; d++) linear[at + d] += r * mean[d];
          for (let d = 0; d < D * D; d++) precisions[at * D + d] += second[d];
          squares += r * r;
        }
      });
      const added = Float64Array.of(batch.values.length / 2, squares / 2);
      return { statistics: { linear, precisions, noise: added }, bound };
    },
    start: (key) => {
      const width = Math.sqrt((3 * noise.rate) / (noise.shape * itemPrecision)); // of a uniform law with the prior's variance
      const linear = uniforms(key, V * D).map((u) => itemPrecision * width * (2 * u - 1));
      const quadratic = linear.reduce((sum, value) => sum + (value * value) / itemPrecision, 0);
      const squares = noise.rate + quadratic / 2;
      return { linear, precisions: Float64Array.from(prior.precisions), noise: Float64Array.of(noise.shape, squares) };
    },
    userFactors,
    itemFactors,
    noise: (global) => readItems(global, D).noise,
    predictions: (global, batch, at) => {
      if (at.size !== batch.size || at.columns !== V)
        throw new RangeError(
          `${where}: predictions are of the batch's ${batch.size} users and ${V} items, not of ${at.size} and ${at.columns}.`,
        );
      const [users, items] = [userFactors(global, batch), itemFactors(global)];
      const out = new Float64Array(at.values.length);
      for (let u = 0; u < at.size; u++) {
        for (let e = at.offsets[u]; e < at.offsets[u + 1]; e++) {
          for (let d = 0; d < D; d++) out[e] += users[u * D + d] * items[at.indices[e] * D + d];
        }
      }
      return out;
    },
  };
}

/** m_i of all items, P_i⁻¹ of those that are wanted, log |P_i|, and q(τ), whose rate is what is left of `noise` after the m_iᵀ P_i m_i of *all* items. */
function readItems(global: FactorsGlobal, D: number, wanted?: ReadonlySet<number>) {
  const V = global.linear.length / D;
  const [means, covariances, logDeterminants] = [V * D, wanted ? V * D * D : 0, V].map((n) => new Float64Array(n));
  let quadratic = 0;
  for (let i = 0; i < V; i++) {
    const linear = global.linear.subarray(i * D, (i + 1) * D);
    const precision = global.precisions.subarray(i * D * D, (i + 1) * D * D);
    const factor = choleskyFactor(precision, D, `matrixFactorisation: the precision of item ${i}`);
    const mean = choleskySolve(factor, D, linear);
    means.set(mean, i * D);
    for (let d = 0; d < D; d++) quadratic += linear[d] * mean[d];
    logDeterminants[i] = logDeterminant(factor, D);
    if (wanted?.has(i)) covariances.set(choleskyInverse(factor, D), i * D * D);
  }
  const [shape, rate] = [global.noise[0], global.noise[1] - quadratic / 2];
  checkPositive("matrixFactorisation: the shape and rate of q(τ)", [shape, rate]);
  return { means, covariances, logDeterminants, noise: { shape, rate } };
}

/** `KL(q(τ) ‖ p(τ)) + ½ Σ_i [tr(P_i′ P_i⁻¹) + E[τ] (m_i − m_i′)ᵀ P_i′ (m_i − m_i′) − D + log |P_i| − log |P_i′|]`. */
function itemsKl(q: FactorsGlobal, p: FactorsGlobal, D: number): number {
  const V = q.linear.length / D;
  const all = new Set(Array.from({ length: V }, (_, i) => i));
  const [here, there] = [readItems(q, D, all), readItems(p, D)];
  const tau = here.noise.shape / here.noise.rate;
  let kl = klDivergence(gammaFamily, gammaFamily.natural(here.noise), gammaFamily.natural(there.noise));
  for (let i = 0; i < V; i++) {
    kl += (here.logDeterminants[i] - there.logDeterminants[i] - D) / 2;
    for (let d = 0; d < D; d++) {
      const off = here.means[i * D + d] - there.means[i * D + d];
      for (let f = 0; f < D; f++) {
        const at = (i * D + d) * D + f;
        const across = here.means[i * D + f] - there.means[i * D + f];
        kl += (p.precisions[at] * (here.covariances[at] + tau * off * across)) / 2;
      }
    }
  }
  return kl;
}

function checkRatings(batch: SparseRows, V: number): void {
  if (batch.size === 0) throw new RangeError("matrixFactorisation: the batch has no users; give it at least one.");
  if (batch.columns !== V)
    throw new RangeError(`matrixFactorisation: the batch has ${batch.columns} items, the model ${V}.`);
  const bad = batch.values.findIndex((r) => !Number.isFinite(r));
  if (bad !== -1)
    throw new RangeError(`matrixFactorisation: entry ${bad} of the batch is ${batch.values[bad]}; leave it out.`);
}
