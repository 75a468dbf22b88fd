/**
 * The cumulative distribution function of a density that is tabulated on an ascending grid, F(x) = ∫_{x_0}^x p / ∫ p.
 *
 * Trapezoid sums, and between the points the integral of the density's linear interpolant, so that F is smooth where the table is fine: the
 * error is of the order of the squared step. F is 0 left of the grid and 1 right of it.
 *
 * @param points `[n]`, ascending, n ≥ 2.
 * @param density `[n]`, not negative, with a positive integral; normalised or not.
 * @throws RangeError if the lengths differ, the points do not ascend, or the density is not as said.
 */
export function tabulatedCdf(points: ArrayLike<number>, density: ArrayLike<number>): (x: number) => number {
  const n = points.length;
  if (n < 2 || density.length !== n) {
    throw new RangeError(`tabulatedCdf needs one density a point, two or more: got ${density.length} for ${n} points.`);
  }
  const cumulative = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (!(density[i] >= 0 && density[i] < Number.POSITIVE_INFINITY))
      throw new RangeError(`tabulatedCdf: the density is ${density[i]} at ${points[i]}.`);
    if (i === 0) continue;
    if (!(points[i] > points[i - 1]))
      throw new RangeError(`tabulatedCdf: the points must ascend, but ${points[i]} follows ${points[i - 1]}.`);
    cumulative[i] = cumulative[i - 1] + ((density[i - 1] + density[i]) / 2) * (points[i] - points[i - 1]);
  }
  const total = cumulative[n - 1];
  if (!(total > 0)) throw new RangeError("tabulatedCdf: the density is 0 at every point.");
  return (x) => {
    if (x <= points[0]) return 0;
    if (x >= points[n - 1]) return 1;
    let [low, high] = [0, n - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle] <= x) low = middle;
      else high = middle;
    }
    const [step, part] = [points[high] - points[low], x - points[low]];
    const slope = (density[high] - density[low]) / step;
    return Math.min(1, (cumulative[low] + part * (density[low] + (slope * part) / 2)) / total);
  };
}
