/** The p-quantile of numbers, interpolated between neighbours. */
export function quantile(values: readonly number[], p: number): number {
  if (values.length === 0) throw new Error("A quantile needs at least one number.");
  const sorted = Float64Array.from(values).sort();
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** What a table says of repeated measurements. */
export type Summary = {
  readonly median: number;
  /** The quartiles. */
  readonly low: number;
  readonly high: number;
  readonly min: number;
  readonly n: number;
};

export function summarise(values: readonly number[]): Summary {
  const [min, low, median, high] = [0, 0.25, 0.5, 0.75].map((p) => quantile(values, p));
  return { median, low, high, min, n: values.length };
}

/** Arrays by name. */
export type Arrays = { readonly [name: string]: Float32Array };

/**
 * ‖a − b‖ / ‖b‖ over all arrays.
 *
 * @throws Error if they do not have the same names and lengths.
 */
export function relativeError(a: Arrays, b: Arrays): number {
  const names = Object.keys(b);
  if (names.length !== Object.keys(a).length || !names.every((name) => a[name]?.length === b[name].length)) {
    throw new Error("The two gradients are not about the same parameters.");
  }
  let [difference, size] = [0, 0];
  for (const name of names) {
    for (const [i, value] of b[name].entries()) {
      difference += (a[name][i] - value) ** 2;
      size += value ** 2;
    }
  }
  return Math.sqrt(difference / size);
}
