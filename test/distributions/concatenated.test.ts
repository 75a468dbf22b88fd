import { beforeAll, expect, test } from "vitest";
import { Concatenated } from "../../src/distributions/concatenated.js";
import { Gamma } from "../../src/distributions/gamma.js";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import { Poisson } from "../../src/distributions/poisson.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { expectClose, expectNoLeak, mean, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const normal = () => new Independent({ base: new Normal({ mean: tf.tensor2d([[1, -2]]), scale: 0.5 }), eventRank: 1 });
const gamma = () => new Independent({ base: new Gamma({ concentration: tf.tensor2d([[3]]), rate: 2 }), eventRank: 1 });
const poisson = () => new Independent({ base: new Poisson({ rate: tf.tensor2d([[2, 5]]) }), eventRank: 1 });

test("has the density, the moments and the entropy of its stretches, in their order", () => {
  const both = new Concatenated({ parts: [normal(), gamma()] });
  const x = tf.tensor3d([[[0.4, -1, 2]], [[1.5, -3, 0.2]]]);
  const [left, right] = tf.split(x, [2, 1], 2);
  const parts = [read(normal().logProb(left)), read(gamma().logProb(right))];
  expectClose(
    read(both.logProb(x)),
    parts[0].map((value, i) => value + parts[1][i]),
    1e-5,
  );
  expectClose(read(both.mean()), [1, -2, 1.5], 1e-6);
  expectClose(read(both.variance()), [0.25, 0.25, 0.75], 1e-6);
  expectClose(read(both.entropy()), [read(normal().entropy())[0] + read(gamma().entropy())[0]], 1e-5);
  expect([both.batchShape, both.eventShape, both.reparameterised]).toEqual([[1], [3], true]);
  expectNoLeak(() => both.logProb(x));
  expectNoLeak(() => both.sample(randomKey(1), [2]));
});

test("stretches of one law are drawn apart, and counts are not reparameterised", () => {
  const n = 10_000;
  const twice = new Concatenated({ parts: [poisson(), poisson()] });
  expect(twice.reparameterised).toBe(false);
  const draws = read(twice.sample(randomKey(2), [n]));
  const rates = [2, 5, 2, 5];
  rates.forEach((rate, d) => {
    const own = Array.from({ length: n }, (_, i) => draws[4 * i + d]);
    expect(Math.abs(mean(own) - rate)).toBeLessThan(4 * Math.sqrt(rate / n));
  });
  const products = Array.from({ length: n }, (_, i) => (draws[4 * i] - 2) * (draws[4 * i + 2] - 2));
  expect(Math.abs(mean(products))).toBeLessThan((4 * 2) / Math.sqrt(n));
});

test("refuses no parts, parts that are no vectors, and batches that differ", () => {
  const single = new Normal({ mean: 0, scale: 1 });
  const wide = new Independent({ base: new Normal({ mean: tf.zeros([2, 3]), scale: 1 }), eventRank: 1 });
  expect(() => new Concatenated({ parts: [] })).toThrow("the list of parts is empty");
  expect(() => new Concatenated({ parts: [single] })).toThrow("part 0 has the event shape [], but needs one axis");
  expect(() => new Concatenated({ parts: [gamma(), wide] })).toThrow("part 1 has the batch shape [2], the first [1]");
  expect(() => new Concatenated({ parts: [gamma()] }).logProb(tf.zeros([1, 1, 2]))).toThrow("Concatenated.logProb");
});
