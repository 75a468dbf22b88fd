import { beforeAll, describe, expect, it } from "vitest";
import { collectLogWeights } from "../../src/bounds/estimateBound.js";
import { paretoSmoothing } from "../../src/diagnostics/paretoSmoothing.js";
import { logIntegral, trapezoid } from "../../src/diagnostics/quadrature.js";
import { logGamma } from "../../src/diagnostics/specialFunctions.js";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../../src/engine/tf.js";
import { laplace } from "../../src/methods/laplace.js";
import { eightSchoolsCentred, eightSchoolsNonCentred, exactEightSchools } from "../../src/models/eightSchools.js";
import { logisticRegression } from "../../src/models/logisticRegression.js";
import { densityProblem } from "../../src/models/problem.js";
import type { LogDensity } from "../../src/samplers/slope.js";
import { unconstrained } from "../../src/transforms/unconstrained.js";
import { backends, expectClose } from "../engine/support.js";
import { logEvidence, mean, priorScale, rows, standardDeviations } from "./logisticTruth.js";

beforeAll(async () => {
  await ready();
});

const precision = [
  [2, 0.8, 0],
  [0.8, 1.5, -0.4],
  [0, -0.4, 1],
];
const centre = [1, -2, 0.5];
const determinant = 2 * (1.5 - 0.16) - 0.64;
const gaussian: LogDensity = (z) =>
  tf.tidy(() => {
    const d = tf.sub(tf.reshape(z, [-1, 3]), tf.tensor2d([centre]));
    const quadratic = tf.sum(tf.mul(tf.matMul(d as Tensor2D, tf.tensor2d(precision)), d), 1);
    return tf.reshape(tf.add(3, tf.mul(-0.5, quadratic)), z.shape.slice(0, -1));
  });
const gaussianEvidence = 3 + 1.5 * Math.log(2 * Math.PI) - Math.log(determinant) / 2;

/** A density of one coordinate. */
const line =
  (f: (z: Tensor) => Tensor): LogDensity =>
  (z) =>
    tf.tidy(() => tf.reshape(f(z), z.shape.slice(0, -1)));
/** log of z = log λ's density where λ is Gamma(a, b), without its constant; through tf.exp, which differentiates once only. */
const logGammaDensity = (a: number, b: number): LogDensity => line((z) => tf.sub(tf.mul(a, z), tf.mul(b, tf.exp(z))));

describe.each(backends)("laplace on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("is exact on a Gaussian: mean, covariance and evidence", async () => {
    const before = tf.memory().numTensors;
    const fit = await laplace({ logDensity: gaussian, dimension: 3 });
    expect(tf.memory().numTensors).toBe(before);
    expectClose(Array.from(fit.mean), centre, 1e-5);
    expect(fit.logEvidence).toBeCloseTo(gaussianEvidence, 4);
    expectClose(
      Array.from(fit.covariance!).slice(0, 3),
      [1.34, -0.8, -0.32].map((v) => v / determinant),
      1e-4,
    );
    expect(fit.converged).toBe(true);
    expect(fit.gradientNorm).toBeLessThan(1e-5);
  });
});

describe("laplace", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("hands its Gaussian on as a posterior: on a Gaussian every weight is the evidence", async () => {
    const fit = await laplace({ logDensity: gaussian, dimension: 3 });
    const problem = densityProblem({ logDensity: gaussian, family: fit.posterior });
    const [weights] = await collectLogWeights({ problem, theta: {}, phi: {}, samples: 100, key: randomKey(1) });
    expectClose(Array.from(weights), Array(100).fill(gaussianEvidence), 1e-4);
  });

  it("is no bound: below the evidence of a gamma in log coordinates, above that of a quartic", async () => {
    const [a, b] = [3, 2];
    const gamma = await laplace({ logDensity: logGammaDensity(a, b), dimension: 1 });
    expect(gamma.mean[0]).toBeCloseTo(Math.log(a / b), 5);
    expect(gamma.standardDeviations[0]).toBeCloseTo(1 / Math.sqrt(a), 4);
    // Stirling's formula, which Laplace's method here is.
    expect(gamma.logEvidence).toBeCloseTo(a * Math.log(a / b) - a + Math.log((2 * Math.PI) / a) / 2, 4);
    expect(gamma.logEvidence).toBeLessThan(logGamma(a) - a * Math.log(b) - 0.02);
    const quartic = await laplace({
      logDensity: line((z) => tf.neg(tf.add(tf.mul(0.5, tf.square(z)), tf.pow(z, 4)))),
      dimension: 1,
      start: [0.3],
    });
    const rule = trapezoid(-6, 6, 2001);
    const exact = logIntegral(
      rule,
      rule.points.map((z) => -(z ** 2) / 2 - z ** 4),
    );
    expect(quartic.logEvidence).toBeCloseTo(Math.log(2 * Math.PI) / 2, 4);
    expect(quartic.logEvidence).toBeGreaterThan(exact + 0.3);
  });

  it("keeps of the curvature its diagonal, with the variances 1/Λ_dd", async () => {
    const fit = await laplace({ logDensity: gaussian, dimension: 3, curvature: "diagonal" });
    expectClose(Array.from(fit.mean), centre, 1e-4);
    expectClose(Array.from(fit.standardDeviations), [1 / Math.SQRT2, 1 / Math.sqrt(1.5), 1], 1e-5);
    // Hadamard: the diagonal's determinant is the larger, its evidence the smaller.
    expect(fit.logEvidence).toBeCloseTo(3 + 1.5 * Math.log(2 * Math.PI) - Math.log(3) / 2, 4);
  });

  it("meets a logistic regression's mode to the last digits, and its evidence within a tenth of a nat", async () => {
    const model = logisticRegression({ inputs: 2, priorScale });
    const data = tf.tensor2d(rows.map((row) => [...row]));
    const fit = await laplace({ logDensity: (z) => model.logJoint(z, data), dimension: 2 });
    // The Float64 gradient and curvature at the mode.
    const gradient = [-fit.mean[0] / 4, -fit.mean[1] / 4];
    const curvature = [0.25, 0, 0, 0.25];
    for (const [y, , x] of rows) {
      const p = 1 / (1 + Math.exp(-fit.mean[0] - fit.mean[1] * x));
      [1, x].forEach((u, i) => {
        gradient[i] += (y - p) * u;
        [1, x].forEach((v, j) => {
          curvature[2 * i + j] += p * (1 - p) * u * v;
        });
      });
    }
    expect(Math.hypot(...gradient)).toBeLessThan(1e-5);
    const exactDeterminant = curvature[0] * curvature[3] - curvature[1] ** 2;
    expectClose(
      [fit.covariance![0], fit.covariance![3]],
      [curvature[3], curvature[0]].map((c) => c / exactDeterminant),
      1e-4,
    );
    expect(Math.abs(fit.logEvidence - logEvidence)).toBeLessThan(0.1);
    expect(Math.abs(fit.logEvidence - logEvidence)).toBeGreaterThan(1e-3);
    // The posterior leans outwards; the mode falls short of its mean.
    expect(fit.mean[1]).toBeLessThan(mean[1] - 0.05 * standardDeviations[1]);
    data.dispose();
  });

  it("finds in few directions what exceeds a diagonal: exact with fewer observations than coefficients", async () => {
    const D = 30;
    const model = logisticRegression({ inputs: D, priorScale: 1 });
    const data = tf.tidy(() =>
      tf.concat([tf.tensor2d([1, 0, 1, 1, 0, 0], [6, 1]), normal(randomKey(5), [6, D])], 1),
    ) as Tensor2D;
    const logDensity: LogDensity = (z) => model.logJoint(z, data);
    const dense = await laplace({ logDensity, dimension: D });
    const few = await laplace({
      logDensity,
      dimension: D,
      curvature: { rank: 6, diagonal: Array(D).fill(1), key: randomKey(1) },
    });
    expectClose(Array.from(few.mean), Array.from(dense.mean), 1e-4);
    expectClose(Array.from(few.standardDeviations), Array.from(dense.standardDeviations), 1e-4);
    expect(few.logEvidence).toBeCloseTo(dense.logEvidence, 3);
    const weights = async ({ posterior }: typeof few): Promise<number> => {
      const problem = densityProblem({ logDensity, family: posterior });
      const [all] = await collectLogWeights({ problem, theta: {}, phi: {}, samples: 4000, key: randomKey(2) });
      return all.reduce((sum, value) => sum + value, 0) / 4000;
    };
    expect(await weights(few)).toBeCloseTo(await weights(dense), 1);
    // With too low a rank some curvature is left out, so the Gaussian is wider and its evidence larger.
    const tooFew = await laplace({
      logDensity,
      dimension: D,
      curvature: { rank: 2, diagonal: Array(D).fill(1), key: randomKey(1) },
    });
    expect(tooFew.logEvidence).toBeGreaterThan(dense.logEvidence + 0.1);
    data.dispose();
  });

  it("has no mode to offer on the centred eight schools, and a bad one on the other form", async () => {
    await expect(laplace(unconstrained(eightSchoolsCentred()))).rejects.toThrow(/no mode/);
    const model = unconstrained(eightSchoolsNonCentred());
    const fit = await laplace(model);
    expect(fit.logEvidence).toBeLessThan(exactEightSchools().logEvidence - 4);
    const problem = densityProblem({ logDensity: model.logDensity, family: fit.posterior });
    const [weights] = await collectLogWeights({ problem, theta: {}, phi: {}, samples: 10_000, key: randomKey(3) });
    expect(paretoSmoothing(weights).khat).toBeGreaterThan(0.7);
  });

  it.each([
    // mean, standard deviation
    [0, 1e-6],
    [0, 1e5],
    [5000, 0.02],
    [5000, 1],
    [-3000, 1e4],
    [1e6, 4],
    [1e6, 1e7],
  ])("takes the scale as it is, far out and near: N(%s, %s²)", async (m, s) => {
    const logDensity = line((z) => tf.mul(-0.5, tf.square(tf.div(tf.sub(z, m), s))));
    for (const curvature of ["diagonal", "dense"] as const) {
      const fit = await laplace({ logDensity, dimension: 1, curvature, start: [m + s / 2] });
      expect(Math.abs(fit.standardDeviations[0] / s - 1)).toBeLessThan(1e-3);
      expect(Math.abs(fit.mean[0] - m)).toBeLessThan(1e-3 * s + 2 ** -24 * Math.abs(m)); // float32 there
      expect(fit.logEvidence).toBeCloseTo(Math.log(2 * Math.PI) / 2 + Math.log(s), 3);
    }
  });

  it("narrows a first step that is thousands of standard deviations wide, and leaves the support", async () => {
    // Gamma(a, b) in its own coordinate: the mode (a − 1)/b, the curvature there b²/(a − 1); below 0 there is no density.
    const [a, b] = [50, 1e6];
    const fit = await laplace({
      logDensity: line((z) => tf.sub(tf.mul(a - 1, tf.log(z)), tf.mul(b, z))),
      dimension: 1,
      curvature: "diagonal",
      start: [4e-5],
    });
    expect(fit.mean[0] / ((a - 1) / b)).toBeCloseTo(1, 4);
    expect(fit.standardDeviations[0] / (Math.sqrt(a - 1) / b)).toBeCloseTo(1, 2);
  });

  it.each([0, 300, 5000, 1e7])("finds no scale of a coordinate that is flat, wherever it is: %s", async (x) => {
    const flat: LogDensity = (z) => tf.tidy(() => tf.neg(tf.square(tf.reshape(tf.slice(z, [0, 0], [-1, 1]), [-1]))));
    for (const curvature of ["diagonal", "dense"] as const)
      await expect(laplace({ logDensity: flat, dimension: 2, curvature, start: [0.5, x] })).rejects.toThrow(
        "coordinate 1 has no downward curvature",
      );
  });

  it("says so where a peak is too narrow for float32 so far out, or has no curvature at any width", async () => {
    const narrow = line((z) => tf.mul(-0.5, tf.square(tf.div(tf.sub(z, 2 ** 20), 1e-3))));
    await expect(
      laplace({ logDensity: narrow, dimension: 1, start: [2 ** 20], curvature: "diagonal" }),
    ).rejects.toThrow("too narrow for float32 at 1.05e+6: subtract a constant");
    const quartic = line((z) => tf.neg(tf.square(tf.square(z))));
    await expect(laplace({ logDensity: quartic, dimension: 1, curvature: "diagonal" })).rejects.toThrow(
      "laplace: no Gaussian fits here. coordinate 0 has no downward curvature at the point that was found: it is no mode, or one flatter than any Gaussian's.",
    );
  });

  it("refuses bad input in a sentence", async () => {
    const options = { logDensity: gaussian, dimension: 3 };
    const before = tf.memory().numTensors;
    await expect(laplace({ ...options, dimension: 0 })).rejects.toThrow("dimension must be a positive integer, not 0");
    await expect(laplace({ ...options, start: [1, 2] })).rejects.toThrow("start must hold 3 finite numbers");
    await expect(laplace({ ...options, start: [1, 2, Number.NaN] })).rejects.toThrow(
      "start must hold 3 finite numbers",
    );
    for (const maxSteps of [0, -1, Number.NaN, 1.5])
      await expect(laplace({ ...options, maxSteps })).rejects.toThrow(
        `laplace: maxSteps must be a positive integer, not ${maxSteps}`,
      );
    const lowRank = { rank: 2, diagonal: [1, 1, 1], key: randomKey(1) };
    await expect(laplace({ ...options, curvature: { ...lowRank, rank: 4 } })).rejects.toThrow("from 1 to 3, not 4");
    await expect(laplace({ ...options, curvature: { ...lowRank, diagonal: [1, 1] } })).rejects.toThrow(
      "3 positive numbers",
    );
    await expect(laplace({ logDensity: line((z) => tf.log(tf.neg(tf.square(z)))), dimension: 1 })).rejects.toThrow(
      "not finite at the start",
    );
    const flat: LogDensity = (z) => tf.tidy(() => tf.neg(tf.square(tf.reshape(tf.slice(z, [0, 0], [-1, 1]), [-1]))));
    await expect(laplace({ logDensity: flat, dimension: 2, start: [0.5, 0] })).rejects.toThrow(
      "coordinate 1 has no downward curvature",
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
