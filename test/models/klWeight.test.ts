import { beforeAll, describe, expect, it } from "vitest";
import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { estimateBound } from "../../src/bounds/estimateBound.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { importanceWeightedDistribution } from "../../src/bounds/importanceWeightedDistribution.js";
import { iwae } from "../../src/bounds/iwae.js";
import { mean, standardError } from "../../src/diagnostics/moments.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { leaves, mapParameters } from "../../src/engine/parameters.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { type Scalar, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { type ReverseConditional, reverseOf } from "../../src/families/reverseConditional.js";
import { antithetic } from "../../src/gradients/antithetic.js";
import { arm } from "../../src/gradients/arm.js";
import { vimco } from "../../src/gradients/baselines.js";
import { checkGradient } from "../../src/gradients/check.js";
import { doublyReparameterised } from "../../src/gradients/doublyReparameterised.js";
import { estimators } from "../../src/gradients/estimators.js";
import { estimateGradient, type Gradient } from "../../src/gradients/gradient.js";
import { iwhviDoublyReparameterised } from "../../src/gradients/iwhviDoublyReparameterised.js";
import { pathDerivative } from "../../src/gradients/pathDerivative.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { uivi, uiviProblem } from "../../src/gradients/uivi.js";
import { hierarchicalLatentVariableProblem, hierarchicalProblem } from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi } from "../../src/marginals/marginal.js";
import { exactReverseSampler } from "../../src/marginals/reverseSampler.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { withFactors } from "../../src/models/factorisedProblem.js";
import type { KlWeight } from "../../src/models/klWeight.js";
import { withLearnedBaseline } from "../../src/models/learnedBaseline.js";
import { drawLogWeights, type LatentVariableModel, latentVariableProblem } from "../../src/models/problem.js";
import { exp } from "../../src/ops/exp.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { expectClose, expectNoLeak, read } from "../engine/support.js";
import { checked, differences, expectUnbiased } from "../gradients/support.js";
import { expectedEstimate } from "../marginals/linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

/** z ~ N(c, 1), x | z ~ N(z, 1), with c for its θ. */
const model: LatentVariableModel<{ c: Tensor1D }> = {
  dimension: 1,
  logJoint: ({ c }, z: Tensor3D, x: Tensor2D) =>
    tf.add(normalLogDensity(z, c, 1, 1), normalLogDensity(z, x, 1, 1)) as Tensor2D,
  logPrior: ({ c }, z) => normalLogDensity(z, c, 1, 1) as Tensor2D,
};
const family = meanFieldGaussian({ dimension: 1 });
const [x, c, m, logS] = [2, 0.3, 0.5, -0.2];
const problemOf = (klWeight?: KlWeight) =>
  latentVariableProblem({ model, family, x: tf.tensor2d([[x]]), scale: 1, klWeight });
const at = () => ({
  theta: { c: tf.tensor1d([c]) },
  phi: { mean: tf.tensor2d([[m]]), logScale: tf.tensor2d([[logS]]) },
});

/** log p(x | z) + β (log p(z) − log q(z)) of z ~ q, as a quadrature rule over the noise of z. */
function weightLaw([c, m, logS]: readonly number[], beta: number) {
  const noise = trapezoid(-9, 9, 181);
  const s = Math.exp(logS);
  const logNormal = (value: number): number => -(value * value + Math.log(2 * Math.PI)) / 2;
  const logQ = (e: number): number => logNormal(e) - logS;
  return {
    logWeights: Float64Array.from(noise.points, (e) => {
      const z = m + s * e;
      return logNormal(x - z) + beta * (logNormal(z - c) - logQ(e));
    }),
    probabilities: Float64Array.from(noise.points, (e, i) => Math.exp(noise.logWeights[i] + logNormal(e))),
  };
}

const exactValue = (values: readonly number[], beta: number, bound: Bound, samples: number): number =>
  exactIwae(weightLaw(values, beta), bound === elbo ? 1 : samples);

describe("a weight on log p(z) − log q(z | x)", () => {
  const gradients: readonly [string, Gradient, readonly Bound[]][] = [
    ["reparameterised", reparameterised, [elbo, iwae]],
    ["antithetic", antithetic(), [elbo]],
    ["pathDerivative", pathDerivative, [elbo]],
    ["doublyReparameterised", doublyReparameterised, [elbo, iwae]],
    ["scoreFunction", scoreFunction({ baseline: vimco }), [elbo, iwae]],
    ["scoreFunction with −1", scoreFunction({ minusOne: true }), [elbo]],
  ];
  const cases = gradients.flatMap(([name, gradient, bounds]) =>
    bounds.flatMap((bound) => [0.3, 1.7].map((beta) => [name, bound.name, beta, gradient, bound] as const)),
  );

  it.each(cases)("leaves the exact gradient: %s, %s, β = %f", async (_name, _bound, beta, gradient, bound) => {
    const samples = 4;
    const slope = differences((values) => exactValue(values, beta, bound, samples), [c, m, logS]);
    const exact = {
      theta: { c: tf.tensor1d([slope[0]]) },
      phi: { mean: tf.tensor2d([[slope[1]]]), logScale: tf.tensor2d([[slope[2]]]) },
    };
    const problem = problemOf(tf.scalar(beta));
    const report = expectUnbiased(
      await checked(gradient, { problem, ...at(), exact }, { bound, samples, seed: 3, replicates: 3000 }),
    );
    // What the weight changes is far above what the check can see.
    const unweighted = differences((values) => exactValue(values, 1, bound, samples), [c, m, logS]);
    expect(Math.abs(slope[0] - unweighted[0])).toBeGreaterThan(8 * report.components[0].standardError);
  });

  it("has the ELBO's closed form: above it by (1 − β) KL, and above log p(x) if β is small enough", async () => {
    const s = Math.exp(logS);
    const divergence = ((m - c) ** 2 + s * s - 1) / 2 - logS;
    const reconstruction = -((x - m) ** 2 + s * s + Math.log(2 * Math.PI)) / 2;
    const logEvidence = -((x - c) ** 2 / 4) - Math.log(4 * Math.PI) / 2;
    for (const beta of [0, 0.3, 1]) {
      const { value, standardError: error } = await estimateBound({
        problem: problemOf(beta),
        ...at(),
        bound: elbo,
        samples: 1,
        replicates: 100_000,
        key: randomKey(4),
      });
      expect(Math.abs(value - (reconstruction - beta * divergence)) / error).toBeLessThan(4);
    }
    // With q at the posterior the ELBO is log p(x), so every weight below 1 puts the objective above it.
    const posterior = [c, (x + c) / 2, -Math.log(2) / 2];
    expect(exactValue(posterior, 1, elbo, 1)).toBeCloseTo(logEvidence, 8);
    expect(exactValue(posterior, 0.9, elbo, 1)).toBeGreaterThan(logEvidence + 0.01);
  });

  it("gives IWAE's objective of that weight, which tends to log p(x) with K at β = 1 alone", async () => {
    for (const beta of [0, 0.5, 1]) {
      const { value, standardError: error } = await estimateBound({
        problem: problemOf(beta),
        ...at(),
        bound: iwae,
        samples: 8,
        replicates: 20_000,
        key: randomKey(5),
      });
      expect(Math.abs(value - exactValue([c, m, logS], beta, iwae, 8)) / error).toBeLessThan(4);
    }
    const limits = [0.5, 1].map((beta) =>
      [
        [c, m, logS],
        [c, m + 0.5, logS],
      ].map((values) => exactValue(values, beta, iwae, 20_000)),
    );
    expect(Math.abs(limits[1][0] - limits[1][1])).toBeLessThan(0.01);
    expect(Math.abs(limits[0][0] - limits[0][1])).toBeGreaterThan(0.1);
  });

  it("of 1 changes no bit, and as a number leaves the problem what it was", () => {
    const point = { ...at(), samples: 6, key: randomKey(6) };
    const plain = read(drawLogWeights(problemOf(), point).logW);
    expect(read(drawLogWeights(problemOf(tf.scalar(1)), point).logW)).toEqual(plain);
    expect(problemOf(1).klWeight).toBeUndefined();
    expect(read(drawLogWeights({ ...problemOf(tf.scalar(1)), sampleWithLogQ: undefined }, point).logW)).toEqual(
      read(drawLogWeights({ ...problemOf(), sampleWithLogQ: undefined }, point).logW),
    );
    expect(read(drawLogWeights(problemOf(0.5), point).logW)).not.toEqual(plain);
  });

  it("leaves no tensor behind", () => {
    const problem = problemOf(0.3);
    const { theta, phi } = at();
    const z = problem.sample(phi, randomKey(1), 3);
    expectNoLeak(() => problem.logP(theta, z));
    expectNoLeak(() => {
      const { z, logW } = drawLogWeights(problem, { theta, phi, samples: 3, key: randomKey(1) });
      return [z, logW];
    });
  });

  it("is refused where it is no weight, or the model does not know its prior", () => {
    for (const bad of [-0.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => problemOf(bad)).toThrow(`klWeight must be a finite number ≥ 0, not ${bad}`);
    }
    expect(() => problemOf(tf.tensor1d([0.5]) as unknown as Scalar)).toThrow(
      "klWeight must be a number or a scalar tensor, not one of shape [1]",
    );
    const { logPrior: _, ...without } = model;
    const parts = { family, x: tf.tensor2d([[x]]), scale: 1, klWeight: 0.5 };
    expect(() => latentVariableProblem({ model: without, ...parts })).toThrow("give the model logPrior(theta, z)");
    const wrong = latentVariableProblem({ model: { ...model, logPrior: () => tf.zeros([1]) as never }, ...parts });
    expect(() => wrong.logP(at().theta, tf.zeros([2, 1, 1]) as Tensor3D)).toThrow("what the model's logPrior returns");
  });

  it("is refused by what needs the weights p/q themselves", () => {
    const problem = problemOf(0.5);
    const rest = { ...at(), samples: 2, key: randomKey(1) };
    const sentence = "weighs log p(z) − log q(z | x) by a klWeight";
    expect(() => importanceWeightedDistribution({ problem, ...rest })).toThrow(sentence);
    const factorised = withFactors({ problem, factors: () => ({}) as never });
    expect(() => raoBlackwell()({ problem: factorised, bound: elbo, ...rest })).toThrow(sentence);
    expect(() => arm({ problem, bound: elbo, ...rest })).toThrow(sentence);
  });

  /** What each estimator of the library does with a weight. A new one has to be put here, and is then held to it. */
  const treatment: Readonly<Record<string, "carries" | "refuses" | "biased" | "hierarchy">> = {
    scoreFunction: "carries",
    "scoreFunction (with −1)": "carries",
    "scoreFunction (without −1)": "carries",
    "scoreFunction (leave-one-out)": "carries",
    "scoreFunction (VIMCO)": "carries",
    learnedBaseline: "carries",
    "learnedBaseline (raoBlackwell)": "refuses",
    raoBlackwell: "refuses",
    "overdispersed (τ = 1, 2)": "carries",
    "overdispersedFactors (τ = 1, 3)": "refuses",
    "scoreControlVariate (scoreFunction, heldOut)": "carries",
    "scoreControlVariate (scoreFunction, same)": "biased",
    "scoreControlVariate (raoBlackwell, heldOut)": "refuses",
    arm: "refuses",
    rebar: "refuses",
    "rebar (leave-one-out scale)": "refuses",
    gumbelSoftmax: "refuses",
    straightThrough: "refuses",
    enumeration: "refuses",
    reparameterised: "carries",
    generalisedReparameterised: "refuses",
    rejectionReparameterised: "refuses",
    "antithetic (reparameterised)": "carries",
    "antithetic (taylorControlVariate)": "carries",
    "quasiMonteCarlo (reparameterised)": "carries",
    "quasiMonteCarlo (taylorControlVariate)": "carries",
    taylorControlVariate: "carries",
    "taylorControlVariate (secant)": "carries",
    pathDerivative: "carries",
    doublyReparameterised: "carries",
    hierarchicalScoreFunction: "hierarchy",
    "hierarchicalScoreFunction along ψ": "hierarchy",
    iwhviDoublyReparameterised: "hierarchy",
    uivi: "hierarchy",
  };

  it("is either carried or refused by every estimator there is", async () => {
    expect(Object.keys(treatment)).toEqual(estimators.map(({ name }) => name));
    const beta = 0.3;
    const slope = differences((values) => exactValue(values, beta, elbo, 4), [c, m, logS]);
    const weighted = problemOf(tf.scalar(beta));
    const baselined = withLearnedBaseline({ problem: weighted, baseline: ({ level }: { level: Tensor1D }) => level });
    const { theta, phi } = at();
    for (const gradient of estimators) {
      const inputs = { bound: elbo, theta, samples: 4 };
      if (treatment[gradient.name] === "refuses") {
        const factors = withFactors({ problem: weighted, factors: () => ({}) as never });
        const problem = Object.assign(factors, { logits: () => phi.mean, baseline: () => phi.mean });
        const call = () => gradient({ ...inputs, problem, phi, key: randomKey(1) });
        expect(call, gradient.name).toThrow("weighs log p(z) − log q(z | x) by a klWeight");
      }
      if (treatment[gradient.name] !== "carries") continue;
      const beside = { q: phi, baseline: { level: tf.tensor1d([0]) } };
      const step = compile(({ key }: { key: Key }) => {
        const found =
          gradient.name === "learnedBaseline"
            ? estimateGradient(gradient, { ...inputs, problem: baselined, phi: beside, key }).gradient
            : estimateGradient(gradient, { ...inputs, problem: weighted, phi, key }).gradient;
        return { c: found.theta.c, ...("q" in found.phi ? found.phi.q : found.phi) };
      });
      const exact = {
        c: tf.tensor1d([slope[0]]),
        mean: tf.tensor2d([[slope[1]]]),
        logScale: tf.tensor2d([[slope[2]]]),
      };
      const estimator = (key: Key) => step({ key }) as typeof exact;
      const report = await checkGradient(estimator, exact, { replicates: 1000, key: randomKey(9) });
      step.dispose();
      expect(report.verdict, `${gradient.name}: ${report}`).toBe("consistent");
    }
  });
});

type Column = Tensor2D;
type LinearReverse = { readonly w: Column; readonly c: Column; readonly logScale: Column };

/** a, b, log σ of q; then w, c, log s of τ = N(wz + c, s²). */
const deep = [0.9, 0.5, Math.log(0.6), 0.5, 0.1, Math.log(0.8)];
const record = (values: readonly number[], rows: number) => {
  const [slope, shift, logScale, w, c, s] = values.map((value) => tf.fill([rows, 1], value) as Column);
  return { q: { slope, shift, logScale }, tau: { w, c, logScale: s } };
};
const reverse: ReverseConditional<LinearReverse> = {
  reparameterised: true,
  init: () => record(deep, 1).tau,
  given: ({ w, c, logScale }, { z }) =>
    reverseOf(
      new Independent({ base: new Normal({ mean: tf.add(tf.mul(w, z), c), scale: exp(logScale) }), eventRank: 1 }),
    ),
};
const deepProblem = (samples: number, rows: number, klWeight?: KlWeight) =>
  hierarchicalLatentVariableProblem({
    model: conjugateGaussian,
    family: hierarchicalLinearGaussian({ dimension: 1, batchSize: rows }),
    marginal: iwhvi({ reverse, samples }),
    x: tf.fill([rows, 1], x) as Tensor2D,
    scale: 1,
    klWeight,
  });

/** E log p(x | z) + β (E log p(z) − E log q̂(z)), by quadrature. */
function exactDeep([a, b, s, w, c, t]: readonly number[], samples: number, beta: number): number {
  const variance = a * a + Math.exp(2 * s);
  const [likelihood, prior] = [x, 0].map((centre) => -((b - centre) ** 2 + variance + Math.log(2 * Math.PI)) / 2);
  const tau = (z: number) => ({ mean: w * z + c, scale: Math.exp(t) });
  return likelihood + beta * (prior - expectedEstimate({ slope: a, shift: b, scale: Math.exp(s) }, tau, samples, true));
}

describe("a weight on log p(z) − log q̂(z | x) of a hierarchical q", () => {
  it.each([
    [0.3, 0],
    [0.3, 3],
    [1.6, 3],
  ])(
    "leaves the exact gradient in q and τ, plain and doubly reparameterised: β = %f, K = %i",
    async (beta, samples) => {
      const slope = deep.map((_, i) => {
        const shifted = (step: number) => deep.map((value, j) => (i === j ? value + step : value));
        return (exactDeep(shifted(1e-3), samples, beta) - exactDeep(shifted(-1e-3), samples, beta)) / 2e-3;
      });
      for (const gradient of [reparameterised, iwhviDoublyReparameterised]) {
        const estimator = (key: Key) =>
          mapParameters(
            estimateGradient(gradient, {
              problem: deepProblem(samples, 2000, tf.scalar(beta)),
              bound: elbo,
              theta: {},
              phi: record(deep, 2000),
              samples: 1,
              key,
            }).gradient.phi,
            (column) => tf.mean(column, 0, true),
          );
        const report = await checkGradient(estimator, record(slope, 1), { replicates: 40, key: randomKey(7) });
        expect(report.verdict, String(report)).toBe("consistent");
        for (const { standardError: error } of report.components) expect(error).toBeLessThan(0.02);
      }
    },
  );

  it("leaves one mean, plain and doubly reparameterised, under IWAE", () => {
    const columns = (gradient: Gradient, seed: string) =>
      leaves(
        estimateGradient(gradient, {
          problem: deepProblem(2, 40_000, 0.4),
          bound: iwae,
          theta: {},
          phi: record(deep, 40_000),
          samples: 3,
          key: randomKey(seed),
        }).gradient.phi,
      ).map(({ tensor }) => Float64Array.from(tensor.dataSync()));
    const [plain, double] = [columns(reparameterised, "plain"), columns(iwhviDoublyReparameterised, "double")];
    plain.forEach((values, i) => {
      const difference = mean(values) - mean(double[i]);
      const error = Math.hypot(standardError(values), standardError(double[i]));
      expect(Math.abs(difference) / error, `component ${i}`).toBeLessThan(4);
      expect(error).toBeLessThan(0.02);
    });
  });

  it("leaves the exact gradient by the score of q with exact reverse draws", async () => {
    const beta = 0.3;
    const problem = uiviProblem({ problem: deepProblem(0, 2000, beta), reverse: exactReverseSampler() });
    // E log p(x | z) + β (E log p(z) + H(q)), H = ½ log 2πe(a² + σ²).
    const value = ([a, b, s]: readonly number[]) => {
      const variance = a * a + Math.exp(2 * s);
      return -((b - x) ** 2 + variance) / 2 + beta * ((Math.log(variance) - b * b - variance) / 2);
    };
    const slope = differences(value, deep.slice(0, 3));
    const phi = { ...record(deep, 2000), reverse: {} };
    const estimator = (key: Key) =>
      mapParameters(
        estimateGradient(uivi, { problem, bound: elbo, theta: {}, phi, samples: 1, key }).gradient.phi.q,
        (column) => tf.mean(column, 0, true),
      );
    const exact = record([...slope, 0, 0, 0], 1).q;
    const report = await checkGradient(estimator, exact, { replicates: 40, key: randomKey(8) });
    expect(report.verdict, String(report)).toBe("consistent");
  });

  it("comes with the target, and is 1 to the bit where it is 1", () => {
    const point = { theta: {}, phi: record(deep, 1), samples: 5, key: randomKey(9) };
    const weights = (klWeight?: KlWeight) => read(drawLogWeights(deepProblem(2, 1, klWeight), point).logW);
    expect(weights(tf.scalar(1))).toEqual(weights());
    const flat = latentVariableProblem({
      model: conjugateGaussian,
      family,
      x: tf.tensor2d([[x]]),
      scale: 1,
      klWeight: 0.25,
    });
    const joined = hierarchicalProblem({
      target: flat,
      family: hierarchicalLinearGaussian({ dimension: 1 }),
      marginal: iwhvi({ reverse, samples: 2 }),
    });
    expect(joined.klWeight).toBe(0.25);
    expectClose(read(drawLogWeights(joined, point).logW), weights(0.25), 1e-6);
    expect(() => deepProblem(2, 1, -1)).toThrow("klWeight must be a finite number ≥ 0, not -1");
  });
});
