/**
 * The first i with `cumulative_i > u`, or the last: a draw of i from cumulative probabilities, where u is uniform on (0, total).
 *
 * @param cumulative ascending, not empty.
 * @internal
 */
export function firstAbove(cumulative: Float64Array, u: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > u) high = middle;
    else low = middle + 1;
  }
  return low;
}
