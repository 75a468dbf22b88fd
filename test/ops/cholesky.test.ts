import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey, split } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { cholesky } from "../../src/ops/cholesky.js";
import { triangularSolve } from "../../src/ops/triangularSolve.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("the factor is lower triangular, has a positive diagonal, and multiplies back to the matrix", () => {
    const a = tf.tidy(() => {
      const x = normal(randomKey(1), [2, 3, 4, 6]);
      return tf.matMul(x, x, false, true);
    });
    const factor = cholesky(a);
    expect(factor.shape).toEqual([2, 3, 4, 4]);
    expectClose(read(tf.matMul(factor, factor, false, true)), Array.from(a.dataSync()), 1e-5);
    Array.from(factor.dataSync()).forEach((value, i) => {
      const row = Math.floor(i / 4) % 4;
      if (i % 4 > row) expect(value).toBe(0);
      if (i % 4 === row) expect(value).toBeGreaterThan(0);
    });
    expectNoLeak(() => cholesky(a));
  });

  test.each([false, true])("triangularSolve undoes the product (transposed: %s)", (transposed) => {
    const [left, right] = split(randomKey(2));
    const lower = tf.tidy(() => tf.linalg.bandPart(tf.add(normal(left, [3, 4, 4]), tf.mul(tf.eye(4), 4)), -1, 0));
    const x = normal(right, [3, 4, 2]);
    const b = tf.matMul(lower, x, transposed, false);
    expectClose(read(triangularSolve(lower, b, { transposed })), Array.from(x.dataSync()), 1e-5);
    expectNoLeak(() => triangularSolve(lower, b, { transposed }));
  });

  test("a matrix that is not positive definite gives NaN", () => {
    const [first, , , last] = read(cholesky(tf.tensor2d([1, 2, 2, 1], [2, 2])));
    expect([first, last].some(Number.isNaN)).toBe(true);
    const negative = read(cholesky(tf.tensor2d([-1, 0, 0, 1], [2, 2])));
    expect(negative[0]).toBeNaN();
  });

  test("bad input is named", () => {
    expect(() => cholesky(tf.zeros([2, 3]))).toThrow(
      /cholesky: matrix has the shape \[2, 3\], but needs \[..., 3, 3\]/,
    );
    expect(() => triangularSolve(tf.eye(3), tf.zeros([2, 1]))).toThrow(
      /right has the shape \[2, 1\], but needs \[3, \*\]/,
    );
  });
});
