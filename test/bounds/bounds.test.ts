import { beforeAll, describe, expect, it } from "vitest";
import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { expectClose, expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const logW = [
  [0.3, -2, 700],
  [-1.1, 0.4, 701.5],
  [2.2, 1.7, 650],
  [0.9, -0.2, 699],
];
const column = (b: number, values = logW): number[] => values.map((row) => row[b]);
const matrix = (): Tensor2D => tf.tensor2d(logW);

/** Central differences of the Float64 value, of the first or second order. */
function difference(bound: Bound, values: readonly number[], k: number, order: 1 | 2): number {
  const h = order === 1 ? 1e-5 : 1e-3; // the second difference of a value near 700 loses 1e-13/h² to rounding
  const at = (shift: number) => bound.evaluate(values.map((value, i) => (i === k ? value + shift : value)));
  return order === 1 ? (at(h) - at(-h)) / (2 * h) : (at(h) - 2 * at(0) + at(-h)) / h ** 2;
}

describe.each([elbo, iwae])("$name", (bound) => {
  it("has the value that its Float64 form has", () => {
    expectClose(
      read(bound.value(matrix())),
      [0, 1, 2].map((b) => bound.evaluate(column(b))),
      1e-6,
    );
  });

  it("has weights and curvature equal to finite differences of the value", () => {
    for (const order of [1, 2] as const) {
      const expected = logW.flatMap((_, k) => [0, 1, 2].map((b) => difference(bound, column(b), k, order)));
      expectClose(read(order === 1 ? bound.weights(matrix()) : bound.curvature(matrix())), expected, 2e-6);
    }
  });

  it("differentiates to its weights", () => {
    const logW = matrix();
    const { gradient } = valueAndGradient(({ logW }) => tf.sum(bound.value(logW as Tensor2D)), { logW });
    expectClose(read(gradient.logW), read(bound.weights(logW)), 1e-6);
  });

  it("keeps finite weights finite beside a weight of zero, and is −∞ where all are zero", () => {
    const zeros = tf.tensor2d([
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      [1, Number.NEGATIVE_INFINITY],
    ]);
    const finite = bound.evaluate([Number.NEGATIVE_INFINITY, 1]);
    expect(read(bound.value(zeros))).toEqual([
      bound === elbo ? finite : expect.closeTo(finite, 5),
      Number.NEGATIVE_INFINITY,
    ]);
    for (const value of [...read(bound.weights(zeros)), ...read(bound.curvature(zeros))])
      expect(Number.isFinite(value)).toBe(true);
    const { gradient } = valueAndGradient(({ zeros }) => tf.sum(bound.value(zeros as Tensor2D)), { zeros });
    for (const value of read(gradient.zeros)) expect(Number.isFinite(value)).toBe(true);
  });

  it("refuses no samples and anything but a matrix", () => {
    expect(() => bound.value(tf.zeros([0, 3]) as Tensor2D)).toThrow("K = 0");
    expect(() => bound.weights(tf.zeros([3]) as unknown as Tensor2D)).toThrow("has the shape [3]");
    expect(() => bound.evaluate([])).toThrow();
  });

  it("leaves no tensor behind", () => {
    const logW = matrix();
    expectNoLeak(() => [bound.value(logW), bound.weights(logW), bound.curvature(logW)]);
    logW.dispose();
  });
});

describe("the two together", () => {
  it("agree at K = 1 and are ordered by Jensen, batch by batch", () => {
    expect(iwae.evaluate([-3.4])).toBeCloseTo(elbo.evaluate([-3.4]), 14);
    for (const b of [0, 1, 2]) expect(iwae.evaluate(column(b))).toBeGreaterThan(elbo.evaluate(column(b)));
  });
});
