/**
 * Points as differences from an origin: where it is close to them, squares of the differences keep the digits that squares of far points lose.
 *
 * @param values - points, `[n · D]` row by row.
 * @param origin - `[D]`.
 * @returns `[n · D]`; the values themselves, without a copy, where the origin is zero.
 * @internal
 */
export function aboutOrigin(values: Float64Array, origin: Float64Array): Float64Array {
  if (origin.every((value) => value === 0)) return values;
  const D = origin.length;
  return values.map((value, at) => value - origin[at % D]);
}
