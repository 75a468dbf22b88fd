import { beforeAll, describe, expect, it } from "vitest";
import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { mean, standardError, variance } from "../../src/diagnostics/moments.js";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { leaves, mapParameters, type Parameters } from "../../src/engine/parameters.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import {
  type HierarchicalLinearGaussianParameters,
  hierarchicalLinearGaussian,
} from "../../src/families/hierarchicalLinearGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import {
  exactReverse,
  mixingReverse,
  type ReverseConditional,
  reverseOf,
} from "../../src/families/reverseConditional.js";
import { checkGradient } from "../../src/gradients/check.js";
import { estimateGradient, type Gradient } from "../../src/gradients/gradient.js";
import { iwhviDoublyReparameterised } from "../../src/gradients/iwhviDoublyReparameterised.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { type HierarchicalParameters, hierarchicalDensityProblem } from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi } from "../../src/marginals/marginal.js";
import { densityProblem } from "../../src/models/problem.js";
import { exp } from "../../src/ops/exp.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { expectedEstimate } from "../marginals/linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

/** a, b, log σ of q; then w, w′, c, c′ of τ: mean wz + c, log-scale w′z + c′. */
const at = [0.9, 0.5, Math.log(0.6), 0.5, 0.05, 0.1, Math.log(0.8)];

type Column = Tensor2D;
type LinearReverse = { readonly w: Column; readonly w2: Column; readonly c: Column; readonly c2: Column };
type Both = HierarchicalParameters<HierarchicalLinearGaussianParameters, LinearReverse>;

/** τ with its own parameters for each row of a batch, so that one estimate over B rows holds B independent ones. */
const reverse: ReverseConditional<LinearReverse> = {
  reparameterised: true,
  init: () => record(at, 1).tau,
  given: ({ w, w2, c, c2 }, { z }) => {
    const scale = exp(tf.add(tf.mul(w2, z), c2));
    return reverseOf(new Independent({ base: new Normal({ mean: tf.add(tf.mul(w, z), c), scale }), eventRank: 1 }));
  },
};

function record(values: readonly number[], rows: number): Both {
  const [a, b, s, w, w2, c, c2] = values.map((value) => tf.fill([rows, 1], value) as Column);
  return { q: { slope: a, shift: b, logScale: s }, tau: { w, w2, c, c2 } };
}

/** N(1, ½), the target. */
const logDensity = (z: Tensor3D) => normalLogDensity(z, 1, Math.SQRT1_2, 1);
const problemOf = (samples: number, rows = 1) =>
  hierarchicalDensityProblem({
    logDensity,
    family: hierarchicalLinearGaussian({ dimension: 1, batchSize: rows }),
    marginal: iwhvi({ reverse, samples }),
    batchSize: rows,
  });

/** E log p(z) − E log q̂(z), by quadrature. */
function exactBound([a, b, s, w, w2, c, c2]: readonly number[], samples: number): number {
  const q = { slope: a, shift: b, scale: Math.exp(s) };
  const joint = -((b - 1) ** 2 + a ** 2 + q.scale ** 2) - Math.log(Math.PI) / 2;
  const tau = (z: number) => ({ mean: w * z + c, scale: Math.exp(w2 * z + c2) });
  return joint - expectedEstimate(q, tau, samples, true);
}

const exactGradient = (samples: number): Both =>
  record(
    at.map((_, i) => {
      const h = 1e-3;
      const shifted = (step: number) => at.map((value, j) => (i === j ? value + step : value));
      return (exactBound(shifted(h), samples) - exactBound(shifted(-h), samples)) / (2 * h);
    }),
    1,
  );

/** Independent estimates of the gradient, one a row. */
const perRow = (
  gradient: Gradient,
  bound: Bound,
  sizes: { samples: number; draws: number; rows: number },
  key: Key,
): Both => {
  const { samples, draws, rows } = sizes;
  const problem = problemOf(samples, rows);
  return estimateGradient(gradient, { problem, bound, theta: {}, phi: record(at, rows), samples: draws, key }).gradient
    .phi;
};

describe("the gradient of an IWHVI bound", () => {
  it.each([0, 3])(
    "is the exact one, plain and doubly reparameterised, in all of q and τ: K = %i",
    async (samples) => {
      const exact = exactGradient(samples);
      for (const gradient of [reparameterised, iwhviDoublyReparameterised]) {
        const report = await checkGradient(
          (key) =>
            mapParameters(perRow(gradient, elbo, { samples, draws: 1, rows: 1000 }, key), (column) =>
              tf.mean(column, 0, true),
            ),
          exact,
          { replicates: 30, key: randomKey(samples) },
        );
        expect(report.verdict, String(report)).toBe("consistent");
        for (const { standardError } of report.components) expect(standardError).toBeLessThan(0.02);
      }
    },
    30000,
  );

  it.each([
    ["ELBO", elbo, 1],
    ["IWAE", iwae, 4],
  ] as const)(
    "has one mean and a smaller variance doubly reparameterised, under the %s",
    (_name, bound, draws) => {
      const flat = (gradient: Gradient, seed: string): Float64Array[] =>
        leaves(perRow(gradient, bound, { samples: 8, draws, rows: 20000 }, randomKey(seed))).map(({ tensor }) =>
          Float64Array.from(tensor.dataSync()),
        );
      const [plain, double] = [flat(reparameterised, "plain"), flat(iwhviDoublyReparameterised, "double")];
      plain.forEach((values, i) => {
        const difference = mean(values) - mean(double[i]);
        expect(
          Math.abs(difference) / Math.hypot(standardError(values), standardError(double[i])),
          `component ${i}`,
        ).toBeLessThan(4);
      });
      const total = (columns: Float64Array[]) => columns.slice(3).reduce((sum, values) => sum + variance(values), 0);
      expect(total(double)).toBeLessThan(0.7 * total(plain)); // τ's components
    },
    60000,
  );

  it("has no noise from fresh draws at the exact τ, where the plain one has", () => {
    // Exact reverse: mean a (z − b)/v, variance σ²/v, v = a² + σ².
    const [a, b, s] = at;
    const v = a * a + Math.exp(2 * s);
    const exact = record([a, b, s, a / v, 0, (-a * b) / v, s - Math.log(v) / 2], 1);
    const zAndOwn = randomKey(1);
    const gradientOf = (gradient: Gradient, samples: number) =>
      estimateGradient(gradient, {
        problem: problemOf(samples),
        bound: elbo,
        theta: {},
        phi: exact,
        samples: 1,
        key: zAndOwn,
      }).gradient.phi.tau.w.dataSync()[0];
    // Only ψ_0's score is left, with the weight 1/(K + 1): K times less and less of the same number.
    const alone = gradientOf(iwhviDoublyReparameterised, 0);
    expect(Math.abs(alone)).toBeGreaterThan(0.05);
    for (const samples of [1, 4]) {
      expect(gradientOf(iwhviDoublyReparameterised, samples)).toBeCloseTo(alone / (samples + 1), 5);
      expect(Math.abs(gradientOf(reparameterised, samples) - alone / (samples + 1))).toBeGreaterThan(0.01);
    }
  });

  it("gives the bound's value, scales the gradient alone, and leaves nothing else", () => {
    const inputs = { bound: iwae, theta: {}, phi: record(at, 1), samples: 3, key: randomKey(2) };
    const before = tf.memory().numTensors;
    const plain = estimateGradient(reparameterised, { problem: problemOf(4), ...inputs });
    const double = estimateGradient(iwhviDoublyReparameterised, { problem: problemOf(4), ...inputs });
    const scaled = estimateGradient(iwhviDoublyReparameterised, { problem: { ...problemOf(4), scale: 5 }, ...inputs });
    expect(double.value.dataSync()[0]).toBeCloseTo(plain.value.dataSync()[0], 5);
    expect(scaled.value.dataSync()[0]).toBeCloseTo(plain.value.dataSync()[0], 5);
    const slope = ({ gradient }: typeof plain) => gradient.phi.q.slope.dataSync()[0];
    expect(slope(scaled)).toBeCloseTo(5 * slope(double), 4);
    for (const { value, gradient } of [plain, double, scaled]) {
      value.dispose();
      for (const { tensor } of leaves(gradient.phi)) tensor.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses what it would get wrong", () => {
    const problem = densityProblem({ logDensity, family: meanFieldGaussian({ dimension: 1 }) });
    const phi = meanFieldGaussian({ dimension: 1 }).init(randomKey(1));
    const rest = { bound: elbo, theta: {}, samples: 2, key: randomKey(1) };
    expect(() => iwhviDoublyReparameterised({ problem, phi, ...rest })).toThrow("is no marginal's estimate");
    const withTau =
      <Eta extends Parameters>(tau: ReverseConditional<Eta>, eta: Eta) =>
      () =>
        iwhviDoublyReparameterised({
          problem: hierarchicalDensityProblem({
            logDensity,
            family: hierarchicalLinearGaussian({ dimension: 1 }),
            marginal: iwhvi({ reverse: tau, samples: 2 }),
          }),
          phi: { q: record(at, 1).q, tau: eta },
          ...rest,
        });
    expect(withTau(mixingReverse(), {})).toThrow("τ is q(ψ | x) itself");
    expect(withTau({ ...reverse, reparameterised: false }, record(at, 1).tau)).toThrow(
      "no gradient flows through the draws",
    );
    expect(withTau(exactReverse, {})).not.toThrow();
    expect(() => reparameterised({ problem: problemOf(2), phi: record(at, 1), ...rest, samples: 0 })).toThrow(
      "K must be",
    );
  });
});
