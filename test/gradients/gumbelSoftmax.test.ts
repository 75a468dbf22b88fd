import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import type { GradientCheck } from "../../src/gradients/check.js";
import { gumbelSoftmax, straightThrough } from "../../src/gradients/gumbelSoftmax.js";
import { exactChainElbo } from "../../src/models/bernoulliChain.js";
import { read } from "../engine/support.js";
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

  it("runs compiled as eager and leaves nothing behind", () => {
    for (const make of [gumbelSoftmax, straightThrough]) {
      expectCompiled(make({ temperature: 0.5 }), chainCase(3, elbo, 4), { bound: elbo, samples: 4 });
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
