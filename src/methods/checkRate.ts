/** @throws RangeError if ρ is not in (0, 1]; `of` is what it belongs to, such as "step 3". */
export function checkRate(method: string, of: string, rate: number): void {
  if (!(rate > 0 && rate <= 1)) {
    throw new RangeError(`${method}: the rate of ${of} must be in (0, 1], not ${rate}.`);
  }
}
