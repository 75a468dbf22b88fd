import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { estimateMean } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { meanFieldBernoulli } from "../../src/families/meanFieldBernoulli.js";
import { meanFieldCategorical } from "../../src/families/meanFieldCategorical.js";
import type { DeclaredGradient } from "../../src/gradients/declared.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { rebar } from "../../src/gradients/rebar.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { exactChainElbo } from "../../src/models/bernoulliChain.js";
import { densityProblem } from "../../src/models/problem.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { backends } from "../engine/support.js";
import { categoricalCase } from "./discreteCases.js";
import { chainCase, checked, expectCompiled, expectUnbiased, gaussianCase, phiVariance } from "./support.js";

beforeAll(async () => {
  await ready();
});

const numbers = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

describe("rebar", () => {
  it.each([
    { sites: 1, temperature: 0.5, scale: 1 },
    { sites: 3, temperature: 0.1, scale: 1 },
    { sites: 3, temperature: 1, scale: 0.4 },
    { sites: 5, temperature: 0.5, scale: -2 },
    { sites: 4, temperature: 2, scale: "leaveOneOut" as const },
  ])("has the ELBO's gradient whatever τ and η: %o", async ({ sites, ...options }) => {
    const given = chainCase(sites, elbo, 4);
    expectUnbiased(await checked(rebar(options), given, { bound: elbo, samples: 4, seed: 1, replicates: 1000 }));
  });

  it.each([
    { variables: 2, states: 3, temperature: 0.5, scale: 1 },
    { variables: 2, states: 2, temperature: 1.5, scale: -1 },
    { variables: 3, states: 3, temperature: 0.3, scale: "leaveOneOut" as const },
  ])(
    "has it for one-hot categories, with less variance than the score function: %o",
    async ({ variables, states, ...options }) => {
      const given = categoricalCase(variables, states);
      const at = { bound: elbo, samples: 4, seed: 3, replicates: 1000 };
      const report = expectUnbiased(await checked(rebar(options), given, at));
      if (options.scale === 1)
        expect(phiVariance(report) / phiVariance(await checked(scoreFunction(), given, at))).toBeLessThan(0.5);
    },
  );

  it.each([-2, 1.5])("has it far from even odds too, on one bit and on two one-hot states: l = %f", (l) => {
    const copies = 100_000;
    const sigma = (y: number): number => 1 / (1 + Math.exp(-y));
    const exact = sigma(l) * sigma(-l) * (Math.E - 1 - l);
    const at = { theta: {}, samples: 1, bound: elbo };
    const one = densityProblem({
      logDensity: (z) => tf.sum(tf.exp(z), -1),
      family: meanFieldBernoulli({ dimension: 1, batchSize: copies }),
      batchSize: copies,
    });
    const two = densityProblem({
      logDensity: (z) => tf.exp(tf.squeeze(tf.slice(z, [0, 0, 0], [-1, -1, 1]), [2])),
      family: meanFieldCategorical({ variables: 1, states: 2, batchSize: copies }),
      batchSize: copies,
    });
    const gradient = rebar({ temperature: 0.5 });
    const [bits, states] = [
      { logits: tf.fill([copies, 1], l) as tf.Tensor2D },
      { logits: tf.tile(tf.tensor3d([[[l + 0.3, 0.3]]]), [copies, 1, 1]) },
    ];
    const ofBits = estimateGradient(gradient, { ...at, problem: one, phi: bits, key: randomKey(4) }).gradient.phi;
    const ofStates = estimateGradient(gradient, { ...at, problem: two, phi: states, key: randomKey(5) }).gradient.phi;
    for (const draws of [numbers(ofBits.logits), numbers(ofStates.logits).filter((_, i) => i % 2 === 0)]) {
      const { value, standardError } = estimateMean(draws);
      expect(Math.abs(value - exact) / standardError).toBeLessThan(4);
      expect(standardError).toBeLessThan(0.004);
    }
  });

  it("has less variance than the score function, also with a scale found on the other draws, and the same at η = 0", async () => {
    const given = chainCase(4, elbo, 8);
    const variance = async (gradient: DeclaredGradient): Promise<number> =>
      phiVariance(await checked(gradient, given, { bound: elbo, samples: 8, seed: 2, replicates: 1500 }));
    const naive = await variance(scoreFunction());
    const [full, found, half, none] = [
      await variance(rebar({ temperature: 0.5 })),
      await variance(rebar({ temperature: 0.5, scale: "leaveOneOut" })),
      await variance(rebar({ temperature: 0.5, scale: 0.5 })),
      await variance(rebar({ temperature: 0.5, scale: 0 })),
    ];
    expect(full / naive).toBeLessThan(0.2);
    expect(found / naive).toBeLessThan(0.2);
    expect(found).toBeLessThan(half);
    expect(Math.abs(none / naive - 1)).toBeLessThan(0.2);
  });

  it("takes the temperature and the scale as tensors, compiles and leaves nothing behind", () => {
    const tensors = { temperature: tf.scalar(0.5), scale: tf.scalar(0.8) };
    for (const options of [tensors, { temperature: 0.5 }, { temperature: 0.5, scale: "leaveOneOut" as const }])
      expectCompiled(rebar(options), chainCase(3, elbo, 4), { bound: elbo, samples: 4 });
    expectCompiled(rebar({ temperature: 0.5, scale: "leaveOneOut" }), categoricalCase(2, 3), {
      bound: elbo,
      samples: 4,
    });
    tf.dispose(tensors);
  });

  it("refuses a bound, a q, a temperature or a scale that it cannot do with", () => {
    const at = { samples: 2, key: randomKey(1) };
    const gradient = rebar({ temperature: 1 });
    expect(() => gradient({ ...chainCase(2, elbo, 2), ...at, bound: iwae })).toThrow(
      "use scoreFunction({ baseline: vimco })",
    );
    expect(() => gradient({ ...gaussianCase(2), ...at, bound: elbo })).toThrow("q is not declared to be Bernoulli");
    expect(() => rebar({ temperature: -1 })).toThrow("rebar: the temperature must be a positive number, not -1");
    expect(() => rebar({ temperature: 1, scale: Number.NaN })).toThrow("must be a finite number, not NaN");
    const found = rebar({ temperature: 1, scale: "leaveOneOut" });
    expect(() => found({ ...chainCase(2, elbo, 2), ...at, samples: 1, bound: elbo })).toThrow("needs K ≥ 2, not 1");
  });
});

describe.each(backends)("rebar on %s", (backend) => {
  it("fits the best logits compiled", async () => {
    await ready({ backend });
    const { problem, theta, phi } = chainCase(3, elbo, 8);
    const fitted = await fitProblem({
      problem,
      init: { theta, phi },
      bound: elbo,
      samples: 8,
      gradient: rebar({ temperature: 0.5, scale: "leaveOneOut" }),
      optimizer: adam({ learningRate: 0.05 }),
      steps: 30,
      key: randomKey(1),
      compile: "graph",
    });
    const value = (bits: typeof theta, { logits }: typeof phi): number =>
      exactChainElbo({ bias: numbers(bits.bias), coupling: numbers(bits.coupling), logits: numbers(logits) });
    expect(value(fitted.theta, fitted.phi)).toBeGreaterThan(value(theta, phi) + 0.3);
    fitted.dispose();
    await ready({ backend: "tensorflow" });
  });
});
