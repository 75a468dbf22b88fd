import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { tanh } from "../../src/ops/tanh.js";
import { affineCoupling } from "../../src/transforms/affineCoupling.js";
import type { Bijection } from "../../src/transforms/bijection.js";
import { chained } from "../../src/transforms/chained.js";
import { correlationCholesky } from "../../src/transforms/correlationCholesky.js";
import { interval } from "../../src/transforms/interval.js";
import { lowerCholesky } from "../../src/transforms/lowerCholesky.js";
import { ordered } from "../../src/transforms/ordered.js";
import { positive } from "../../src/transforms/positive.js";
import { real } from "../../src/transforms/real.js";
import { simplex } from "../../src/transforms/simplex.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { differenceQuotient, gradientOf, type Operation } from "../ops/support.js";

/** Which entries of one y are free: its x has as many. */
const below = (D: number, diagonal: boolean): number[] =>
  Array.from({ length: D * D }, (_, k) => k).filter((k) => {
    const [i, j] = [Math.floor(k / D), k % D];
    return i > j || (diagonal && i === j);
  });
const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

interface Spec {
  readonly name: string;
  readonly make: () => Bijection;
  readonly free: readonly number[];
  /** Whether one y lies in the set. */
  readonly inside: (y: readonly number[]) => boolean;
  /** How far out x may go with y still on the way back to it. */
  readonly reach: number;
}

/** A coupling of three numbers, its log-scale and shift bounded functions of those it keeps. */
const coupling = (moves: "first" | "last"): Bijection =>
  affineCoupling({
    dimension: 3,
    moves,
    given: (kept) => {
      const mean = tf.mean(kept, -1, true);
      const [scale, shift] =
        moves === "first"
          ? [[0.6], [1]]
          : [
              [0.8, -0.5],
              [1, -2],
            ];
      return { logScale: tf.mul(tanh(mean), scale!), shift: tf.mul(tanh(tf.sub(mean, 0.3)), shift!) };
    },
  });

const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-5;
const rowsOf = (y: readonly number[], D: number): number[][] => all(D).map((i) => y.slice(i * D, (i + 1) * D));
const specs: readonly Spec[] = [
  { name: "real", make: () => real([2, 2]), free: all(4), inside: () => true, reach: 1e6 },
  { name: "positive", make: () => positive([3]), free: all(3), inside: (y) => y.every((v) => v > 0), reach: 80 },
  {
    name: "positive through softplus",
    make: () => positive([3], { through: "softplus" }),
    free: all(3),
    inside: (y) => y.every((v) => v > 0),
    reach: 80,
  },
  {
    name: "interval",
    make: () => interval({ low: -1, high: 2.5 }, [3]),
    free: all(3),
    inside: (y) => y.every((v) => v >= -1 && v <= 2.5),
    reach: 7,
  },
  {
    name: "simplex",
    make: () => simplex(4),
    free: all(3),
    inside: (y) =>
      y.every((v) => v > 0) &&
      near(
        y.reduce((a, b) => a + b),
        1,
      ),
    reach: 12,
  },
  {
    name: "ordered",
    make: () => ordered(4),
    free: all(4),
    inside: (y) => y.every((v, i) => i === 0 || v >= y[i - 1]),
    reach: 6,
  },
  {
    name: "lowerCholesky",
    make: () => lowerCholesky(3),
    free: below(3, true),
    inside: (y) => rowsOf(y, 3).every((row, i) => row[i] > 0 && row.slice(i + 1).every((v) => v === 0)),
    reach: 80,
  },
  { name: "affineCoupling, last", make: () => coupling("last"), free: all(3), inside: () => true, reach: 80 },
  { name: "affineCoupling, first", make: () => coupling("first"), free: all(3), inside: () => true, reach: 80 },
  {
    name: "chained",
    make: () => chained([coupling("last"), coupling("first"), positive([3])]),
    free: all(3),
    inside: (y) => y.every((v) => v > 0),
    reach: 6,
  },
  {
    name: "correlationCholesky",
    make: () => correlationCholesky(4),
    free: below(4, false),
    inside: (y) =>
      rowsOf(y, 4).every(
        (row, i) =>
          row[i] > 0 &&
          row.slice(i + 1).every((v) => v === 0) &&
          near(
            row.reduce((a, v) => a + v * v, 0),
            1,
          ),
      ),
    reach: 8,
  },
];

/** Different numbers, of every sign. */
function points(shape: readonly number[], size = 1): Tensor {
  const n = shape.reduce((product, k) => product * k, 1);
  return tf.tensor(
    Float32Array.from({ length: n }, (_, i) => size * Math.sin(1.7 * i + 0.4)),
    [...shape],
  );
}

/** log |det A| in Float64, by elimination with pivots. */
function logAbsDeterminant(matrix: number[][]): number {
  const a = matrix.map((row) => [...row]);
  let total = 0;
  for (let k = 0; k < a.length; k++) {
    const pivot = all(a.length).reduce((best, i) => (i > k && Math.abs(a[i][k]) > Math.abs(a[best][k]) ? i : best), k);
    [a[k], a[pivot]] = [a[pivot], a[k]];
    total += Math.log(Math.abs(a[k][k]));
    for (let i = k + 1; i < a.length; i++) {
      const factor = a[i][k] / a[k][k];
      for (let j = k; j < a.length; j++) a[i][j] -= factor * a[k][j];
    }
  }
  return total;
}

/** ∂(free entries of y)/∂x at one x, by automatic differentiation. */
function jacobian({ forward, unconstrainedShape }: Bijection, x: Tensor, free: readonly number[]): number[][] {
  return free.map((entry) => {
    const { value, gradient } = valueAndGradient(
      ({ at }) => tf.reshape(tf.slice(tf.reshape(forward(at), [-1]), [entry], [1]), []),
      { at: tf.reshape(x, [...unconstrainedShape]) },
    );
    value.dispose();
    return read(gradient.at);
  });
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  describe.each(specs)("$name", ({ make, free, inside, reach }) => {
    const map = make();
    const size = map.shape.reduce((product, n) => product * n, 1);

    it("maps any leading dimensions, into its set", () => {
      for (const leading of [[], [3], [2, 3]]) {
        const x = points([...leading, ...map.unconstrainedShape], 2);
        const y = map.forward(x);
        expect(y.shape).toEqual([...leading, ...map.shape]);
        expect(map.inverse(y).shape).toEqual(x.shape);
        expect(map.logDeterminant(x).shape).toEqual(leading);
        const values = read(y);
        for (let i = 0; i < values.length; i += size) expect(inside(values.slice(i, i + size))).toBe(true);
      }
    });

    it("comes back, far out too", () => {
      for (const far of [1e-3, 1, reach / 2, reach]) {
        const x = points([5, ...map.unconstrainedShape], far);
        const back = map.inverse(map.forward(x));
        const largest = Math.max(1, far);
        expectClose(
          read(tf.div(back, largest)),
          read(tf.div(x, largest)),
          far > 6 && map.name !== "positive" ? 5e-2 : 2e-4,
        );
      }
    });

    it("has the log-determinant of its Jacobian", () => {
      for (const far of [0.3, 1.5]) {
        const x = points([1, ...map.unconstrainedShape], far);
        expectClose(read(map.logDeterminant(x)), [logAbsDeterminant(jacobian(map, x, free))], 1e-4);
      }
    });

    it("stays finite and inside at extreme x", () => {
      for (const far of [20, 80]) {
        const x = points([7, ...map.unconstrainedShape], far);
        for (const value of read(map.logDeterminant(x))) expect(Number.isFinite(value)).toBe(true);
        const { value, gradient } = valueAndGradient(({ at }) => tf.sum(map.logDeterminant(at)), { at: x });
        value.dispose();
        for (const slope of read(gradient.at)) expect(Number.isFinite(slope)).toBe(true);
      }
    });

    it("is differentiable twice, both ways", () => {
      const x = points([2, ...map.unconstrainedShape], 0.8);
      for (const f of [map.forward, map.logDeterminant] as const) {
        const operation: Operation = (at) => f(at!);
        expectClose(read(gradientOf(operation, [x], 0)), differenceQuotient(operation, [x], 0), 2e-3);
        const slope: Operation = (at) => gradientOf(operation, [at!], 0);
        expectClose(read(gradientOf(slope, [x], 0)), differenceQuotient(slope, [x], 0), 5e-3);
      }
      const y = map.forward(x);
      const there: Operation = (at) => map.inverse(map.forward(at!));
      // f⁻¹(f(x)) = x, so its gradient is the weights themselves: the chain of both derivatives is the identity.
      const identity: Operation = (at) => tf.clone(at!);
      expectClose(read(gradientOf(there, [x], 0)), read(gradientOf(identity, [x], 0)), 1e-3);
      y.dispose();
    });

    it("compiles to what it is, and leaves nothing", () => {
      const x = points([3, ...map.unconstrainedShape]);
      const step = compile(({ at }: { at: Tensor }) => {
        const { value, gradient } = valueAndGradient(
          (p) => tf.add(tf.sum(tf.square(map.forward(p.at))), tf.sum(map.logDeterminant(p.at))),
          { at },
        );
        return { y: map.forward(at), back: map.inverse(map.forward(at)), value, slope: gradient.at };
      });
      const { y, back, value, slope } = step({ at: x });
      expectClose(read(y), read(map.forward(x)), 1e-6);
      expectClose(read(back), read(map.inverse(map.forward(x))), 1e-5);
      expect(Number.isFinite(read(value)[0])).toBe(true);
      slope.dispose();
      step.dispose();
      expectNoLeak(() => map.forward(x));
      expectNoLeak(() => map.logDeterminant(x));
      const forward = map.forward(x);
      expectNoLeak(() => map.inverse(forward));
    });
  });
});

describe("numbers that are known", () => {
  it("are met", () => {
    // x = 0 breaks the stick into equal parts, and is the identity correlation.
    expectClose(read(simplex(5).forward(tf.zeros([4]))), Array(5).fill(0.2), 1e-6);
    expectClose(read(correlationCholesky(3).forward(tf.zeros([3]))), [1, 0, 0, 0, 1, 0, 0, 0, 1], 1e-7);
    expectClose(read(positive().forward(tf.tensor1d([0, Math.log(3)]))), [1, 3], 1e-6);
    expectClose(read(ordered(3).forward(tf.tensor1d([-1, 0, Math.LN2]))), [-1, 0, 2], 1e-6);
    expectClose(read(interval({ low: 2, high: 6 }).forward(tf.tensor1d([0]))), [4], 1e-6);
    expectClose(read(lowerCholesky(2).forward(tf.tensor1d([Math.log(2), -3, Math.log(5)]))), [2, 0, -3, 5], 1e-5);
    // A correlation of ½ is the partial correlation of two numbers.
    expectClose(
      read(correlationCholesky(2).forward(tf.tensor1d([Math.atanh(0.5)]))),
      [1, 0, 0.5, Math.sqrt(0.75)],
      1e-6,
    );
  });

  it("integrate to the volume of the set: the simplex of three has area ½, the correlations of two length 2", () => {
    const step = 0.05;
    const line = Array.from({ length: 601 }, (_, i) => -15 + i * step);
    const logs = read(simplex(3).logDeterminant(tf.tensor2d(line.flatMap((a) => line.map((b) => [a, b])))));
    expect(logs.reduce((sum, log) => sum + Math.exp(log) * step * step, 0)).toBeCloseTo(0.5, 5);
    const correlations = read(correlationCholesky(2).logDeterminant(tf.tensor2d(line.map((a) => [a]))));
    expect(correlations.reduce((sum, log) => sum + Math.exp(log) * step, 0)).toBeCloseTo(2, 5);
  });
});

describe("bad input", () => {
  it("is refused in a sentence", () => {
    expect(() => real([0])).toThrow("real: the shape must consist of positive integers, not [0]");
    expect(() => positive([1.5])).toThrow("positive integers");
    expect(() => interval({ low: 1, high: 1 })).toThrow("low < high, not 1 and 1");
    expect(() => interval({ low: 0, high: Number.POSITIVE_INFINITY })).toThrow("finite");
    expect(() => simplex(1)).toThrow("simplex: the size must be an integer of at least 2, not 1");
    expect(() => ordered(1)).toThrow("ordered: the size");
    expect(() => lowerCholesky(0)).toThrow("lowerCholesky: the size");
    expect(() => correlationCholesky(1)).toThrow("correlationCholesky: the size");
    expect(() => simplex(3).forward(tf.zeros([4, 3]))).toThrow("simplex: x has the shape [4, 3], but must end in [2]");
    expect(() => lowerCholesky(2).inverse(tf.zeros([2, 3]))).toThrow("must end in [2, 2]");
    const given = (kept: Tensor) => ({ logScale: kept, shift: kept });
    expect(() => affineCoupling({ dimension: 1, moves: "last", given })).toThrow("an integer of at least 2, not 1");
    expect(() => affineCoupling({ dimension: 2, moves: "last", given }).forward(tf.zeros([3]))).toThrow("end in [2]");
    expect(() => chained([])).toThrow("there is no map");
    expect(() => chained([positive([2]), simplex(2)])).toThrow(
      "simplex takes the shape [1], but positive before it gives [2]",
    );
    expect(() => real([2]).logDeterminant(tf.zeros([3]))).toThrow("must end in [2]");
  });
});
