import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey, split } from "../../src/engine/random.js";
import { type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { affine } from "../../src/ops/affine.js";
import { matMul } from "../../src/ops/matMul.js";
import { backends, expectClose, read } from "../engine/support.js";

/** Rows × inner × columns on both sides of what decides the kernel: little work, middling work, large matrices. */
const sizes = [
  [3, 4, 2],
  [300, 200, 150],
  [1100, 200, 800],
] as const;

const matrix = (seed: number, rows: number, columns: number): Tensor2D =>
  normal(randomKey(seed), [rows, columns]) as Tensor2D;

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test.each(backend === "cpu" ? sizes.slice(0, 2) : sizes)("%i × %i × %i is what tf.matMul makes of it", (m, n, o) => {
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const a = transposeA ? matrix(1, n, m) : matrix(1, m, n);
      const b = transposeB ? matrix(2, o, n) : matrix(2, n, o);
      const difference = tf.max(
        tf.abs(tf.sub(matMul(a, b, { transposeA, transposeB }), tf.matMul(a, b, transposeA, transposeB))),
      );
      // Entries are sums of n products of normals, of size √n; the two orders of summation differ by roundings of that.
      expect(read(difference)[0]).toBeLessThan(2e-6 * Math.sqrt(n));
    }
  });

  test("affine adds the bias to every row", () => {
    const [x, weights] = [matrix(1, 7, 5), matrix(2, 5, 3)];
    const bias = normal(split(randomKey(3))[0], [3]) as Tensor1D;
    expectClose(read(affine(x, weights, bias)), read(tf.add(tf.matMul(x, weights), bias)), 1e-6);
  });

  test("sizes that do not fit are named", () => {
    expect(() => matMul(tf.zeros([2, 3]), tf.zeros([2, 3]))).toThrow("matMul: [2, 3] and [2, 3] do not fit");
    expect(() => matMul(tf.zeros([4, 2, 3]), tf.zeros([1, 3, 2]))).toThrow(
      "matMul: [4, 2, 3] and [1, 3, 2] do not fit",
    );
    expect(() => matMul(tf.zeros([2, 3]), tf.zeros([2, 3]), { transposeB: true })).not.toThrow();
    expect(() => affine(tf.zeros([2, 3]), tf.zeros([2, 3]), tf.zeros([3]))).toThrow("affine: weights");
    expect(() => affine(tf.zeros([2, 3]), tf.zeros([3, 4]), tf.zeros([3]))).toThrow("affine: bias");
  });
});
