import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { logGamma } from "../../src/ops/gammaFunctions.js";
import { logBeta, logMultivariateBeta } from "../../src/ops/logBeta.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { gradientOf, type Operation } from "./support.js";

/**
 * a, b, log B, its gradient (∂a, ∂b) and second derivatives (∂aa, ∂ab, ∂bb), by mpmath 1.3 with 40 digits at what float32 makes of a and b.
 */
const table: readonly (readonly number[])[] = [
  [
    1e-6, 1e-6, 14.508657741047331, -500000.0012640236, -500000.0012640236, 750000003787.136, -250000001264.0236,
    750000003787.136,
  ],
  [
    1e-6, 1, 13.815510560489031, -1000000.0025247573, -1.6449328606393524e-6, 1000000005049.5146, -1.644931662737673,
    2.4041105532838476e-6,
  ],
  [
    1e-6, 1000000, 13.815496167764167, -1000014.3952488352, -1.000000497474908e-12, 1000000005051.1595,
    -1.0000004999991668e-6, 1.0000009974747403e-18,
  ],
  [
    0.01, 0.3, 4.633905116135458, -97.1771734963065, -0.1188098791252427, 9990.093446381989, -11.528214181698845,
    0.7171494670903779,
  ],
  [
    0.5, 0.5, 1.1447298858494002, -1.3862943611198906, -1.3862943611198906, 3.289868133696453, -1.6449340668482264,
    3.289868133696453,
  ],
  [1, 1, 0, -1, -1, 1, -0.6449340668482264, 1],
  [
    2, 3, -2.4849066497880004, -1.0833333333333333, -0.5833333333333334, 0.4236111111111111, -0.22132295573711533,
    0.1736111111111111,
  ],
  [
    0.3, 20, 0.2023452692336211, -6.4883122488196765, -0.015264180353509783, 12.19486932427193, -0.050494324517291314,
    0.0007764984179118073,
  ],
  [
    5, 9.5, -8.99537859054387, -1.1331520569171856, -0.4415318489460366, 0.14992469958546836, -0.07139825615164695,
    0.03959903231745208,
  ],
  [
    9.9, 10.1, -13.735177536322512, -0.7293437161795313, -0.7083095954473672, 0.05501222299862433, -0.05127082293520312,
    0.05280200423423974,
  ],
  [
    15, 40, -32.497130819813044, -1.323868067181943, -0.3218873548078936, 0.05059011872281539, -0.018348109124868422,
    0.006966994716422607,
  ],
  [
    12, 10000, -93.0283740892913, -6.768828031672602, -0.0011993405055647994, 0.08680198773975335, -9.98851320150407e-5,
    1.1986815162595964e-7,
  ],
  [
    0.7, 1000000, -9.409989859805796, -15.035534345446719, -7.000000930790594e-7, 2.8340482334059054,
    -9.999997999999685e-7, 7.000001980790338e-13,
  ],
  [
    3, 1000000, -40.75338749333038, -12.892728722862724, -2.999997000005e-6, 0.39493306685072643, -9.999975000061666e-7,
    2.999994000015e-12,
  ],
  [
    1000, 1000000, -7910.78946842146, -6.909254363147963, -0.000999500832584199, 0.0009995011651686306,
    -9.99001498002663e-7, 9.990019975034955e-10,
  ],
  [
    1000000, 1000000, -1386300.003362921, -0.6931474305600078, -0.6931474305600078, 5.000003750001459e-7,
    -5.000001250000209e-7, 5.000003750001459e-7,
  ],
];

const column = (i: number): number[] => table.map((row) => row[i]!);

/** Largest error relative to the value, or to the floor where the value is smaller. */
function worst(actual: readonly number[], exact: readonly number[], floor: readonly number[]): number {
  return Math.max(...actual.map((x, i) => Math.abs(x - exact[i]!) / Math.max(Math.abs(exact[i]!), floor[i]!)));
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("logBeta and its first and second derivatives keep their digits from 1e-6 to 1e6", () => {
    const [a, b] = [tf.tensor1d(column(0)), tf.tensor1d(column(1))];
    expect(
      worst(
        read(logBeta(a, b)),
        column(2),
        column(2).map(() => 1),
      ),
    ).toBeLessThan(2e-6);
    // As derivatives in log a and log b: a relative change of either moves log B by so much.
    const elastic = (...powers: readonly (0 | 1)[]): number[] =>
      table.map((row) => powers.reduce((product, which) => product / row[which]!, 0.1));
    const weights = column(0).map((_, i) => Math.cos(1 + 2 * i)); // of the sum that `gradientOf` differentiates
    const plain = (x: Tensor, power: number): number[] => read(x).map((value, i) => value / weights[i]! ** power);
    const gradient =
      (which: number): Operation =>
      (...inputs) =>
        gradientOf((a, b) => logBeta(a!, b!), inputs, which);
    for (const [which, exact] of [
      [0, column(3)],
      [1, column(4)],
    ] as const) {
      expect(worst(plain(gradient(which)(a, b), 1), exact, elastic(which))).toBeLessThan(5e-6);
    }
    for (const [which, other, exact] of [
      [0, 0, column(5)],
      [0, 1, column(6)],
      [1, 1, column(7)],
    ] as const) {
      const second = plain(gradientOf(gradient(which), [a, b], other), 2);
      expect(worst(second, exact, elastic(which, other))).toBeLessThan(5e-6);
    }
  });

  test("logBeta broadcasts, and leaves no tensor behind", () => {
    const [a, b] = [tf.tensor2d([[1], [2]]), tf.tensor1d([1, 2, 3])];
    const exact = [1, 1 / 2, 1 / 3, 1 / 2, 1 / 6, 1 / 12].map(Math.log);
    expectClose(read(logBeta(a, b)), exact, 1e-6);
    expectNoLeak(() => logBeta(a, b));
    expect(() => logBeta(b, tf.ones([2]))).toThrow("logBeta: the shapes a [3] and b [2] do not broadcast");
  });

  test("logMultivariateBeta is the Dirichlet's log-normaliser", () => {
    const rows = [
      [0.3, 2.5, 11],
      [1e6, 1, 1e-3],
      [1e-3, 1, 1e6],
      [4e5, 7e5, 2e5],
    ];
    const exact = rows.map((row) => {
      const alpha = row.map(Math.fround);
      return alpha.reduce((sum, x) => sum + logGamma(x), -logGamma(alpha.reduce((sum, x) => sum + x, 0)));
    });
    expectClose(read(logMultivariateBeta(tf.tensor2d(rows))), exact, 2e-6);
    expect(read(logMultivariateBeta(tf.tensor2d([[3], [4]])))).toEqual([0, 0]);
    expect(() => logMultivariateBeta(tf.scalar(1))).toThrow("[..., K]");
  });
});
