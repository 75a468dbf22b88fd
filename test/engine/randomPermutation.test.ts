import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { foldIn, nativeBits, permutation, randomKey, split } from "../../src/engine/random.js";
import { randomPermutation } from "../../src/engine/randomPermutation.js";
import { tf } from "../../src/engine/tf.js";
import { chiSquare, chiSquareBound } from "./exactCdfs.js";
import { backends, expectNoLeak, read } from "./support.js";

describe.each(backends)("random permutations on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("hold every index once as int32 and repeat with their key", () => {
    for (const n of [1, 2, 1000]) {
      const order = randomPermutation(randomKey(1), n);
      expect(order.dtype).toBe("int32");
      expect(order.shape).toEqual([n]);
      const values = read(order);
      expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      expect(read(randomPermutation(randomKey(1), n))).toEqual(values);
    }
    expect(read(randomPermutation(randomKey(1), 100))).not.toEqual(read(randomPermutation(randomKey(2), 100)));
    expectNoLeak(() => randomPermutation(randomKey(1), 10));
  });

  test.each([
    [3, 6],
    [4, 24],
  ])("every order of %d is equally likely (χ² at .001)", (n, orders) => {
    const each = 200;
    const counts = new Map<string, number>();
    for (const key of split(randomKey(51), orders * each)) {
      const order = read(randomPermutation(key, n)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(orders);
    const { statistic, degrees } = chiSquare(
      [...counts.values()],
      [...counts.values()].map(() => each),
    );
    expect(statistic).toBeLessThan(chiSquareBound(degrees));
  });

  test("of 50, every index is equally likely at every place (χ² at .001)", () => {
    const [n, repeats] = [50, 2000];
    const counts = new Array<number>(n * n).fill(0);
    for (let i = 0; i < repeats; i++) {
      read(randomPermutation(foldIn(randomKey(52), i), n)).forEach((index, place) => {
        counts[place * n + index]!++;
      });
    }
    const expected = repeats / n;
    const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // Rows and columns are fixed: (n − 1)² degrees of freedom, on which the statistic is inflated by n / (n − 1).
    expect(statistic * ((n - 1) / n)).toBeLessThan(chiSquareBound((n - 1) ** 2));
  });

  test("no gradient flows through an order, and gathering by it works inside one", () => {
    const x = tf.tensor1d([1, 2, 3]);
    const gradient = tf.tidy(() =>
      tf.grad((x) => tf.sum(tf.mul(tf.gather(x, randomPermutation(randomKey(3), 3)), tf.tensor1d([5, 6, 7]))))(x),
    );
    const order = read(randomPermutation(randomKey(3), 3));
    const expected = [0, 0, 0];
    order.forEach((index, place) => {
      expected[index] = 5 + place;
    });
    expect(read(gradient)).toEqual(expected);
    x.dispose();
  });

  test.each([0, -1, 1.5, Number.NaN])("n = %d is named", (n) => {
    expect(() => randomPermutation(randomKey(1), n)).toThrow(/n must be a positive integer/);
  });
});

test("portably it is the order of permutation", async () => {
  await ready({ backend: "cpu" });
  expect(read(randomPermutation(randomKey(7), 20))).toEqual([...permutation(randomKey(7), 20)]);
});

test("natively elements whose first words are equal are in random order, too", async () => {
  await ready({ backend: "tensorflow" });
  const n = 2 ** 20;
  const words = read(nativeBits(split(randomKey(53))[0], [n]));
  const place = new Int32Array(n);
  read(randomPermutation(randomKey(53), n)).forEach((index, i) => {
    place[index] = i;
  });
  const lastWith = new Map<number, number>();
  const inOrder: boolean[] = [];
  words.forEach((word, index) => {
    const twin = lastWith.get(word);
    if (twin !== undefined) inOrder.push(place[twin]! < place[index]!);
    lastWith.set(word, index);
  });
  // n² / 2³³ = 128 pairs are expected; a single ranking would leave all of them in order.
  expect(inOrder.length).toBeGreaterThan(80);
  const share = inOrder.filter(Boolean).length / inOrder.length;
  expect(Math.abs(share - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / inOrder.length));
});
