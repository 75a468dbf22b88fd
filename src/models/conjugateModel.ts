/** The natural parameters of q(global), or statistics that add to them: named arrays. */
export type NaturalParameters = Readonly<Record<string, Float64Array>>;

/** What {@link ConjugateModel.local} returns. */
export interface LocalStep<G extends NaturalParameters, Local> {
  /** Σ_i E[t(ξ_i, x_i)] over the batch: what it adds to the prior's natural parameters. */
  readonly statistics: G;
  /** Σ_i E_q[log p(x_i, ξ_i | θ) − log q(ξ_i)] over the batch. */
  readonly bound: number;
  /** q(ξ), where it takes iterations that a later call can go on from. */
  readonly local?: Local;
}

/**
 * A conditionally conjugate exponential-family model, p(θ) Π_i p(ξ_i | θ) p(x_i | ξ_i, θ), with q(θ; γ) of the prior's family: its global and its local
 * part, stated once, in Float64.
 *
 * CAVI, SVI and streaming follow from it by `γ ← (1 − ρ) γ + ρ (prior + N/S · statistics)`, the natural-gradient step of size ρ on
 * `ELBO = N/S · bound − KL(q(θ; γ) ‖ p(θ))`.
 *
 * Source: Hoffman, Blei, Wang & Paisley 2013, "Stochastic variational inference", sections 2.3 and 2.4.
 */
export interface ConjugateModel<G extends NaturalParameters, Batch, Local = unknown> {
  readonly name: string;
  /** What defines the model beside its name and `prior`: constants of its likelihood and of its local step. A checkpoint is gone on from only where all of it is the same. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** The prior's natural parameters. */
  readonly prior: G;
  /** KL(q(θ; global) ‖ p(θ; prior)), by default from this model's prior. */
  kl(global: G, prior?: G): number;
  /**
   * The optimal q(ξ) of a batch given q(θ; global).
   *
   * @param from - what an earlier call on this batch returned, where the step has iterations: the bound is then at least what `from` gives with this
   *   `global`.
   */
  local(global: G, batch: Batch, from?: Local): LocalStep<G, Local>;
}

/** What brings q(θ) back, after a step of SVI, to what every coordinate update satisfies, from the statistics of the batches so far. */
export interface Correction<G extends NaturalParameters> {
  /** Begins a run: a function of q(θ) after each step, that step's statistics, and their scale N/S. */
  begin(): (global: G, statistics: G, scale: number) => G;
}

/** A finite data set that batches can be taken of. */
export interface Dataset<Batch> {
  /** N. */
  readonly size: number;
  /** All of it, as one batch. */
  readonly all: Batch;
  /** The batch of these rows. */
  take(rows: Int32Array): Batch;
}

/** Rows of numbers: a batch of points. */
export interface Rows {
  /** `[size · columns]`, row by row. */
  readonly values: Float64Array;
  readonly size: number;
  readonly columns: number;
}

/**
 * Points as rows of numbers.
 *
 * @param values - `[size · columns]`, row by row.
 * @throws RangeError if there are none, the length is no multiple of `columns`, or a value is not finite (the error names the first).
 */
export function rowsOf(values: ArrayLike<number>, columns: number): Rows {
  if (!Number.isInteger(columns) || columns < 1 || values.length === 0 || values.length % columns !== 0) {
    throw new RangeError(
      `rowsOf needs at least one row of a whole number of columns, not ${values.length} values in rows of ${columns}.`,
    );
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new RangeError(
        `rowsOf: row ${Math.floor(i / columns)}, column ${i % columns} is ${values[i]}; give finite numbers.`,
      );
    }
  }
  return { values: Float64Array.from(values), size: values.length / columns, columns };
}

/** Rows as a data set that batches can be taken of. */
export function rowsDataset(all: Rows): Dataset<Rows> {
  const { values, size, columns } = all;
  return {
    size,
    all,
    take: (rows) => {
      const taken = new Float64Array(rows.length * columns);
      for (let i = 0; i < rows.length; i++) {
        taken.set(values.subarray(rows[i] * columns, (rows[i] + 1) * columns), i * columns);
      }
      return { values: taken, size: rows.length, columns };
    },
  };
}

/**
 * One step on q(θ): `(1 − rate) global + rate (prior + scale · statistics)`, in natural parameters.
 *
 * With rate 1 it is the coordinate-ascent update, to the bit.
 */
export function globalStep<G extends NaturalParameters>(inputs: {
  readonly global: G;
  readonly prior: G;
  readonly statistics: G;
  readonly scale: number;
  readonly rate: number;
}): G {
  const { global, prior, statistics, scale, rate } = inputs;
  const next: Record<string, Float64Array> = {};
  for (const [name, now] of Object.entries(global)) {
    const [before, added] = [prior[name], statistics[name]];
    const out = new Float64Array(now.length);
    for (let i = 0; i < out.length; i++) out[i] = (1 - rate) * now[i] + rate * (before[i] + scale * added[i]);
    next[name] = out;
  }
  return next as G;
}

/** A copy that shares no memory. */
export function copyOf<G extends NaturalParameters>(global: G): G {
  return Object.fromEntries(Object.entries(global).map(([name, values]) => [name, Float64Array.from(values)])) as G;
}

/** @throws RangeError, naming the first, if a natural parameter is not finite. */
export function checkFiniteGlobal(where: string, global: NaturalParameters): void {
  for (const [name, values] of Object.entries(global)) {
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) {
        throw new RangeError(
          `${where}: natural parameter ${i} of "${name}" is ${values[i]}; check the data and the prior.`,
        );
      }
    }
  }
}

/** @throws RangeError if a bound is not finite; returns it otherwise. */
export function finiteBound(where: string, bound: number): number {
  if (!Number.isFinite(bound)) throw new RangeError(`${where}: the bound is ${bound}; check the data and the prior.`);
  return bound;
}
