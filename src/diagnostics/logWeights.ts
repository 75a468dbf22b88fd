/**
 * Refuse log-weights that no importance sampler can produce, so that the diagnostics below may trust their input.
 *
 * @param logWeights - `[S]` unnormalised log-weights; −∞ (a draw outside the target's support) is allowed.
 * @param what - the name of the quantity, for the error.
 * @throws RangeError if there are none, if one is NaN or +∞, or if all are −∞.
 */
export function checkLogWeights(logWeights: ArrayLike<number>, what: string): void {
  if (logWeights.length === 0) throw new RangeError(`${what} needs at least one log-weight, but the list is empty.`);
  let anyFinite = false;
  for (let i = 0; i < logWeights.length; i++) {
    const value = logWeights[i];
    if (Number.isNaN(value) || value === Infinity) {
      throw new RangeError(
        `${what}: log-weight ${i} is ${value}; check log p(x, z) and log q(z) of that draw for overflow or a bad parameter.`,
      );
    }
    if (value > -Infinity) anyFinite = true;
  }
  if (!anyFinite) {
    throw new RangeError(
      `${what}: all ${logWeights.length} log-weights are −∞, so no draw of q lies where p is positive.`,
    );
  }
}
