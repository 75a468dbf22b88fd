import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { estimateMean } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { meanFieldBernoulli } from "../../src/families/meanFieldBernoulli.js";
import { meanFieldCategorical } from "../../src/families/meanFieldCategorical.js";
import type { GradientCheck } from "../../src/gradients/check.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { gumbelSoftmax, straightThrough } from "../../src/gradients/gumbelSoftmax.js";
import { relaxedBit } from "../../src/gradients/relaxedBit.js";
import { exactChainElbo } from "../../src/models/bernoulliChain.js";
import { densityProblem } from "../../src/models/problem.js";
import { read } from "../engine/support.js";
import { categoricalCase } from "./discreteCases.js";
import { chainCase, checked, expectCompiled, gaussianCase, phiVariance } from "./support.js";

beforeAll(async () => {
  await ready();
});

/** Largest |mean − exact| of φ's components, and its standard error. */
function phiBias({ components }: GradientCheck): { bias: number; error: number } {
  const [worst] = components
    .filter(({ name }) => name.startsWith("phi"))
    .map(({ mean, exact, standardError }) => ({ bias: Math.abs(mean - exact), error: standardError }))
    .sort((a, b) => b.bias - a.bias);
  return worst;
}

describe("gumbelSoftmax", () => {
  it("is biased, the less the colder, and pays for it in variance", async () => {
    const given = chainCase(3, elbo, 16);
    const at = (temperature: number) =>
      checked(gumbelSoftmax({ temperature }), given, { bound: elbo, samples: 16, seed: 1, replicates: 1000 });
    const [hot, cold] = [await at(1), await at(0.2)];
    expect(hot.verdict, String(hot)).toBe("biased");
    expect(phiBias(hot).bias - phiBias(cold).bias).toBeGreaterThan(
      4 * Math.hypot(phiBias(hot).error, phiBias(cold).error),
    );
    expect(phiVariance(cold)).toBeGreaterThan(phiVariance(hot));
    expect(gumbelSoftmax({ temperature: 1 }).standing(elbo).verdict).toBe("biased");
  });

  it("straight through is biased in φ and not in θ", async () => {
    const given = chainCase(3, elbo, 16);
    const gradient = straightThrough({ temperature: 0.5 });
    const report = await checked(gradient, given, { bound: elbo, samples: 16, seed: 2, replicates: 2000 });
    for (const { name, bias } of report.components)
      if (name.startsWith("theta")) expect(Math.abs(bias), name).toBeLessThan(4);
    expect(report.verdict, String(report)).toBe("biased");
    expect(report.worst.name).toMatch(/^phi/);
  });

  it("reports the ELBO of the bits", () => {
    const { problem, theta, phi } = chainCase(3, elbo, 2);
    const [bias, coupling, logits] = [theta.bias, theta.coupling, phi.logits].map((tensor) =>
      Array.from(tensor.dataSync()),
    );
    const exact = exactChainElbo({ bias, coupling, logits });
    for (const make of [gumbelSoftmax, straightThrough]) {
      const gradient = make({ temperature: tf.scalar(1) });
      const { value } = gradient({ problem, theta, phi, bound: elbo, samples: 20_000, key: randomKey(3) });
      expect(Math.abs(read(value)[0] - exact)).toBeLessThan(0.03);
    }
  });

  it.each([
    ["gumbelSoftmax", 0.4],
    ["gumbelSoftmax", 1.5],
    ["straightThrough", 0.4],
    ["straightThrough", 1.5],
  ] as const)(
    "has the mean and variance that quadrature gives on one bit, and on two one-hot states: %s, τ = %f",
    (name, temperature) => {
      const [l, copies] = [0.7, 60_000];
      const gradient = { gumbelSoftmax, straightThrough }[name]({ temperature });
      const path = relaxedBit({ slope: Math.exp, logit: l, temperature, hard: name === "straightThrough" });
      const sigma = (y: number): number => 1 / (1 + Math.exp(-y));
      const exact = path.mean - l * sigma(l) * sigma(-l); // and the entropy's own, in closed form
      const at = { theta: {}, samples: 1, bound: elbo };
      const one = densityProblem({
        logDensity: (z) => tf.sum(tf.exp(z), -1),
        family: meanFieldBernoulli({ dimension: 1, batchSize: copies }),
        batchSize: copies,
      });
      const bits = estimateGradient(gradient, {
        ...at,
        problem: one,
        phi: { logits: tf.fill([copies, 1], l) as never },
        key: randomKey(4),
      });
      const two = densityProblem({
        logDensity: (z) => tf.exp(tf.squeeze(tf.slice(z, [0, 0, 0], [-1, -1, 1]), [2])),
        family: meanFieldCategorical({ variables: 1, states: 2, batchSize: copies }),
        batchSize: copies,
      });
      const phi = { logits: tf.tile(tf.tensor3d([[[l + 0.3, 0.3]]]), [copies, 1, 1]) };
      const states = estimateGradient(gradient, { ...at, problem: two, phi, key: randomKey(5) });
      const columns = read(states.gradient.phi.logits);
      for (const draws of [
        read(bits.gradient.phi.logits),
        columns.filter((_, i) => i % 2 === 0),
        columns.filter((_, i) => i % 2 === 1).map((v) => -v),
      ]) {
        const { value, standardError } = estimateMean(draws);
        expect(Math.abs(value - exact) / standardError).toBeLessThan(4);
        expect(standardError).toBeLessThan(0.005);
        const squares = estimateMean(draws.map((draw) => (draw - value) ** 2));
        expect(Math.abs(squares.value - path.variance) / squares.standardError).toBeLessThan(4);
      }
    },
  );

  it("on categories is biased, straight through in φ alone, and reports the ELBO of the states", async () => {
    const given = categoricalCase(2, 3);
    const at = { bound: elbo, samples: 16, seed: 5, replicates: 600 };
    const soft = await checked(gumbelSoftmax({ temperature: 1 }), given, at);
    expect(soft.verdict, String(soft)).toBe("biased");
    const hard = await checked(straightThrough({ temperature: 0.5 }), given, at);
    expect(hard.verdict, String(hard)).toBe("biased");
    for (const { name, bias } of hard.components)
      if (name.startsWith("theta")) expect(Math.abs(bias), name).toBeLessThan(4);
    for (const make of [gumbelSoftmax, straightThrough]) {
      const inputs = { ...given, bound: elbo, samples: 20_000, key: randomKey(3) };
      expect(Math.abs(read(make({ temperature: 1 })(inputs).value)[0]! - given.value)).toBeLessThan(0.03);
    }
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    for (const make of [gumbelSoftmax, straightThrough]) {
      expectCompiled(make({ temperature: 0.5 }), chainCase(3, elbo, 4), { bound: elbo, samples: 4 });
      expectCompiled(make({ temperature: 0.5 }), categoricalCase(2, 3), { bound: elbo, samples: 4 });
    }
  });

  it("refuses a temperature, a bound or a q that it cannot do with", () => {
    expect(() => gumbelSoftmax({ temperature: 0 })).toThrow("must be a positive number, not 0");
    const gradient = straightThrough({ temperature: 1 });
    const at = { samples: 2, key: randomKey(1) };
    expect(() => gradient({ ...chainCase(2, elbo, 2), ...at, bound: iwae })).toThrow("belongs to the ELBO alone");
    expect(() => gradient({ ...gaussianCase(2), ...at, bound: elbo })).toThrow("q is not declared to be Bernoulli");
  });
});
