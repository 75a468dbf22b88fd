/**
 * An exponential family in its natural parameters, `p(z; η) = h(z) exp(η · t(z) − A(η))`, in Float64.
 *
 * Natural parameters add: a posterior is its prior plus the sufficient statistics of the data. The base measure h of each family is chosen so that
 * this holds for the parameters that its users know (a Dirichlet's η is its concentration).
 *
 * Source: Wainwright & Jordan 2008, "Graphical models, exponential families, and variational inference", chapter 3.
 */
export interface ExponentialFamily<Parameters, Value> {
  readonly name: string;
  /** Length of η and t(z). */
  readonly size: number;
  /**
   * η of the usual parameters.
   *
   * @throws RangeError if they are out of range.
   */
  natural(parameters: Parameters): Float64Array;
  /**
   * The usual parameters of η.
   *
   * @throws RangeError if η is outside the natural parameter space.
   */
  parameters(natural: Float64Array): Parameters;
  /** A(η) = log ∫ h(z) exp(η · t(z)) dz. */
  logNormaliser(natural: Float64Array): number;
  /** The mean parameters, E[t(z)] = ∇A(η). */
  mean(natural: Float64Array): Float64Array;
  /** t(z). */
  statistics(value: Value): Float64Array;
  /** log h(z). */
  logBase(value: Value): number;
}

/** `log p(z; η) = log h(z) + η · t(z) − A(η)`. */
export function logDensity<Parameters, Value>(
  family: ExponentialFamily<Parameters, Value>,
  natural: Float64Array,
  value: Value,
): number {
  return family.logBase(value) + dot(natural, family.statistics(value)) - family.logNormaliser(natural);
}

/**
 * `KL(q ‖ p) = A(η_p) − A(η_q) − (η_p − η_q) · ∇A(η_q)`, a Bregman divergence of the log-normaliser.
 *
 * @param q - η_q.
 * @param p - η_p.
 */
export function klDivergence<Parameters, Value>(
  family: ExponentialFamily<Parameters, Value>,
  q: Float64Array,
  p: Float64Array,
): number {
  const mean = family.mean(q);
  let inner = 0;
  for (let i = 0; i < q.length; i++) inner += (q[i] - p[i]) * mean[i];
  return inner + family.logNormaliser(p) - family.logNormaliser(q);
}

/** `Σ_i a_i b_i`. */
export function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

/** @throws RangeError unless every value is positive and finite. */
export function checkPositive(what: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] > 0 && values[i] < Infinity))
      throw new RangeError(
        `${what} must be positive and finite, but ${values.length === 1 ? "it" : `number ${i}`} is ${values[i]}.`,
      );
  }
}

/** @throws RangeError unless there are `length` values, all finite. */
export function checkLength(what: string, values: ArrayLike<number>, length: number): void {
  if (values.length !== length) throw new RangeError(`${what} must have ${length} values, not ${values.length}.`);
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(values[i])) throw new RangeError(`${what} must be finite, but number ${i} is ${values[i]}.`);
  }
}
