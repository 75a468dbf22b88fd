import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { digamma, polygamma } from "../../src/ops/digamma.js";
import { logGamma, polyGamma } from "../../src/ops/gammaFunctions.js";
import { lgamma } from "../../src/ops/lgamma.js";
import { backends, expectClose, read } from "../engine/support.js";

const eulerGamma = 0.5772156649015329;
const zeta3 = 1.2020569031595942;

/** x, log Γ, ψ, ψ′ and ψ″, by mpmath 1.3 with 40 digits at what float32 makes of x. */
const table: readonly (readonly number[])[] = [
  [1e-6, 13.81550998327419, -1000000.5797387772, 1000000005051.1595, -2.0000000151485437e18],
  [0.0001, 9.210282683897546, -10000.577303804774, 100000006.69711885, -2000000151575.1602],
  [0.01, 4.599479900519132, -100.56088769340526, 10001.621660563687, -2000002.4745091351],
  [0.3, 1.095797953064734, -3.5025240762240175, 12.245363648789223, -75.27252772978655],
  [0.5, 0.5723649429247001, -1.9635100260214235, 4.934802200544679, -16.82879664423432],
  [1, 0, -0.5772156649015329, 1.6449340668482264, -2.4041138063191885],
  [1.25, -0.09827183642181316, -0.22745353337626542, 1.1973291545071107, -1.3277399375369203],
  [1.75, -0.08440112102048555, 0.24747245354686115, 0.7641018698938287, -0.5618924755968989],
  [2, 0, 0.42278433509846713, 0.6449340668482264, -0.4041138063191886],
  [2.5, 0.2846828704729192, 0.7031566406452432, 0.49035775610023485, -0.2362040516417274],
  [7, 6.579251212010101, 1.8727843350984672, 0.15354517795933756, -0.023530472985855238],
  [12.5, 18.734347511936445, 2.485195651274912, 0.08328522460157838, -0.006932436585788241],
  [40, 106.63176026064346, 3.676327374034843, 0.02531510384129103, -0.0006408202718352986],
  [333, 1599.1265667018772, 5.806640236977367, 0.00300751653003993, -9.045148860599041e-6],
  [10000, 82099.71749644238, 9.210290371142849, 0.00010000500016666666, -1.000100005e-8],
  [1000000, 12815504.569147613, 13.815510057964191, 1.0000005000001667e-6, -1.0000010000005e-12],
];

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

  test("tensors agree with mpmath from 1e-6 to 1e6", () => {
    const column = (i: number): number[] => table.map((row) => row[i]!);
    const x = tf.tensor1d(column(0));
    // Relative errors, but around the zeros of log Γ (1, 2) and ψ (1.46).
    const worst = (tensor: Tensor, exact: readonly number[], floor: number): number =>
      Math.max(...read(tensor).map((y, i) => Math.abs(y - exact[i]!) / Math.max(Math.abs(exact[i]!), floor)));
    expect(worst(lgamma(x), column(1), 1)).toBeLessThan(2e-7);
    expect(worst(digamma(x), column(2), 0.5)).toBeLessThan(1e-6);
    expect(worst(polygamma(1, x), column(3), 0)).toBeLessThan(5e-7);
    expect(worst(polygamma(2, x), column(4), 0)).toBeLessThan(5e-7);
    expect(() => polygamma(0, x)).toThrow(/positive integer/);
  });

  test("each is the derivative of the one before, exactly", () => {
    const x = tf.tensor1d(table.map(([x]) => x!));
    const chain = [lgamma, digamma, (x: Tensor) => polygamma(1, x), (x: Tensor) => polygamma(2, x)];
    for (const [i, f] of chain.slice(0, -1).entries()) {
      const { gradient } = valueAndGradient(({ x }) => tf.sum(f(x)), { x });
      expect(read(gradient.x)).toEqual(read(chain[i + 1]!(x)));
    }
  });
});
