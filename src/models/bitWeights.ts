/**
 * The law of one importance weight under independent bits, all 2^N states of it: what `exactIwae` and its kin take.
 *
 * log w_s = log p_s − log q_s, q_s = ∏_n Ber(s_n; σ(l_n)), where s_n is digit n of s in base 2, the lowest first.
 *
 * @param logP log p(x, z) of every state, 2^N of them, in the order of s.
 * @param logits l, N of them.
 * @throws Error if there are not 2^N values of log p.
 */
export function bitWeights(
  logP: ArrayLike<number>,
  logits: ArrayLike<number>,
): { readonly logWeights: Float64Array; readonly probabilities: Float64Array } {
  const count = 2 ** logits.length;
  if (logP.length !== count)
    throw new Error(`bitWeights: ${logits.length} logits have ${count} states, but log p has ${logP.length} values.`);
  const logWeights = new Float64Array(count);
  const probabilities = new Float64Array(count);
  const normaliser = Array.from(logits, (l) => Math.log1p(Math.exp(l)));
  for (let state = 0; state < count; state++) {
    let logQ = 0;
    for (let n = 0; n < logits.length; n++) logQ += ((state >> n) & 1) * logits[n]! - normaliser[n]!;
    logWeights[state] = logP[state]! - logQ;
    probabilities[state] = Math.exp(logQ);
  }
  return { logWeights, probabilities };
}
