import type { Corpus } from "../data/ldaC.js";
import type { LatentDirichletAllocation, LdaGlobal } from "./latentDirichletAllocation.js";
import { expDigammas, wordTable } from "./ldaWordTable.js";

/**
 * q(topic) of every token of each entry (document, word) of a corpus under VB: `φ_k ∝ exp(E[log θ_k] + E[log β_kw])`, q(θ) at its optimum given q(β).
 *
 * The local step never stores it; collapsed inference starts from it, and `Σ_d n_dw φ_dwk` are that step's statistics.
 *
 * @returns `[entries · K]`.
 * @throws RangeError as the model's local step does.
 */
export function ldaResponsibilities(model: LatentDirichletAllocation, global: LdaGlobal, corpus: Corpus): Float64Array {
  const K = model.topics;
  const { proportions } = model.local(global, corpus).local!;
  const table = wordTable(global.topics, corpus, K);
  const shares = new Float64Array(corpus.words.length * K);
  const theta = new Float64Array(K);
  for (let d = 0; d < corpus.size; d++) {
    expDigammas(proportions, d * K, theta, 0, K);
    for (let e = corpus.offsets[d]; e < corpus.offsets[d + 1]; e++) {
      const row = table.rowOf[e] * K;
      let total = 0;
      for (let k = 0; k < K; k++) total += theta[k] * table.rows[row + k];
      for (let k = 0; k < K; k++) shares[e * K + k] = (theta[k] * table.rows[row + k]) / total;
    }
  }
  return shares;
}
