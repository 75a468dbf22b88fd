/**
 * The median of the distances |x_i − x_j|, i < j: the "median heuristic" for a kernel's length scale, for two samples taken together.
 *
 * Of more than `most` points, that many are looked at, evenly spaced in the given order.
 *
 * @param points `[n · D]`, row by row, n ≥ 2.
 * @param dimension D.
 * @throws RangeError if there are fewer than two points, if the size does not divide the values, if the median is 0, or if a point that is looked at is not finite.
 * Source: Gretton, Borgwardt, Rasch, Schölkopf & Smola 2012, "A kernel two-sample test", JMLR 13.
 */
export function medianDistance(
  points: ArrayLike<number>,
  dimension: number,
  options: { /** Default 1,000. */ readonly most?: number } = {},
): number {
  const { most = 1000 } = options;
  if (!Number.isInteger(dimension) || dimension < 1)
    throw new RangeError(`medianDistance: the dimension must be a positive integer, not ${dimension}.`);
  const all = points.length / dimension;
  if (!Number.isInteger(all) || all < 2)
    throw new RangeError(
      `medianDistance needs at least two points of ${dimension} coordinates each, but got ${points.length} numbers.`,
    );
  if (!Number.isInteger(most) || most < 2)
    throw new RangeError(`medianDistance: most must be an integer of at least 2, not ${most}.`);
  const n = Math.min(all, most);
  const distances = new Float64Array((n * (n - 1)) / 2);
  for (let i = 0, pair = 0; i < n; i++) {
    const a = Math.floor((i * all) / n) * dimension;
    for (let j = 0; j < i; j++) {
      const b = Math.floor((j * all) / n) * dimension;
      let square = 0;
      for (let d = 0; d < dimension; d++) square += (points[a + d] - points[b + d]) ** 2;
      distances[pair++] = Math.sqrt(square);
    }
  }
  distances.sort();
  const middle = distances.length >> 1;
  const median = distances.length % 2 === 1 ? distances[middle] : (distances[middle - 1] + distances[middle]) / 2;
  if (!(median > 0 && distances[distances.length - 1] < Infinity)) {
    throw new RangeError(
      `medianDistance: the median distance is ${median} and the largest ${distances[distances.length - 1]}; the points must be finite, and most of them distinct.`,
    );
  }
  return median;
}
