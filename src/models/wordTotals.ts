import type { Correction } from "./conjugateModel.js";
import type { LatentDirichletAllocation, LdaGlobal } from "./latentDirichletAllocation.js";

/**
 * Holds SVI's topics to the words' totals. Whatever q(z) is, a token belongs to some topic, so every coordinate update has `Σ_k (λ_kw − η) = n_w`, the occurrences of word w in all
 * documents. A minibatch knows n_w badly, since most words are rare, but all minibatches so far together know it well: with n̂_w, the mean of their `N/S n_w(batch)`,
 *
 * `λ_kw ← η + (λ_kw − η) n̂_w / Σ_j (λ_jw − η)`.
 *
 * That is the ratio estimator of survey sampling: of each word the run still has to learn the topics' shares, no longer its frequency. Where S divides N, n̂ is exact at the end of every
 * pass without repetition; in the middle of one it weighs the documents of that pass more, and where S does not divide N the N mod S documents that sit out a pass are missing from it (n̂ is then
 * N over the number taken in, times their occurrences), so that it nears n_w as passes go on. With all data in the batch nothing changes, and CAVI's fixed points stay what they are; in between the estimate is biased, as
 * ratios are, by O(1/S). A word not seen yet keeps what the start gave it.
 *
 * @throws RangeError from its steps, if a λ is below η, which no update of LDA leads to: start from λ ≥ η.
 * Source: the constraint follows from Hoffman, Blei & Bach 2010, equation 5; ratio estimation: Cochran 1977, "Sampling techniques", chapter 6. Their use together is this library's.
 */
export function wordTotals(model: LatentDirichletAllocation): Correction<LdaGlobal> {
  const { topics: K, vocabulary: V, eta } = model;
  return {
    begin: () => {
      const seen = new Float64Array(V);
      let steps = 0;
      return ({ topics }, statistics, scale) => {
        steps++;
        const held = topics.slice();
        for (let w = 0, first = 0; w < V; w++, first += K) {
          let inBatch = 0;
          let sum = 0;
          let least = 0;
          for (let at = first; at < first + K; at++) {
            const own = topics[at] - eta;
            inBatch += statistics.topics[at];
            sum += own;
            if (own < least) least = own;
          }
          // Rounding may leave a topic without the word a little below η.
          if (least < -1e-12 * (eta + 1)) {
            throw new RangeError(
              `wordTotals: λ of word ${w} is below η = ${eta}; start from λ ≥ η, as the model does.`,
            );
          }
          seen[w] += scale * inBatch;
          if (seen[w] === 0 || sum <= 0) continue;
          const factor = seen[w] / steps / sum;
          for (let at = first; at < first + K; at++) held[at] = eta + (topics[at] - eta) * factor;
        }
        return { topics: held };
      };
    },
  };
}
