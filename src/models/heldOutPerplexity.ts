import type { Corpus } from "../data/ldaC.js";
import type { Tensor2D } from "../engine/tf.js";

/**
 * The perplexity of held-out tokens under rates of words: exp(−Σ_dv c_dv log(r_dv / Σ_u r_du) / Σ_dv c_dv).
 *
 * It is that of the words given how many of a document are held out, as Poisson rates give it; V for rates that are all alike.
 *
 * @param rates r > 0, `[D, V]`; they stay the caller's.
 * @throws Error if the rates have another shape than the corpus, one is not positive, or no token is held out.
 * Source: Ruiz, Titsias & Blei 2016, "Overdispersed black-box variational inference", section 4.1.
 */
export function heldOutPerplexity(rates: Tensor2D, held: Corpus): number {
  const [D, V] = rates.shape;
  if (D !== held.size || V !== held.vocabulary)
    throw new Error(
      `heldOutPerplexity: the rates are [${D}, ${V}], but the corpus is [${held.size}, ${held.vocabulary}].`,
    );
  const values = rates.dataSync();
  const bad = values.findIndex((rate) => !(rate > 0));
  if (bad !== -1)
    throw new Error(
      `heldOutPerplexity: rates[${Math.floor(bad / V)}, ${bad % V}] is ${values[bad]}; it must be positive.`,
    );
  let [total, tokens] = [0, 0];
  for (let d = 0; d < D; d++) {
    let mass = 0;
    for (let v = 0; v < V; v++) mass += values[d * V + v];
    for (let i = held.offsets[d]; i < held.offsets[d + 1]; i++) {
      total += held.counts[i] * Math.log(values[d * V + held.words[i]] / mass);
      tokens += held.counts[i];
    }
  }
  if (tokens === 0) throw new Error("heldOutPerplexity: the corpus holds no token; hold some out.");
  return Math.exp(-total / tokens);
}
