import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import {
  bernoulli,
  categorical,
  exponential,
  foldIn,
  gumbel,
  type Key,
  normal,
  permutation,
  rademacher,
  randomKey,
  split,
  uniform,
} from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { chiSquare, chiSquareBound } from "./exactCdfs.js";
import { backends, expectNoLeak, kolmogorovSmirnov, mean, normalCdf, read, variance } from "./support.js";

const n = 20_000;

describe("keys", () => {
  test("equal seeds give equal keys, different seeds different ones", () => {
    expect(randomKey(1)).toEqual(randomKey(1));
    expect(randomKey(1)).not.toEqual(randomKey(2));
    expect(randomKey("iwae")).not.toEqual(randomKey("IWAE"));
    const repeated = [1, 11, 111, 1111, 12, 1212, 121212, "ab", "abab", "aba", "a\n", "a\na\n"].map(randomKey);
    expect(new Set(repeated.map(({ words }) => words.join())).size).toBe(repeated.length);
  });

  test("the key of a seed is frozen, so that published numbers can be re-run", () => {
    expect(randomKey(0).words).toEqual([3_351_604_952, 3_234_633_741]);
    expect(split(randomKey(0))[1].words).toEqual([1_623_770_736, 1_047_354_818]);
    expect(foldIn(randomKey(0), 7).words).toEqual([612_321_453, 3_075_265_457]);
  });

  test("keys are words of 32 bits, and all keys derived from one are distinct", () => {
    const root = randomKey(3);
    const family = [root, ...split(root, 500), ...Array.from({ length: 500 }, (_, i) => foldIn(root, i))];
    family.push(...split(family[1]!, 500));
    for (const { words } of family)
      for (const word of words) expect(Number.isInteger(word) && word >= 0 && word < 2 ** 32).toBe(true);
    expect(new Set(family.map(({ words }) => words.join())).size).toBe(family.length);
  });

  test("a prefix of a split does not depend on how many keys are asked for", () => {
    expect(split(randomKey(5), 4)).toEqual(split(randomKey(5), 9).slice(0, 4));
  });

  test.each([
    [() => randomKey(Number.NaN), /finite number/],
    [() => randomKey(""), /non-empty/],
    [() => split(randomKey(1), 0), /positive integer, not 0/],
    [() => foldIn(randomKey(1), -1), /index must be an integer/],
    [() => foldIn(randomKey(1), 1.5), /index must be an integer/],
    [() => permutation(randomKey(1), 0), /positive integer/],
    [() => uniform(randomKey(1), [2], { low: 1, high: 1 }), /low \(1\) must be less than high/],
    [() => normal(randomKey(1), [2, -1]), /non-negative integers, not \[2, -1\]/],
  ])("bad input is named (%#)", (act, message) => {
    expect(act).toThrow(message);
  });
});

describe("permutation", () => {
  test("holds every index once and repeats with its key", () => {
    const order = permutation(randomKey(1), 1000);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(permutation(randomKey(1), 1000)).toEqual(order);
    expect(permutation(randomKey(2), 1000)).not.toEqual(order);
    expect([...permutation(randomKey(1), 1)]).toEqual([0]);
  });

  test("every order of three is equally likely (χ² with 5 degrees of freedom)", () => {
    const counts = new Map<string, number>();
    for (const key of split(randomKey(8), 6000)) {
      const order = permutation(key, 3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chi2).toBeLessThan(20.5); // exceeded with probability .001
  });
});

describe.each(backends)("draws on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  const continuous: readonly {
    name: string;
    draw: (key: Key, shape: readonly number[]) => Tensor;
    mean: number;
    variance: number;
    cdf: (x: number) => number;
  }[] = [
    { name: "normal", draw: normal, mean: 0, variance: 1, cdf: normalCdf },
    { name: "uniform", draw: uniform, mean: 0.5, variance: 1 / 12, cdf: (x) => x },
    {
      name: "uniform on [−2, 3)",
      draw: (key, shape) => uniform(key, shape, { low: -2, high: 3 }),
      mean: 0.5,
      variance: 25 / 12,
      cdf: (x) => (x + 2) / 5,
    },
    { name: "exponential", draw: exponential, mean: 1, variance: 1, cdf: (x) => -Math.expm1(-x) },
    {
      name: "gumbel",
      draw: gumbel,
      mean: 0.5772156649,
      variance: Math.PI ** 2 / 6,
      cdf: (x) => Math.exp(-Math.exp(-x)),
    },
  ];

  describe.each(continuous)("$name", ({ draw, mean: expectedMean, variance: expectedVariance, cdf }) => {
    test("follows its distribution: moments within 4 s.e., Kolmogorov–Smirnov at .001", () => {
      const draws = read(draw(randomKey(11), [n]));
      expect(draws.every(Number.isFinite)).toBe(true);
      expect(Math.abs(mean(draws) - expectedMean)).toBeLessThan(4 * Math.sqrt(expectedVariance / n));
      const squares = draws.map((x) => (x - expectedMean) ** 2);
      expect(Math.abs(mean(squares) - expectedVariance)).toBeLessThan(4 * Math.sqrt(variance(squares) / n));
      expect(kolmogorovSmirnov(draws, cdf)).toBeLessThan(1.95);
    });

    test("the same key gives the same bits, another key gives others", () => {
      expect(read(draw(randomKey(1), [7, 3]))).toEqual(read(draw(randomKey(1), [7, 3])));
      expect(read(draw(randomKey(1), [7, 3]))).not.toEqual(read(draw(randomKey(2), [7, 3])));
    });

    test("has the shape asked for, scalars and empty shapes included, and leaks nothing", () => {
      for (const shape of [[], [0], [3], [2, 5]]) {
        const x = draw(randomKey(4), shape);
        expect(x.shape).toEqual(shape);
        x.dispose();
      }
      expectNoLeak(() => draw(randomKey(4), [2, 5]));
    });

    test("draws under split keys, and neighbours within a draw, are uncorrelated", () => {
      const [left, right] = split(randomKey(21));
      const root = read(draw(randomKey(21), [n]));
      const a = read(draw(left, [n]));
      const b = read(draw(right, [n]));
      const correlation = (x: number[], y: number[]): number =>
        mean(x.map((value, i) => (value - expectedMean) * (y[i]! - expectedMean))) / expectedVariance;
      for (const r of [
        correlation(a, b),
        correlation(a, root),
        correlation(b, root),
        correlation(a.slice(1), a.slice(0, -1)),
      ]) {
        expect(Math.abs(r)).toBeLessThan(4 / Math.sqrt(n));
      }
    });
  });

  test("rademacher draws signs, each as often, of every shape", () => {
    const draws = read(rademacher(randomKey(23), [n]));
    expect(draws.every((x) => x === 1 || x === -1)).toBe(true);
    expect(Math.abs(mean(draws))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(mean(draws.slice(1).map((x, i) => x * draws[i]!)))).toBeLessThan(4 / Math.sqrt(n));
    expect(read(rademacher(randomKey(23), [n]))).toEqual(draws);
    for (const shape of [[], [0], [2, 5]]) {
      const x = rademacher(randomKey(4), shape);
      expect(x.shape).toEqual(shape);
      expect(x.dtype).toBe("float32");
      x.dispose();
    }
    expectNoLeak(() => rademacher(randomKey(4), [2, 5]));
  });

  test("pairs of draws are independent: split keys, neighbouring indices of foldIn, parent and child (χ² at .001)", () => {
    const root = randomKey(33);
    const one = (key: Key): number => read(uniform(key, []))[0]!;
    const pairs: Record<string, (i: number) => [number, number]> = {
      "split keys": (i) => split(foldIn(root, i)).map(one) as [number, number],
      "neighbouring indices": (i) => [one(foldIn(root, 2 * i)), one(foldIn(root, 2 * i + 1))],
      "parent and child": (i) => [one(foldIn(root, i)), one(foldIn(foldIn(root, i), 0))],
      "consecutive seeds": (i) => [one(randomKey(2 * i)), one(randomKey(2 * i + 1))],
    };
    const [cells, repeats] = [6, 1800];
    for (const [name, pair] of Object.entries(pairs)) {
      const counts = new Array<number>(cells ** 2).fill(0);
      for (let i = 0; i < repeats; i++) {
        const [u, v] = pair(i);
        counts[Math.floor(u * cells) * cells + Math.floor(v * cells)]!++;
      }
      const { statistic, degrees } = chiSquare(
        counts,
        counts.map(() => repeats / cells ** 2),
      );
      expect(statistic, name).toBeLessThan(chiSquareBound(degrees));
    }
  });

  test("one draw each from many keys follows the distribution too", () => {
    const draws = split(randomKey(31), 3000).map((key) => read(normal(key, []))[0]!);
    expect(kolmogorovSmirnov(draws, normalCdf)).toBeLessThan(1.95);
    const folded = Array.from({ length: 3000 }, (_, i) => read(normal(foldIn(randomKey(32), i), []))[0]!);
    expect(kolmogorovSmirnov(folded, normalCdf)).toBeLessThan(1.95);
  });

  test("categorical draws in proportion to softmax(logits), batched, with impossible indices left out", () => {
    const logits = tf.tensor2d([
      [0, Math.log(2), Math.log(5), Number.NEGATIVE_INFINITY],
      [1000, 1000, Number.NEGATIVE_INFINITY, 1000],
    ]);
    const draws = categorical(randomKey(1), logits, [n]);
    expect(draws.shape).toEqual([n, 2]);
    expect(draws.dtype).toBe("int32");
    const values = read(draws);
    const expected = [
      [1 / 8, 2 / 8, 5 / 8, 0],
      [1 / 3, 1 / 3, 0, 1 / 3],
    ];
    for (const [row, probabilities] of expected.entries()) {
      for (const [index, p] of probabilities.entries()) {
        const share = values.filter((value, i) => i % 2 === row && value === index).length / n;
        expect(Math.abs(share - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / n));
      }
    }
    expectNoLeak(() => categorical(randomKey(1), logits, [5]));
    expect(() => categorical(randomKey(1), tf.scalar(0))).toThrow(/\[\.\.\., K\]/);
  });

  test("categorical over 1000 indices follows their probabilities (χ² at .001), and takes the shapes of the edge", () => {
    const k = 1000;
    const weights = Array.from({ length: k }, (_, i) => 1 + (i % 7));
    const total = weights.reduce((sum, w) => sum + w, 0);
    const logits = tf.tensor1d(weights.map((w) => 50 + Math.log(w)));
    const counts = new Array<number>(k).fill(0);
    for (const index of read(categorical(randomKey(3), logits, [8000]))) counts[index]!++;
    const { statistic, degrees } = chiSquare(
      counts,
      weights.map((w) => (8000 * w) / total),
    );
    expect(statistic).toBeLessThan(chiSquareBound(degrees));
    for (const shape of [[], [0], [2, 3]]) {
      const x = categorical(randomKey(3), logits, shape);
      expect(x.shape).toEqual(shape);
      x.dispose();
    }
    logits.dispose();
  });

  test("bernoulli draws ones with the given probabilities", () => {
    const probabilities = tf.tensor1d([0, 0.2, 0.9, 1]);
    const draws = bernoulli(randomKey(1), probabilities, [n]);
    expect(draws.shape).toEqual([n, 4]);
    const shares = read(tf.mean(draws, 0));
    [0, 0.2, 0.9, 1].forEach((p, i) => {
      expect(Math.abs(shares[i]! - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / n) + 1e-6);
    });
    expectNoLeak(() => bernoulli(randomKey(1), probabilities));
  });

  test("a draw is a constant to the gradient, and tidy sees it", () => {
    const scale = tf.scalar(2);
    const before = tf.memory().numTensors;
    const gradient = tf.tidy(() => tf.grad((s) => tf.sum(tf.mul(s, normal(randomKey(1), [5]))))(scale));
    const expected = tf.tidy(() => tf.sum(normal(randomKey(1), [5])));
    expect(tf.memory().numTensors - before).toBe(2);
    expect(read(gradient)[0]).toBeCloseTo(read(expected)[0]!, 5);
  });
});

test("wasm and cpu draw the same numbers: the portable generator", async () => {
  await ready({ backend: "wasm" });
  const onWasm = read(normal(randomKey(1), [100]));
  await ready({ backend: "cpu" });
  expect(read(normal(randomKey(1), [100]))).toEqual(onWasm);
});
