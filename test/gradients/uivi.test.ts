import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { mean, standardError, variance } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { leaves, type Parameters } from "../../src/engine/parameters.js";
import { type Key, randomKey, split } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { valuesOf } from "../../src/engine/values.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { exactReverse, mixingReverse } from "../../src/families/reverseConditional.js";
import { checkGradient } from "../../src/gradients/check.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { uivi, uiviProblem } from "../../src/gradients/uivi.js";
import { hierarchicalDensityProblem, initialParameters } from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi, sampleHierarchy, sivi } from "../../src/marginals/marginal.js";
import {
  exactReverseSampler,
  type HmcReverseOptions,
  hmcReverseSampler,
  importanceReverseSampler,
  ownReverseSampler,
  type ReverseSampler,
} from "../../src/marginals/reverseSampler.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { adam } from "../../src/optimize/adam.js";
import { fit } from "../../src/optimize/fit.js";
import { expectClose } from "../engine/support.js";
import { expectedEstimate } from "../marginals/linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

/** q: ε ~ N(0, 1), z | ε ~ N(aε + b, σ²). */
const [a, b, sigma] = [0.9, 0.5, 0.6];
const total = a * a + sigma * sigma;
const names = ["slope", "shift", "logScale"] as const;

/** N(1, ½), the target: E log p = −(b − 1)² − a² − σ² + const. */
const logDensity = (z: Tensor3D) => normalLogDensity(z, 1, Math.SQRT1_2, 1);

const at = (rows: number) => {
  const [slope, shift, logScale] = [a, b, Math.log(sigma)].map((value) => tf.fill([rows, 1], value) as Tensor2D);
  return { slope, shift, logScale };
};
const plainProblem = (rows: number, samples = 0) =>
  hierarchicalDensityProblem({
    logDensity,
    family: hierarchicalLinearGaussian({ dimension: 1, batchSize: rows }),
    marginal: sivi({ samples }),
    batchSize: rows,
  });
const problemOf = <Own extends Parameters>(reverse: ReverseSampler<Own>, rows: number) =>
  uiviProblem({ problem: plainProblem(rows), reverse });

/** The gradient in a, b, log σ where ε′ and ε have the correlation ρ given z: REFERENCES' case, derived again below. */
const gradientAt = (correlation: number): number[] => {
  // ∇_z log q(z) is −(z − aε′ − b)/σ², and E[(ε′ − m)(ε − m) | z] = ρσ²/(a² + σ²) with m = E[ε | z].
  const slope = ((1 - correlation) * a) / total;
  const logScale = 1 - ((1 - correlation) * a * a) / total;
  return [-2 * a + slope, -2 * (b - 1), -2 * sigma * sigma + logScale];
};
const exact = gradientAt(0);

/** One estimate a row, all of them independent. */
function perRow<Own extends Parameters>(
  reverse: ReverseSampler<Own>,
  rows: number,
  key: Key,
  samples = 1,
): Float64Array[] {
  const phi = { q: at(rows), tau: {}, reverse: reverse.init(key) };
  const problem = problemOf(reverse, rows);
  const { value, gradient } = estimateGradient(uivi, { problem, bound: elbo, theta: {}, phi, samples, key });
  const columns = names.map((name) => Float64Array.from(gradient.phi.q[name].dataSync()));
  tf.dispose([value, gradient as never, phi as never]);
  return columns;
}

function expectMeans(columns: readonly Float64Array[], truth: readonly number[], says: string): void {
  columns.forEach((values, i) => {
    const bias = (mean(values) - truth[i]) / standardError(values);
    expect(Math.abs(bias), `${says}, ${names[i]}: ${mean(values)} against ${truth[i]}, ${bias} s.e.`).toBeLessThan(4);
  });
}

function hmcAcceptance(options: HmcReverseOptions): number {
  const [sampler, q] = [hmcReverseSampler(options), at(1)];
  const [acceptance] = valuesOf(() => {
    const hierarchy = problemOf(sampler, 1).hierarchy(q);
    const { z, psi: psi0 } = sampleHierarchy(hierarchy, randomKey(1), 1000);
    const draws = sampler.sample(sampler.init(randomKey(2)), { hierarchy, z, psi0, key: randomKey(3) });
    return tf.mean(draws.acceptanceProbability!);
  });
  return acceptance;
}

const biases = (columns: readonly Float64Array[]): number[] => columns.map((values, i) => mean(values) - exact[i]);
const rows = 20_000;

describe("UIVI's gradient", () => {
  it.each([
    ["independent exact draws", exactReverseSampler(), 1],
    ["several draws of z", exactReverseSampler(), 4],
    ["weighted draws of the exact τ", importanceReverseSampler({ reverse: exactReverse, samples: 3 }), 1],
    ["a chain of 5 + 5 transitions of 5 leapfrog steps", hmcReverseSampler({ stepSize: 0.2 }), 1],
  ] as const)("is the ELBO's, with %s", async (name, sampler, samples) => {
    const reverse = sampler as ReverseSampler<Parameters>;
    const report = await checkGradient(
      (key) => {
        const columns = perRow(reverse, 1000, key, samples);
        return Object.fromEntries(names.map((name, i) => [name, tf.scalar(mean(columns[i]))]));
      },
      Object.fromEntries(names.map((name, i) => [name, tf.scalar(exact[i])])),
      { replicates: 30, key: randomKey(name) },
    );
    expect(report.verdict, String(report)).toBe("consistent");
    for (const { standardError } of report.components) expect(standardError).toBeLessThan(0.02);
  });

  it("is the conditional bound's where ε′ = ε: a's entropy gradient vanishes, σ's becomes 1/σ", () => {
    const columns = perRow(ownReverseSampler, rows, randomKey(1));
    expectMeans(columns, [-2 * a, -2 * (b - 1), -2 * sigma * sigma + 1], "no transition");
    // Draw by draw: −∇_z log q(z | ε) · ∇z is u/σ times (ε, 1, σu).
    const { z, psi } = sampleHierarchy(
      problemOf(ownReverseSampler, rows).hierarchy(at(rows)),
      split(randomKey(1))[0],
      1,
    );
    const [latents, epsilons] = [z.dataSync(), psi.dataSync()];
    for (let i = 0; i < 50; i++) {
      const u = (latents[i] - a * epsilons[i] - b) / sigma;
      const slope = -2 * (latents[i] - 1) + u / sigma;
      [slope * epsilons[i], slope, slope * sigma * u].forEach((value, j) => {
        expect(Math.abs(columns[j][i] - value)).toBeLessThan(2e-4 * Math.max(1, Math.abs(value)));
      });
    }
  });

  it("is biased by what correlation the chain has kept, and by no more, for every length of burn-in", () => {
    // On N(m, s²) leapfrog is a rotation: L steps keep cos(L · 2 asin(ε/2s)) of the start; at this step size 99.9 % are accepted.
    const stepSize = 0.05;
    const kept = Math.cos(5 * 2 * Math.asin((stepSize * Math.sqrt(total)) / (2 * sigma)));
    expect(kept).toBeGreaterThan(0.85);
    for (const [burnIn, samples] of [
      [0, 1],
      [2, 1],
      [8, 1],
      [0, 4],
      [30, 1],
    ]) {
      const columns = perRow(hmcReverseSampler({ stepSize, burnIn, samples, jitter: 0 }), rows, randomKey(burnIn + 1));
      let correlation = 0;
      for (let s = 1; s <= samples; s++) correlation += kept ** (burnIn + s) / samples;
      expectMeans(columns, gradientAt(correlation), `${burnIn} + ${samples}`);
      const slopeBias = biases(columns)[0] / standardError(columns[0]);
      if (burnIn <= 8) expect(slopeBias, `${burnIn} + ${samples}`).toBeLessThan(-8);
      else expect(Math.abs(slopeBias)).toBeLessThan(4.5); // .04 of the correlation is left
    }
  });

  it("learns nothing from trajectories of a whole period, all accepted, unless their length is jittered", () => {
    const stepSize = ((2 * sigma) / Math.sqrt(total)) * Math.sin(Math.PI / 5);
    expectMeans(perRow(hmcReverseSampler({ stepSize, jitter: 0 }), rows, randomKey(1)), gradientAt(1), "a period");
    expect(hmcAcceptance({ stepSize, jitter: 0 })).toBeGreaterThan(0.9999);
    const jittered = perRow(hmcReverseSampler({ stepSize }), rows, randomKey(2));
    expect(Math.abs(biases(jittered)[0])).toBeLessThan((0.1 * a) / total + 4 * standardError(jittered[0]));
  });

  it("has a mean at which SIVI's arrives only as K grows, whose bias is that of another bound", () => {
    const siviColumns = (samples: number): Float64Array[] => {
      const problem = plainProblem(rows, samples);
      const inputs = { problem, bound: elbo, theta: {}, samples: 1, key: randomKey(samples) };
      const { gradient } = estimateGradient(reparameterised, { ...inputs, phi: { q: at(rows), tau: {} } });
      return names.map((name) => Float64Array.from(gradient.phi.q[name].dataSync()));
    };
    const siviBound = ([slope, shift, logScale]: readonly number[], samples: number): number => {
      const q = { slope, shift, scale: Math.exp(logScale) };
      const prior = () => ({ mean: 0, scale: 1 });
      return -((shift - 1) ** 2) - slope ** 2 - q.scale ** 2 - expectedEstimate(q, prior, samples, true);
    };
    const point = [a, b, Math.log(sigma)];
    const found = [1, 5].map((samples) => {
      const columns = siviColumns(samples);
      const truth = point.map((_, i) => {
        const shifted = (h: number) => point.map((value, j) => (i === j ? value + h : value));
        return (siviBound(shifted(1e-3), samples) - siviBound(shifted(-1e-3), samples)) / 2e-3;
      });
      expectMeans(columns, truth, `SIVI, K = ${samples}`);
      return { bias: biases(columns)[0], error: standardError(columns[0]) };
    });
    const columns = perRow(hmcReverseSampler(), rows, randomKey(3));
    const [one, five, chain] = [...found, { bias: biases(columns)[0], error: standardError(columns[0]) }].map(
      ({ bias, error }) => ({ size: Math.abs(bias), error }),
    );
    expect(one.size).toBeGreaterThan(five.size + 4 * Math.hypot(one.error, five.error));
    expect(five.size).toBeGreaterThan(chain.size + 4 * Math.hypot(five.error, chain.error));
  });

  it("has the bias of its importance weights, which falls as K grows", () => {
    const [few, many] = [2, 20].map((samples) => {
      const columns = perRow(importanceReverseSampler({ reverse: mixingReverse(), samples }), rows, randomKey(samples));
      return { bias: biases(columns)[0], error: standardError(columns[0]) };
    });
    expect(Math.abs(few.bias)).toBeGreaterThan(8 * few.error);
    expect(Math.abs(many.bias)).toBeLessThan(Math.abs(few.bias) / 3);
  });

  it("varies less the more states are kept, down to what exact scores leave", () => {
    const totalVariance = <Own extends Parameters>(sampler: ReverseSampler<Own>) =>
      perRow(sampler, rows, randomKey(7)).reduce((sum, values) => sum + variance(values), 0);
    const [one, five, exactOne, exactMany] = [
      hmcReverseSampler({ samples: 1 }),
      hmcReverseSampler({ samples: 5 }),
      exactReverseSampler(),
      exactReverseSampler({ samples: 200 }),
    ].map((sampler) => totalVariance(sampler as ReverseSampler<Parameters>));
    expect(five).toBeLessThan(0.9 * one);
    expect(Math.abs(one / exactOne - 1)).toBeLessThan(0.1); // a state that has forgotten its start is as good as an exact draw
    expect(exactMany).toBeLessThan(five);
  });
});

describe("a UIVI step", () => {
  const chain = hmcReverseSampler({ burnIn: 1, samples: 2 });
  const inputs = () => ({
    problem: problemOf(chain, 4),
    bound: elbo,
    theta: {},
    phi: { q: at(4), tau: {}, reverse: chain.init(randomKey(1)) },
    samples: 8,
    key: randomKey(2),
  });

  it("reports its problem's bound, repeats itself for a key, scales the gradient alone, and leaves nothing", () => {
    const given = inputs();
    const before = tf.memory().numTensors;
    const first = estimateGradient(uivi, given);
    const again = estimateGradient(uivi, given);
    const other = estimateGradient(uivi, { ...given, key: randomKey(3) });
    const scaled = estimateGradient(uivi, { ...given, problem: { ...given.problem, scale: 5 } });
    const slopes = ({ gradient }: typeof first) => Array.from(gradient.phi.q.slope.dataSync());
    expect(slopes(again)).toEqual(slopes(first));
    expect(slopes(other)).not.toEqual(slopes(first));
    expectClose(
      slopes(scaled),
      slopes(first).map((value) => 5 * value),
      1e-5,
    );
    const step = ({ gradient }: typeof first) => gradient.phi.reverse.logStepSize.dataSync()[0];
    expect(step(scaled)).toBe(step(first));
    // log p − log q(z | ψ_0): SIVI's with K = 0.
    const value = tf.tidy(() => {
      const { z, conditional } = sampleHierarchy(given.problem.hierarchy(given.phi.q), split(given.key)[0], 8);
      return tf.mean(tf.sub(logDensity(z), conditional.logProb(z)), 0).dataSync();
    });
    expectClose(Array.from(first.value.dataSync()), Array.from(value), 1e-5);
    expect(Array.from(scaled.value.dataSync())).toEqual(Array.from(first.value.dataSync()));
    for (const { value, gradient } of [first, again, other, scaled]) {
      value.dispose();
      for (const { tensor } of leaves(gradient)) tensor.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it("moves log ε by how far the acceptance is from its target, or leaves it alone", () => {
    const slope = (reverse: ReturnType<typeof hmcReverseSampler>) => {
      const phi = { q: at(4), tau: {}, reverse: reverse.init(randomKey(1)) };
      const { gradient } = estimateGradient(uivi, { ...inputs(), problem: problemOf(reverse, 4), phi });
      return gradient.phi.reverse.logStepSize.dataSync()[0];
    };
    expect(slope(hmcReverseSampler({ stepSize: 0.01 }))).toBeCloseTo(0.1, 2);
    expect(slope(hmcReverseSampler({ stepSize: 30, targetAcceptance: 0.6 }))).toBeCloseTo(-0.6, 2);
    expect(slope(hmcReverseSampler({ stepSize: 30, targetAcceptance: "none" }))).toBe(0);
  });

  it("fits, compiled: q reaches the target, the chains 90 % acceptance", async () => {
    const family = hierarchicalLinearGaussian({ dimension: 2 });
    const marginal = sivi({ samples: 0 });
    const reverse = hmcReverseSampler({ stepSize: 0.02, burnIn: 2, samples: 2, leapfrogSteps: 3 });
    const logTarget = (z: Tensor3D) => normalLogDensity(z, 1, 2, 1);
    const problem = uiviProblem({
      problem: hierarchicalDensityProblem({ logDensity: logTarget, family, marginal }),
      reverse,
    });
    const fitted = await fit({
      problem,
      init: { phi: { ...initialParameters(family, marginal, randomKey(1)), reverse: reverse.init(randomKey(1)) } },
      bound: elbo,
      gradient: uivi,
      samples: 32,
      optimizer: adam({ learningRate: (step) => 0.03 * 0.3 ** (step / 400) }),
      steps: 800,
      compile: "graph",
      key: randomKey(5),
    });
    const { q } = fitted.phi;
    const [slope, logScale, shift] = [q.slope, q.logScale, q.shift].map((t) => Array.from(t.dataSync()));
    slope.forEach((value, d) => {
      expect(Math.abs(Math.hypot(value, Math.exp(logScale[d])) - 2)).toBeLessThan(0.1);
      expect(Math.abs(shift[d] - 1)).toBeLessThan(0.15);
    });
    const acceptance = tf.tidy(() => {
      const hierarchy = problem.hierarchy(q);
      const { z, psi: psi0 } = sampleHierarchy(hierarchy, randomKey(8), 2000);
      const draws = reverse.sample(fitted.phi.reverse, { hierarchy, z, psi0, key: randomKey(9) });
      return draws.acceptanceProbability!.mean().dataSync()[0];
    });
    expect(Math.abs(acceptance - 0.9)).toBeLessThan(0.03);
    fitted.dispose();
  });

  it("refuses what it would get wrong", () => {
    const given = inputs();
    expect(() => uivi({ ...given, bound: iwae })).toThrow("which the weights of another bound need; use bound: elbo");
    expect(() => uivi({ ...given, problem: plainProblem(4) })).toThrow("add a sampler to a hierarchical one");
    expect(() => uivi({ ...given, samples: 0 })).toThrow("K must be");
    const { q, tau } = given.phi;
    expect(() => uivi({ ...given, phi: { q, tau } as typeof given.phi })).toThrow(
      "lacks the parameters of the reverse",
    );
    const noPath = { ...given.problem, hierarchy: (phi: typeof q) => opaque(given.problem.hierarchy(phi)) };
    expect(() => uivi({ ...given, problem: noPath })).toThrow("no gradient flows through the draws");
    // Another bound of the same family is no problem's fault: the marginal for reports may be any.
    const reporting = hierarchicalDensityProblem({
      logDensity,
      family: hierarchicalLinearGaussian({ dimension: 1, batchSize: 4 }),
      marginal: iwhvi({ reverse: exactReverse, samples: 2 }),
      batchSize: 4,
    });
    expect(() => uivi({ ...given, problem: uiviProblem({ problem: reporting, reverse: chain }) })).not.toThrow();
  });
});

/** The hierarchy with a mixing law through whose draws no gradient flows. */
function opaque<H extends { readonly mixing: object }>(hierarchy: H): H {
  return { ...hierarchy, mixing: Object.assign(Object.create(hierarchy.mixing), { reparameterised: false }) };
}
