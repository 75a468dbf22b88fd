import type { Corpus } from "../../src/data/ldaC.js";
import { randomKey, split } from "../../src/engine/random.js";
import { type Rows, rowsOf } from "../../src/models/conjugateModel.js";
import { gaussianMixture } from "../../src/models/gaussianMixture.js";
import { uniforms } from "../../src/models/randomStart.js";

/** A mixture of three in the plane and its model, for the tests of methods. */
export const mixture = gaussianMixture({
  components: 3,
  concentration: 1,
  prior: { mean: Float64Array.of(0, 0), meanPrecision: 0.05, inverseScale: Float64Array.of(1, 0, 0, 1), degrees: 3 },
});

/** The model where each datum's log density is less by `offset`: of points all times c, with their prior, it is less by D log c. */
export function inOtherUnits(model: typeof mixture, offset: number): typeof mixture {
  return {
    ...model,
    local: (global, batch) => {
      const { statistics, bound } = model.local(global, batch);
      return { statistics, bound: bound - batch.size * offset };
    },
  };
}

/** n points about three centres, each off its own by a sum of four uniform numbers, of standard deviation 0.58. */
export function threeClusters(seed: number, n: number): Rows {
  const [key] = split(randomKey(seed));
  const draws = uniforms(key, 8 * n);
  const centres = [-3, 0, 3, 1, 0, 4];
  const values = Array.from({ length: 2 * n }, (_, at) => {
    const sum = draws.slice(4 * at, 4 * at + 4).reduce((a, b) => a + b);
    return centres[2 * (Math.floor(at / 2) % 3) + (at % 2)] + sum - 2;
  });
  return rowsOf(values, 2);
}

const draws = uniforms(randomKey(4), 1200);
const counts = Array.from({ length: 40 }, (_, d) => {
  const row = new Array<number>(25).fill(0);
  for (let i = 0; i < 30; i++) row[(5 * (d % 5) + Math.floor(10 * draws[30 * d + i])) % 25]++;
  return row;
});
const present = counts.map((row) => row.flatMap((n, w) => (n > 0 ? [w] : [])));
/** 40 documents of 30 tokens over 25 words, each from two fifths of them. */
export const fortyDocuments: Corpus = {
  size: 40,
  vocabulary: 25,
  offsets: Int32Array.from({ length: 41 }, (_, d) => present.slice(0, d).flat().length),
  words: Int32Array.from(present.flat()),
  counts: Float64Array.from(present.flatMap((words, d) => words.map((w) => counts[d][w]))),
};
