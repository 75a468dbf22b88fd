import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { logGammaSlope } from "../../src/ops/logGammaSlope.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { differenceQuotient, gradientOf } from "./support.js";

/** α, log x and ∂ log x/∂α, by mpmath 1.3 with 30 digits from (1/p) ∫ p(t) (ψ(α) − log t) dt at what float32 makes of α and log x. */
const table: readonly (readonly [number, number, number])[] = [
  [0.0010000000474974513, -10360.677734375, 10360101.6704],
  [0.0010000000474974513, -693.7235717773438, 693147.966923],
  [0.0010000000474974513, -0.6080653667449951, 878.838232174],
  [0.009999999776482582, -1036.5792236328125, 103601.836133],
  [0.009999999776482582, -69.88375091552734, 6932.28670068],
  [0.009999999776482582, -0.5721979737281799, 86.9532118427],
  [0.30000001192092896, -34.89425277709961, 115.75020174],
  [0.30000001192092896, -2.6710731983184814, 8.94006270443],
  [0.30000001192092896, -0.3606882691383362, 3.34819559041],
  [1, -4.512232303619385, 4.96495451008],
  [1, 0.6020120978355408, 0.858004997086],
  [1, 2.3955230712890625, 0.278547726394],
  [5, -1.2815505266189575, 0.627977442792],
  [5, 1.5420193672180176, 0.213826614392],
  [5, 2.9704177379608154, 0.0968926209333],
  [30, 2.5495855808258057, 0.049786549415],
  [30, 3.3900656700134277, 0.0337060283584],
  [30, 4.04587459564209, 0.0238658761741],
  [1000, 6.778172016143799, 0.00106636817405],
  [1000, 6.907422065734863, 0.00100033332697],
  [1000, 7.031332492828369, 0.000939640197474],
  [100000, 11.500246047973633, 1.00635478301e-5],
  [100000, 11.512922286987305, 1.00000325566e-5],
  [100000, 11.525545120239258, 9.93705099804e-6],
];

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("agrees with mpmath for α from 1e-3 to 1e5, tails included", () => {
    const [alpha, logX] = [0, 1].map((i) => tf.tensor1d(table.map((row) => row[i]!)));
    const slopes = read(logGammaSlope(alpha!, logX!));
    for (const [i, [, , exact]] of table.entries()) expect(Math.abs(slopes[i]! / exact - 1)).toBeLessThan(1e-6);
  });

  test("does not jump where one formula takes over from another", () => {
    const pair = (alphas: [number, number], logs: [number, number]): number[] =>
      read(logGammaSlope(tf.tensor1d(alphas), tf.tensor1d(logs)));
    for (const [left, right] of [pair([19.99999, 20.00001], [3, 3]), pair([0.7, 0.7], [-17.99999, -18.00001])]) {
      expect(Math.abs(left! / right! - 1)).toBeLessThan(3e-6);
    }
  });

  test("is NaN where α is not positive, and broadcasts", () => {
    expect(read(logGammaSlope(tf.tensor1d([-1, 0, Number.NaN]), tf.scalar(0)))).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    const wide = logGammaSlope(tf.tensor2d([[0.5], [40]]), tf.tensor1d([-1, 0, 2]));
    expect(wide.shape).toEqual([2, 3]);
    expectClose(read(wide).slice(3, 4), read(logGammaSlope(tf.scalar(40), tf.scalar(-1))), 1e-6);
    expect(() => logGammaSlope(tf.zeros([2]), tf.zeros([3]))).toThrow(/concentration \[2\] and logX \[3\]/);
  });

  test("has the derivative in log x of its difference quotients, none in α, and leaves nothing behind", () => {
    const inputs = [tf.tensor1d([0.3, 1.5, 6, 25]), tf.tensor1d([-2.5, -0.4, 1.9, 3.3])];
    const f = (alpha?: Tensor, logX?: Tensor): Tensor => logGammaSlope(alpha!, logX!);
    expectClose(read(gradientOf(f, inputs, 1)), differenceQuotient(f, inputs, 1), 2e-3);
    expect(() => gradientOf(f, inputs, 0)).toThrow("differentiated once in its concentration, not twice");
    expectNoLeak(() => f(...inputs));
    expectNoLeak(() => gradientOf(f, inputs, 1));
  });
});
