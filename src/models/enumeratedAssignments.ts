import { logSumExp } from "../diagnostics/logSumExp.js";

/** log p(x, z) of every assignment z of n things to K places, and q(z) = Π_i φ_i against it. */
export interface EnumeratedAssignments {
  /** log p(x) = log Σ_z p(x, z). */
  readonly logEvidence: number;
  /**
   * The collapsed bound `E_q[log p(x, z)] + H(q) ≤ log p(x)` of q(z) = Π_i φ_i.
   *
   * @param shares - φ, `[n · K]`.
   */
  bound(shares: Float64Array): number;
  /**
   * Climbs to a local optimum of the collapsed bound from φ, by exact coordinate ascent `φ_i ∝ exp E[log p(x, z) | z_i]`.
   *
   * @param sweeps - default 200.
   */
  climb(shares: Float64Array, sweeps?: number): { readonly shares: Float64Array; readonly trace: readonly number[] };
}

/** Where each of n things is put by every assignment, `[K^n · n]`: assignment `code` puts thing i where the i-th digit of `code` to the base K says. */
export function allAssignments(n: number, K: number): Uint8Array {
  const count = K ** n;
  const placesOf = new Uint8Array(count * n);
  for (let code = 0; code < count; code++)
    for (let i = 0, rest = code; i < n; i++, rest = Math.floor(rest / K)) placesOf[code * n + i] = rest % K;
  return placesOf;
}

/**
 * What every assignment's log p(x, z) says: the evidence, the collapsed bound, and its optimum over factorised q(z).
 *
 * @param name - whose, for the error.
 * @param logs - log p(x, z), `[K^n]`, in the order of `placesOf`.
 * @param placesOf - as {@link allAssignments} gives.
 * @throws RangeError from its functions, if φ has another length.
 */
export function enumeratedAssignments(
  name: string,
  logs: Float64Array,
  placesOf: Uint8Array,
  K: number,
): EnumeratedAssignments {
  const n = placesOf.length / logs.length;
  const expectation = (shares: Float64Array, skipped: number, place: number): number => {
    let total = 0;
    for (let code = 0; code < logs.length; code++) {
      const at = code * n;
      if (skipped >= 0 && placesOf[at + skipped] !== place) continue;
      let weight = 1;
      for (let i = 0; i < n && weight > 0; i++) if (i !== skipped) weight *= shares[i * K + placesOf[at + i]];
      if (weight > 0) total += weight * logs[code];
    }
    return total;
  };
  const bound = (shares: Float64Array): number => {
    if (shares.length !== n * K)
      throw new RangeError(`${name}: φ must have ${K} shares for each of ${n}, not ${shares.length} numbers.`);
    return expectation(shares, -1, 0) - shares.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);
  };
  return {
    logEvidence: logSumExp(logs),
    bound,
    climb: (from, sweeps = 200) => {
      const shares = Float64Array.from(from);
      const trace = [bound(shares)];
      for (let sweep = 1; sweep <= sweeps; sweep++) {
        for (let i = 0; i < n; i++) {
          const own = Float64Array.from({ length: K }, (_, k) => expectation(shares, i, k));
          const whole = logSumExp(own);
          for (let k = 0; k < K; k++) shares[i * K + k] = Math.exp(own[k] - whole);
        }
        trace.push(bound(shares));
        if (trace[sweep] - trace[sweep - 1] < 1e-13) break;
      }
      return { shares, trace };
    },
  };
}
