/**
 * Which of the centres is nearest to a row, from 0; the first of equals.
 *
 * @param centres - numbers of rows.
 * @internal
 */
export function nearestRow(
  { values, columns }: { readonly values: Float64Array; readonly columns: number },
  row: number,
  centres: Int32Array,
): number {
  let [best, least] = [0, Infinity];
  for (let k = 0; k < centres.length; k++) {
    let distance = 0;
    for (let j = 0; j < columns; j++) distance += (values[row * columns + j] - values[centres[k] * columns + j]) ** 2;
    if (distance < least) [best, least] = [k, distance];
  }
  return best;
}
