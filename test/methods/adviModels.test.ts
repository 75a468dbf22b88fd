import { beforeAll, describe, expect, it } from "vitest";
import { collectLogWeights } from "../../src/bounds/estimateBound.js";
import { type SimulatedName, simulated } from "../../src/data/simulated.js";
import { chainMean, chainStandardDeviation } from "../../src/diagnostics/chainMoments.js";
import { choleskyFactor } from "../../src/diagnostics/choleskyFactor.js";
import { type Estimate, estimateMean } from "../../src/diagnostics/moments.js";
import { paretoSmoothing } from "../../src/diagnostics/paretoSmoothing.js";
import { ready } from "../../src/engine/backend.js";
import { foldIn, normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../../src/engine/tf.js";
import { type AdviFit, advi } from "../../src/methods/advi.js";
import { explain } from "../../src/methods/explain.js";
import { eightSchoolsCentred, eightSchoolsNonCentred, exactEightSchools } from "../../src/models/eightSchools.js";
import { hierarchicalLinear } from "../../src/models/hierarchicalLinear.js";
import { logisticRegression } from "../../src/models/logisticRegression.js";
import { poissonRegression } from "../../src/models/poissonRegression.js";
import { densityProblem } from "../../src/models/problem.js";
import { matMul } from "../../src/ops/matMul.js";
import { hmc } from "../../src/samplers/hmc.js";
import { real } from "../../src/transforms/real.js";
import type { Supports, UnconstrainedOptions } from "../../src/transforms/unconstrained.js";

beforeAll(async () => {
  await ready();
});

/** k̂ of 12 independent sets of 10,000 draws. */
async function khats<S extends Supports>(fit: AdviFit<S>): Promise<Estimate> {
  const problem = densityProblem({ logDensity: fit.model.logDensity, family: fit.posterior });
  const values: number[] = [];
  for (let r = 0; r < 12; r++) {
    const options = { problem, theta: {}, phi: fit.phi, samples: 10_000, key: foldIn(randomKey(77), r) };
    values.push(paretoSmoothing((await collectLogWeights(options))[0]).khat);
  }
  return estimateMean(values);
}

/** k̂ tells one fit, to be used as it is or reweighted, from another, not to be trusted: beyond its noise, and in the verdict of one look. */
async function toldApart<S extends Supports, T extends Supports>(good: AdviFit<S>, bad: AdviFit<T>): Promise<void> {
  const [low, high] = [await khats(good), await khats(bad)];
  expect(low.value).toBeLessThan(0.7 - 3 * low.standardError);
  expect(high.value).toBeGreaterThan(0.7 + 3 * high.standardError);
  expect(["good", "reweight"]).toContain(explain(good).verdict);
  expect(explain(bad).verdict).toBe("poor");
  expect(good.elbo.value).toBeGreaterThan(bad.elbo.value + 0.5);
}

describe("advi on the eight schools", () => {
  const exact = exactEightSchools();

  it.each(["meanField", "fullRank"] as const)(
    "tells with k̂ the centred form, which no Gaussian fits, from the other (%s)",
    async (family) => {
      const centred = await advi({ ...eightSchoolsCentred(), key: randomKey(5), family });
      const nonCentred = await advi({ ...eightSchoolsNonCentred(), key: randomKey(5), family });
      await toldApart(nonCentred, centred);
      for (const { elbo } of [centred, nonCentred]) {
        expect(elbo.value).toBeLessThan(exact.logEvidence);
      }
      // The centred fit stays clear of the funnel: its τ is too large, and its spread too small.
      const logTaus = (draws: Float32Array): Float64Array => Float64Array.from(draws, Math.log);
      expect(estimateMean(logTaus(centred.draws.tau)).value).toBeGreaterThan(exact.logTau.mean + 0.4);
      const mu = nonCentred.summary[0];
      expect(Math.abs(mu.reweightedMean.value - exact.mu.mean)).toBeLessThan(4 * mu.reweightedMean.standardError);
      expect(Math.abs(explain(nonCentred).logEvidence.value - exact.logEvidence)).toBeLessThan(0.08);
      centred.dispose();
      nonCentred.dispose();
    },
    120_000,
  );
});

/** Mean and standard deviation of one element of one unknown. */
interface ElementMoments {
  readonly mean: Estimate;
  readonly standardDeviation: Estimate;
}

/** The moments of every row of a fit's summary by HMC on the same density, in coordinates that the fit's own mean and covariance make round: any would do, these mix fast. */
async function byHmc<S extends Supports>(fit: AdviFit<S>): Promise<readonly ElementMoments[]> {
  const D = fit.model.dimension;
  const [mean, lower] = tf.tidy(() => {
    const z = tf.reshape(fit.posterior.distribution(fit.phi).sample(randomKey(3), [4000]), [4000, D]);
    const centred = tf.sub(z, tf.mean(z, 0)) as Tensor2D;
    const covariance = tf.div(matMul(centred, centred, { transposeA: true }), 4000);
    const factor = choleskyFactor(Float64Array.from(covariance.dataSync()), D, "The covariance of q");
    return [tf.mean(z, 0, true), tf.tensor2d(Float32Array.from(factor), [D, D])] as [Tensor2D, Tensor2D];
  });
  const placed = (v: Tensor): Tensor =>
    tf.add(mean, matMul(tf.reshape(v, [-1, D]) as Tensor2D, lower, { transposeB: true }));
  const draws = await hmc({
    logDensity: (v) => tf.tidy(() => tf.reshape(fit.model.logDensity(placed(v)), v.shape.slice(0, -1))),
    init: normal(randomKey(5), [8, D]) as Tensor2D,
    key: randomKey(4),
    warmUp: 200,
    samples: 250,
  });
  expect(draws.worst().rHat).toBeLessThan(1.02);
  const [S, C] = draws.shape;
  const values = tf.tidy(() => {
    const constrained = fit.model.constrain(placed(tf.tensor2d(draws.values, [S * C, D])));
    return Object.keys(fit.draws).map((name) => tf.reshape(constrained[name], [S * C, -1]).arraySync() as number[][]);
  });
  tf.dispose([mean, lower]);
  return values.flatMap((value) =>
    value[0].map((_, e) => {
      // Rows are sample by sample, C chains each.
      const chains = Array.from({ length: C }, (_, c) =>
        Float64Array.from({ length: S }, (_, s) => value[s * C + c][e]),
      );
      return { mean: chainMean(chains), standardDeviation: chainStandardDeviation(chains) };
    }),
  );
}

/** HMC agrees with the reweighted means beyond neither's noise, and with q's own standard deviations to 15 %. */
function agrees<S extends Supports>({ summary }: AdviFit<S>, reference: readonly ElementMoments[]): void {
  for (const [i, { name, reweightedMean, standardDeviation }] of summary.entries()) {
    const { mean, standardDeviation: truth } = reference[i];
    const noise = Math.hypot(reweightedMean.standardError, mean.standardError);
    expect(Math.abs(reweightedMean.value - mean.value), name).toBeLessThan(5 * noise);
    expect(Math.abs(standardDeviation / truth.value - 1), name).toBeLessThan(0.15);
  }
}

/** The least of q's standard deviations as a share of HMC's. */
function narrowest<S extends Supports>({ summary }: AdviFit<S>, reference: readonly ElementMoments[]): number {
  return Math.min(
    ...summary.map(({ standardDeviation }, i) => standardDeviation / reference[i].standardDeviation.value),
  );
}

/** A shipped table, its inputs measured from another zero: the intercepts then correlate with the slopes. */
async function rowsOf(name: SimulatedName, shift: readonly number[]): Promise<Tensor2D> {
  const { table } = await simulated(name);
  return tf.tensor2d(
    Float32Array.from(table.values, (value, i) => value + shift[i % table.columns]),
    [table.rows, table.columns],
  );
}

/** Full rank and mean-field on one model: the one agrees with HMC, the other is too narrow by far, and k̂ says so. */
async function judged<S extends Supports>(model: UnconstrainedOptions<S>): Promise<void> {
  const full = await advi({ ...model, family: "fullRank", key: randomKey(11) });
  const narrow = await advi({ ...model, key: randomKey(11) });
  const reference = await byHmc(full);
  agrees(full, reference);
  expect(narrowest(narrow, reference)).toBeLessThan(0.65);
  await toldApart(full, narrow);
  full.dispose();
  narrow.dispose();
}

describe("advi on the shipped regressions, where unknowns correlate", () => {
  it("tells with k̂ full rank, which HMC confirms, from mean-field, which it refutes: counts", async () => {
    const rows = await rowsOf("poisson", [0, 0, 2, 2, 2]);
    await judged(poissonRegression({ rows, priorScale: 2 }));
    rows.dispose();
  }, 120_000);

  it("tells them apart: groups with many rows, centred", async () => {
    const rows = await rowsOf("hierarchical", [0, 2, 0]);
    await judged(hierarchicalLinear({ rows }));
    rows.dispose();
  }, 120_000);

  it("tells them apart: a logistic regression", async () => {
    const rows = await rowsOf("logistic", Array(13).fill(0));
    const { logJoint } = logisticRegression({ inputs: 12, priorScale: 1 });
    await judged({ supports: { w: real([12]) }, logJoint: ({ w }: { w: Tensor2D }) => logJoint(w, rows) });
    rows.dispose();
  }, 120_000);
});

describe("advi on the shipped regressions as they are", () => {
  it("finds the counts' coefficients nearly independent, so that mean-field can be reweighted", async () => {
    const rows = await rowsOf("poisson", Array(5).fill(0));
    const fit = await advi({ ...poissonRegression({ rows, priorScale: 2 }), key: randomKey(11) });
    const reference = await byHmc(fit);
    const khat = await khats(fit);
    expect(khat.value).toBeLessThan(0.7 - 3 * khat.standardError);
    for (const [i, { name, reweightedMean }] of fit.summary.entries()) {
      const { mean } = reference[i];
      const noise = Math.hypot(reweightedMean.standardError, mean.standardError);
      expect(Math.abs(reweightedMean.value - mean.value), name).toBeLessThan(5 * noise);
    }
    expect(narrowest(fit, reference)).toBeGreaterThan(0.75);
    fit.dispose();
    rows.dispose();
  }, 120_000);
});
