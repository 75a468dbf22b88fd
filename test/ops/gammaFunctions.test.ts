import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
import { digamma, polygamma } from "../../src/ops/digamma.js";
import { logGamma, polyGamma } from "../../src/ops/gammaFunctions.js";
import { lgamma } from "../../src/ops/lgamma.js";
import { backends, expectClose, read } from "../engine/support.js";

const eulerGamma = 0.5772156649015329;
const zeta3 = 1.2020569031595942;

describe("in Float64", () => {
  test("log Γ at integers and half-integers, and by reflection", () => {
    const points = [1, 2, 5, 11, 171, 0.5, 2.5, -0.5];
    const root = Math.sqrt(Math.PI);
    const factorial = Array.from({ length: 170 }, (_, i) => i + 1).reduce((sum, k) => sum + Math.log(k), 0);
    const exact = [
      0,
      0,
      Math.log(24),
      Math.log(3628800),
      factorial,
      Math.log(root),
      Math.log(0.75 * root),
      Math.log(2 * root),
    ];
    expectClose(points.map(logGamma), exact, 1e-14);
    expect(logGamma(0)).toBe(Number.POSITIVE_INFINITY);
    expect(logGamma(-3)).toBe(Number.POSITIVE_INFINITY);
    expectClose([logGamma(1e-10)], [Math.log(1e10) - eulerGamma * 1e-10], 1e-14);
  });

  test("ψ and its derivatives at their known values", () => {
    const actual = [polyGamma(0, 1), polyGamma(0, 0.5), polyGamma(0, 10), polyGamma(0, -0.5)];
    const harmonic = [1, 2, 3, 4, 5, 6, 7, 8, 9].reduce((sum, k) => sum + 1 / k, 0);
    const half = -eulerGamma - 2 * Math.LN2;
    expectClose(actual, [-eulerGamma, half, harmonic - eulerGamma, half + 2], 1e-14);
    expectClose(
      [polyGamma(1, 1), polyGamma(1, 0.5), polyGamma(2, 1), polyGamma(2, 0.5), polyGamma(3, 1)],
      [Math.PI ** 2 / 6, Math.PI ** 2 / 2, -2 * zeta3, -14 * zeta3, Math.PI ** 4 / 15],
      1e-14,
    );
    expect(polyGamma(0, 0)).toBeNaN();
  });

  test("the recurrences hold across the switch to the asymptotic series", () => {
    for (const x of [0.3, 3.7, 11.5, 12, 13.2, 40]) {
      expectClose([logGamma(x + 1) - logGamma(x)], [Math.log(x)], 1e-12);
      for (const n of [0, 1, 2, 3]) {
        const factorial = [1, 1, 2, 6][n]!;
        expectClose([polyGamma(n, x + 1) - polyGamma(n, x)], [((-1) ** n * factorial) / x ** (n + 1)], 1e-12);
      }
    }
  });
});

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("tensors agree with Float64", () => {
    const points = [0.01, 0.3, 1, 1.4616321, 2.5, 10, 100, 1e4];
    const x = tf.tensor1d(points);
    const at = Array.from(x.dataSync()); // what float32 made of them
    expectClose(read(lgamma(x)), at.map(logGamma), 1e-6);
    expectClose(
      read(digamma(x)),
      at.map((value) => polyGamma(0, value)),
      1e-6,
    );
    expectClose(
      read(polygamma(1, x)),
      at.map((value) => polyGamma(1, value)),
      1e-6,
    );
    expect(() => polygamma(0, x)).toThrow(/positive integer/);
  });
});
