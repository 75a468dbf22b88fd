import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { beta, dirichlet, gamma, logGamma } from "../../src/engine/gamma.js";
import { type Key, randomKey, split } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { polyGamma } from "../../src/ops/gammaFunctions.js";
import { chiSquare, chiSquareBound, logGammaCdf } from "./exactCdfs.js";
import { backends, expectNoLeak, kolmogorovSmirnov, mean, read, variance } from "./support.js";

const n = 20_000;

/** Mean and variance of draws within 4 standard errors; the variance's own is estimated from the draws. */
function expectMoments(draws: readonly number[], expectedMean: number, expectedVariance: number): void {
  expect(Math.abs(mean(draws) - expectedMean)).toBeLessThan(4 * Math.sqrt(expectedVariance / draws.length));
  const squares = draws.map((x) => (x - expectedMean) ** 2);
  expect(Math.abs(mean(squares) - expectedVariance)).toBeLessThan(4 * Math.sqrt(variance(squares) / draws.length));
}

function correlation(x: readonly number[], y: readonly number[]): number {
  const [mx, my] = [mean(x), mean(y)];
  return mean(x.map((value, i) => (value - mx) * (y[i]! - my))) / Math.sqrt(variance(x) * variance(y));
}

/** Draws of a distribution with fixed parameters. */
type Draw = (key: Key, shape: readonly number[]) => Tensor;

const scalar = (value: number): Tensor => tf.scalar(value);

describe.each(backends)("gamma draws on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test.each([0.3, 0.9, 1, 1.5, 4, 30])("gamma(α = %d): moments within 4 s.e., Kolmogorov–Smirnov at .001", (alpha) => {
    const draws = read(tf.tidy(() => gamma(randomKey(11), scalar(alpha), [n])));
    expectMoments(draws, alpha, alpha);
    const cdf = logGammaCdf(alpha);
    expect(kolmogorovSmirnov(draws, (x) => cdf(Math.log(x)))).toBeLessThan(1.95);
  });

  test.each([1e-3, 0.01, 0.3, 1, 4, 30])(
    "logGamma(α = %d): moments ψ(α), ψ′(α), Kolmogorov–Smirnov at .001",
    (alpha) => {
      const draws = read(tf.tidy(() => logGamma(randomKey(12), scalar(alpha), [n])));
      expectMoments(draws, polyGamma(0, alpha), polyGamma(1, alpha));
      expect(kolmogorovSmirnov(draws, logGammaCdf(alpha))).toBeLessThan(1.95);
    },
  );

  test("α = 1e6 keeps its relative spread of 1e-3", () => {
    for (const draw of [gamma, (...of: Parameters<typeof gamma>) => tf.exp(logGamma(...of))]) {
      const draws = read(tf.tidy(() => draw(randomKey(13), scalar(1e6), [2000])));
      expectMoments(draws, 1e6, 1e6);
      const cdf = logGammaCdf(1e6);
      expect(kolmogorovSmirnov(draws, (x) => cdf(Math.log(x)))).toBeLessThan(1.95);
    }
  });

  test("at α = 0.01 gamma underflows to 0 as often as float32 must, P(G < 1.2e-38) = .42", () => {
    const draws = read(tf.tidy(() => gamma(randomKey(14), scalar(0.01), [n])));
    // Draws between the smallest subnormal and the smallest normal number may or may not be flushed.
    const [atLeast, atMost] = [Math.log(2 ** -150), Math.log(2 ** -126)].map(logGammaCdf(0.01)) as [number, number];
    const share = draws.filter((x) => x === 0).length / n;
    expect(share).toBeGreaterThan(atLeast - 4 * Math.sqrt(0.25 / n));
    expect(share).toBeLessThan(atMost + 4 * Math.sqrt(0.25 / n));
  });

  test("every element follows its own concentration", () => {
    const alphas = [0.2, 1, 7];
    const draws = read(tf.tidy(() => gamma(randomKey(15), tf.tensor2d([alphas, [3, 0.5, 40]]), [n])));
    [...alphas, 3, 0.5, 40].forEach((alpha, column) => {
      expectMoments(
        draws.filter((_, i) => i % 6 === column),
        alpha,
        alpha,
      );
    });
  });

  const closed: readonly { name: string; draw: Draw; cdf: (x: number) => number; mean: number; variance: number }[] = [
    {
      name: "Beta(2, 3)",
      draw: (key, shape) => beta(key, scalar(2), scalar(3), shape),
      cdf: (x) => x ** 2 * (6 - 8 * x + 3 * x ** 2),
      mean: 0.4,
      variance: 0.04,
    },
    {
      name: "Beta(½, ½)",
      draw: (key, shape) => beta(key, scalar(0.5), scalar(0.5), shape),
      cdf: (x) => (2 / Math.PI) * Math.asin(Math.sqrt(x)),
      mean: 0.5,
      variance: 0.125,
    },
    {
      name: "Beta(0.1, 1)",
      draw: (key, shape) => beta(key, scalar(0.1), scalar(1), shape),
      cdf: (x) => x ** 0.1,
      mean: 0.1 / 1.1,
      variance: 0.1 / (1.1 ** 2 * 2.1),
    },
    {
      name: "share of Dirichlet(½, ¼, ¼)",
      draw: (key, shape) =>
        tf.squeeze(tf.slice(dirichlet(key, tf.tensor1d([0.5, 0.25, 0.25]), shape), [0, 0], [-1, 1]), [1]),
      cdf: (x) => (2 / Math.PI) * Math.asin(Math.sqrt(x)),
      mean: 0.5,
      variance: 0.125,
    },
  ];
  test.each(closed)("$name: moments within 4 s.e., Kolmogorov–Smirnov at .001", ({ draw, cdf, mean, variance }) => {
    const draws = read(tf.tidy(() => draw(randomKey(16), [n])));
    expectMoments(draws, mean, variance);
    expect(kolmogorovSmirnov(draws, cdf)).toBeLessThan(1.95);
  });

  test("beta with concentrations of 1e6 is not rounded away", () => {
    const draws = read(tf.tidy(() => beta(randomKey(17), scalar(1e6), scalar(1e6), [n])));
    expectMoments(draws, 0.5, 0.25 / (2e6 + 1));
  });

  test("dirichlet sums to one and has covariance (δ_ij m_i − m_i m_j) / (1 + Σα)", () => {
    const alpha = [0.4, 2, 5];
    const total = 7.4;
    const draws = read(tf.tidy(() => dirichlet(randomKey(18), tf.tensor1d(alpha), [n])));
    const columns = [0, 1, 2].map((k) => draws.filter((_, i) => i % 3 === k)) as [number[], number[], number[]];
    const sums = columns[0].map((x, i) => x + columns[1][i]! + columns[2][i]!);
    expect(Math.max(...sums.map((sum) => Math.abs(sum - 1)))).toBeLessThan(1e-6);
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const [mi, mj] = [alpha[i]! / total, alpha[j]! / total];
      const products = columns[i].map((x, row) => (x - mi) * (columns[j][row]! - mj));
      const error = Math.sqrt(variance(products) / n);
      expect(Math.abs(mean(products) + (mi * mj) / (1 + total))).toBeLessThan(4 * error);
    }
  });

  test("dirichlet with concentrations of 1e-4 picks one corner, each as often (χ² at .001)", () => {
    const draws = read(tf.tidy(() => dirichlet(randomKey(19), tf.fill([3], 1e-4), [3000])));
    const corners = [0, 1, 2].map((k) => draws.filter((x, i) => i % 3 === k && x > 0.5).length);
    // P(no share above .5) is of the order of the concentration, so a draw or two may be no corner.
    expect(corners[0]! + corners[1]! + corners[2]!).toBeGreaterThan(2990);
    const { statistic, degrees } = chiSquare(corners, [1000, 1000, 1000]);
    expect(statistic).toBeLessThan(chiSquareBound(degrees));
    expect(draws.every((x) => x >= 0 && x <= 1)).toBe(true);
  });

  const draws: readonly { name: string; draw: Draw; trailing: readonly number[] }[] = [
    { name: "gamma", draw: (key, shape) => gamma(key, scalar(0.7), shape), trailing: [] },
    { name: "logGamma", draw: (key, shape) => logGamma(key, scalar(0.7), shape), trailing: [] },
    { name: "beta", draw: (key, shape) => beta(key, scalar(2), tf.ones([2]), shape), trailing: [2] },
    { name: "dirichlet", draw: (key, shape) => dirichlet(key, tf.ones([2, 3]), shape), trailing: [2, 3] },
  ];
  describe.each(draws)("$name", ({ draw, trailing }) => {
    test("the same key gives the same bits, another key gives others", () => {
      const of = (seed: number): number[] => read(tf.tidy(() => draw(randomKey(seed), [5])));
      expect(of(1)).toEqual(of(1));
      expect(of(1)).not.toEqual(of(2));
    });

    test("has the shape asked for, scalars and empty shapes included, and leaks nothing", () => {
      for (const shape of [[], [0], [3], [2, 5]]) {
        const x = tf.tidy(() => draw(randomKey(4), shape));
        expect(x.shape).toEqual([...shape, ...trailing]);
        expect(x.dtype).toBe("float32");
        x.dispose();
      }
      expectNoLeak(() => tf.tidy(() => draw(randomKey(4), [2])));
    });

    test("draws under split keys, and neighbours within a draw, are uncorrelated", () => {
      const [left, right] = split(randomKey(21));
      // One number a draw, so that the shares of one draw, which do depend on each other, stay out of it.
      const [a, b, root] = [left, right, randomKey(21)].map((key) =>
        read(tf.tidy(() => draw(key, [n]))).filter((_, i, { length }) => i % (length / n) === 0),
      ) as [number[], number[], number[]];
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

  test("a concentration that is not positive gives NaN, and only there", () => {
    const bad = tf.tensor1d([0, -0.3, -2, Number.NaN, 2]);
    for (const draw of [gamma, logGamma]) {
      const values = read(draw(randomKey(1), bad, [2]));
      expect(values.map(Number.isNaN)).toEqual([true, true, true, true, false, true, true, true, true, false]);
    }
    const shares = read(beta(randomKey(1), bad, tf.scalar(1)));
    expect(shares.map(Number.isNaN)).toEqual([true, true, true, true, false]);
    expect(
      read(
        dirichlet(
          randomKey(1),
          tf.tensor2d([
            [1, 0],
            [1, 2],
          ]),
        ),
      ).map(Number.isNaN),
    ).toEqual([true, true, false, false]);
    expect(read(gamma(randomKey(1), tf.scalar(Number.POSITIVE_INFINITY)))).toEqual([Number.POSITIVE_INFINITY]);
    bad.dispose();
  });

  test("no gradient flows through a draw, and an int32 concentration will do", () => {
    const gradient = tf.tidy(() =>
      tf.grad((a) => tf.add(tf.sum(gamma(randomKey(1), a, [4])), tf.mul(a, 3)))(tf.scalar(2)),
    );
    expect(read(gradient)).toEqual([3]);
    expect(read(gamma(randomKey(1), tf.scalar(2, "int32")))).toEqual(read(gamma(randomKey(1), tf.scalar(2))));
  });

  test("bad shapes are named", () => {
    expect(() => beta(randomKey(1), tf.ones([2]), tf.ones([3]))).toThrow(/beta: the shapes a \[2\] and b \[3\]/);
    expect(() => dirichlet(randomKey(1), tf.scalar(1))).toThrow(
      /dirichlet: concentration must have the shape \[\.\.\., K\]/,
    );
    expect(() => gamma(randomKey(1), tf.scalar(1), [-1])).toThrow(/non-negative integers, not \[-1\]/);
  });
});
