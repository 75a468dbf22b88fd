import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gaussLegendre } from "../../src/diagnostics/quadrature.js";
import { Dirichlet } from "../../src/distributions/dirichlet.js";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { logGamma, polyGamma } from "../../src/ops/gammaFunctions.js";
import { backends, expectClose, expectNoLeak, mean, read, variance } from "../engine/support.js";
import { differenceQuotient, gradientOf } from "../ops/support.js";
import { logBetaFunction } from "./exactLaws.js";

const rows = [
  [0.5, 2, 3.5],
  [20, 1, 0.8],
];
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const logNormaliser = (alpha: readonly number[]): number => sum(alpha.map(logGamma)) - logGamma(sum(alpha));

/** The gradients of f at n draws, one for each, in every α: `[n][N]`. */
function slopes(alpha: readonly number[], n: number, f: (x: Tensor) => Tensor): number[][] {
  const concentration = tf.tidy(() => tf.tile(tf.tensor2d([[...alpha]]), [n, 1]));
  const { value, gradient } = valueAndGradient(
    ({ at }: { at: Tensor }) => tf.sum(f(new Dirichlet({ concentration: at }).sample(randomKey(7)))),
    { at: concentration },
  );
  const all = read(gradient.at);
  tf.dispose([value, gradient.at, concentration]);
  return alpha.map((_, i) => all.filter((_, j) => j % alpha.length === i));
}

describe.each(backends)("Dirichlet on %s", (backend) => {
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  test("log p and the entropy are their closed forms, mean and variance those of the shares", () => {
    const law = new Dirichlet({ concentration: tf.tensor2d(rows) });
    expect([law.batchShape, law.eventShape]).toEqual([[2], [3]]);
    const points = [
      [0.2, 0.3, 0.5],
      [1e-20, 0.25, 0.75],
      [0.9, 0.0625, 0.0375],
    ];
    const x = tf.tensor3d(points.flatMap((point) => [point, point]).flat(), [3, 2, 3]);
    const exact = points.flatMap((point) =>
      rows.map((alpha) => sum(alpha.map((a, i) => (a - 1) * Math.log(point[i]!))) - logNormaliser(alpha)),
    );
    expectClose(read(law.logProb(x)), exact, 3e-6);
    expect(read(law.logProb(tf.tensor1d([0, 0.5, 0.5])))).toEqual([-Infinity, -Infinity]);
    const totals = rows.map(sum);
    const entropy = rows.map(
      (alpha, b) =>
        logNormaliser(alpha) +
        (totals[b]! - 3) * polyGamma(0, totals[b]!) -
        sum(alpha.map((a) => (a - 1) * polyGamma(0, a))),
    );
    expectClose(read(law.entropy()), entropy, 3e-6);
    expectClose(
      read(law.mean()),
      rows.flatMap((alpha, b) => alpha.map((a) => a / totals[b]!)),
      1e-6,
    );
    expectClose(
      read(law.variance()),
      rows.flatMap((alpha, b) => alpha.map((a) => (a * (totals[b]! - a)) / (totals[b]! ** 2 * (totals[b]! + 1)))),
      1e-6,
    );
  });

  test("log p has the gradient of its difference quotients", () => {
    const inputs = [tf.tensor2d(rows), tf.tensor1d([0.25, 0.5, 0.25])];
    const logProb = (concentration?: Tensor, x?: Tensor): Tensor =>
      new Dirichlet({ concentration: concentration! }).logProb(x!);
    for (const which of [0, 1])
      expectClose(read(gradientOf(logProb, inputs, which)), differenceQuotient(logProb, inputs, which), 5e-3);
  });

  test("draws have its moments, its entropy and sum to 1", () => {
    const n = 20_000;
    const law = new Dirichlet({ concentration: tf.tensor2d(rows) });
    const x = law.sample(randomKey(12), [n]);
    const [surprise, totals, values] = [read(tf.neg(law.logProb(x))), read(tf.sum(x, -1)), read(x)];
    const [means, variances, entropies] = [read(law.mean()), read(law.variance()), read(law.entropy())];
    means.forEach((m, j) => {
      const column = values.filter((_, i) => i % 6 === j);
      expect(Math.abs(mean(column) - m)).toBeLessThan(4 * Math.sqrt(variances[j]! / n));
      const squares = column.map((value) => (value - m) ** 2);
      expect(Math.abs(mean(squares) - variances[j]!)).toBeLessThan(4 * Math.sqrt(variance(squares) / n));
    });
    entropies.forEach((entropy, b) => {
      const own = surprise.filter((_, i) => i % 2 === b);
      expect(Math.abs(mean(own) - entropy)).toBeLessThan(4 * Math.sqrt(variance(own) / n));
    });
    expect(Math.max(...totals.map((total) => Math.abs(total - 1)))).toBeLessThan(1e-6);
    const small = read(new Dirichlet({ concentration: tf.fill([200, 3], 1e-3) }).sample(randomKey(1)));
    expect(small.every((share) => share > 0 && share <= 1)).toBe(true);
  });

  test("the gradients of expectations are exact within 4 s.e.: E Σ c log x, E x_1², and E sin 3x of two shares by quadrature", () => {
    const n = 40_000;
    const alpha = [0.7, 2, 3.5];
    const total = sum(alpha);
    const weights = [1, -0.5, 2];
    const cases: [readonly number[], (x: Tensor) => Tensor, readonly number[]][] = [
      [
        alpha,
        (x) => tf.mul(tf.log(x), tf.tensor1d(weights)),
        alpha.map((a, i) => weights[i]! * polyGamma(1, a) - sum(weights) * polyGamma(1, total)),
      ],
      [
        alpha,
        (x) => tf.square(tf.slice(x, [0, 0], [-1, 1])),
        alpha.map((a, i) => {
          const second = (alpha[0]! * (alpha[0]! + 1)) / (total * (total + 1));
          return second * ((i === 0 ? 1 / a + 1 / (a + 1) : 0) - 1 / total - 1 / (total + 1));
        }),
      ],
    ];
    const pair = [2.5, 4];
    const rule = gaussLegendre(0, 1, 200);
    const expected = ([a, b]: readonly number[]): number =>
      sum(
        Array.from(rule.points, (x, i) => {
          const logP = (a! - 1) * Math.log(x) + (b! - 1) * Math.log1p(-x) - logBetaFunction(a!, b!);
          return Math.sin(3 * x) * Math.exp(logP + rule.logWeights[i]!);
        }),
      );
    const h = 1e-4;
    const byQuadrature = pair.map((_, i) => {
      const at = (s: number): number => expected(pair.map((a, j) => (i === j ? a + s : a)));
      return (at(h) - at(-h)) / (2 * h);
    });
    cases.push([pair, (x) => tf.sin(tf.mul(3, tf.slice(x, [0, 0], [-1, 1]))), byQuadrature]);
    for (const [at, f, exact] of cases) {
      slopes(at, n, f).forEach((gradients, i) => {
        const error = Math.sqrt(variance(gradients) / n);
        expect(error).toBeGreaterThan(0);
        expect(Math.abs(mean(gradients) - exact[i]!)).toBeLessThan(4 * error);
      });
    }
  });

  test("draws by key, compiled as eager, and leaves no tensor behind", () => {
    const concentration = tf.tensor2d(rows);
    const draw = (seed: number, shape: number[] = []): Tensor =>
      new Dirichlet({ concentration }).sample(randomKey(seed), shape);
    expect(draw(1, [4]).shape).toEqual([4, 2, 3]);
    expect(read(draw(1))).toEqual(read(draw(1)));
    expect(read(draw(1))).not.toEqual(read(draw(2)));
    const step = compile(({ at, key }: { at: Tensor; key: Key }) => {
      const f = (p: { at: Tensor }): Tensor =>
        tf.sum(tf.square(new Dirichlet({ concentration: p.at }).sample(key, [5])));
      return { slope: valueAndGradient(f, { at }).gradient.at };
    });
    step({ at: concentration, key: randomKey(1) });
    const eager = tf.tidy(
      () =>
        valueAndGradient(
          ({ at }: { at: Tensor }) => tf.sum(tf.square(new Dirichlet({ concentration: at }).sample(randomKey(2), [5]))),
          { at: concentration },
        ).gradient.at,
    );
    expectClose(read(step({ at: concentration, key: randomKey(2) }).slope), read(eager), 1e-4);
    step.dispose();
    const [law, x] = [new Dirichlet({ concentration }), tf.fill([3], 1 / 3)];
    for (const make of [
      () => draw(1),
      () => law.logProb(x),
      () => law.entropy(),
      () => law.mean(),
      () => law.variance(),
    ])
      expectNoLeak(make);
  });
});

test("Dirichlet refuses a concentration without categories, and x of another size", () => {
  expect(() => new Dirichlet({ concentration: tf.scalar(1) })).toThrow("shape [..., N] with N ≥ 2 categories, not []");
  expect(() => new Dirichlet({ concentration: tf.ones([2, 1]) })).toThrow("N ≥ 2 categories, not [2, 1]");
  expect(() => new Dirichlet({ concentration: tf.ones([3]) }).logProb(tf.ones([2]))).toThrow("event shape [3]");
});
