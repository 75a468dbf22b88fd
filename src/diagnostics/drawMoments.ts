import { type Estimate, mean } from "./moments.js";

/** Means, standard deviations and correlations of independent draws. */
export interface DrawMoments {
  /** D. */
  readonly dimension: number;
  /** S. */
  readonly n: number;
  /** Mean of one coordinate, `x̄ ± s / √S`. */
  mean(coordinate: number): Estimate;
  /** Standard deviation of one coordinate, with the delta-method standard error: that of the mean of `((x − x̄)² − s²) / 2s`. */
  standardDeviation(coordinate: number): Estimate;
  /** Correlation of two coordinates, with the delta-method standard error: that of the mean of `u v − ρ (u² + v²) / 2`, u and v the standardised draws. */
  correlation(i: number, j: number): Estimate;
}

/**
 * First and second moments of S independent draws of a vector, with standard errors that hold for any law with four moments.
 *
 * What `HmcDraws` says of chains, for draws of a variational q.
 *
 * @param values - `[S · D]`, row by row.
 * @param dimension - D.
 * @throws RangeError if the values are no such rows or fewer than two, or if a coordinate is out of range or does not vary.
 */
export function drawMoments(values: ArrayLike<number>, dimension: number): DrawMoments {
  const n = values.length / dimension;
  if (!Number.isInteger(dimension) || dimension < 1 || !Number.isInteger(n) || n < 2) {
    throw new RangeError(`drawMoments: ${values.length} values are not two or more draws of ${dimension} coordinates.`);
  }
  const known = new Map<
    number,
    { readonly centre: number; readonly scale: number; readonly standardised: Float64Array }
  >();
  const pairs = new Map<number, Estimate>();
  const of = (d: number) => {
    const before = known.get(d);
    if (before) return before;
    if (!Number.isInteger(d) || d < 0 || d >= dimension)
      throw new RangeError(`drawMoments: coordinate must be an integer in [0, ${dimension}), not ${d}.`);
    const column = Float64Array.from({ length: n }, (_, s) => values[s * dimension + d]);
    const centre = mean(column);
    const scale = Math.sqrt(mean(column.map((x) => (x - centre) ** 2)) * (n / (n - 1)));
    if (!(scale > 0)) throw new RangeError(`drawMoments: the draws of coordinate ${d} do not vary, or are not finite.`);
    const made = { centre, scale, standardised: column.map((x) => (x - centre) / scale) };
    known.set(d, made);
    return made;
  };
  return {
    dimension,
    n,
    mean: (d) => ({ value: of(d).centre, standardError: of(d).scale / Math.sqrt(n), n }),
    standardDeviation: (d) => {
      const { scale, standardised } = of(d);
      const fourth = mean(standardised.map((u) => (u * u - 1) ** 2));
      return { value: scale, standardError: (scale / 2) * Math.sqrt(fourth / n), n };
    },
    correlation: (i, j) => {
      const [u, v] = [of(i).standardised, of(j).standardised];
      const before = pairs.get(i * dimension + j);
      if (before) return before;
      if (i === j) return { value: 1, standardError: 0, n };
      const value = mean(u.map((x, s) => x * v[s])) * (n / (n - 1));
      const squares = mean(u.map((x, s) => (x * v[s] - (value * (x * x + v[s] * v[s])) / 2) ** 2));
      const found = { value, standardError: Math.sqrt(squares / n), n };
      pairs.set(i * dimension + j, found);
      return found;
    },
  };
}
