import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { leaves } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { meanFieldBernoulli } from "../../src/families/meanFieldBernoulli.js";
import { enumeration } from "../../src/gradients/enumeration.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { densityProblem } from "../../src/models/problem.js";
import { expectClose, read } from "../engine/support.js";
import { categoricalCase, networkCase } from "./discreteCases.js";
import { chainCase, expectCompiled, gaussianCase } from "./support.js";

beforeAll(async () => {
  await ready();
});

describe("enumeration", () => {
  it.each([
    ["one layer", () => networkCase({ layers: [3], hidden: [] })],
    ["two layers with hidden ones", () => networkCase({ layers: [2, 2], hidden: [3] })],
    ["a chain with logits of its own", () => ({ ...chainCase(4, elbo, 1), values: undefined })],
    ["categories", () => ({ ...categoricalCase(3, 3), values: [categoricalCase(3, 3).value] })],
    ["two one-hot states", () => ({ ...categoricalCase(2, 2), values: [categoricalCase(2, 2).value] })],
  ])("has the ELBO and its exact gradient, whatever K and the key: %s", (_name, make) => {
    const { problem, theta, phi, exact, values } = make() as ReturnType<typeof networkCase>;
    for (const [samples, seed] of [
      [1, 1],
      [5, 2],
    ] as const) {
      const at = { problem, theta, phi, samples, key: randomKey(seed), bound: elbo };
      const { value, gradient } = estimateGradient(enumeration, at);
      if (values) expectClose(read(value), values, 1e-5);
      leaves(exact).forEach(({ path, tensor }, i) => {
        const found = leaves(gradient)[i]!;
        expect(found.path).toBe(path);
        expectClose(read(found.tensor), Array.from(tensor.dataSync()), 2e-5);
      });
    }
  });

  it("runs compiled as eager, with the problem's scale, and leaves nothing behind", () => {
    expectCompiled(enumeration, networkCase({ layers: [3], hidden: [] }), { bound: elbo, samples: 1 });
    const { problem, theta, phi } = chainCase(2, elbo, 1);
    const slope = (scale: number) => {
      const at = { problem: { ...problem, scale }, theta, phi, samples: 1, key: randomKey(1), bound: elbo };
      return read(estimateGradient(enumeration, at).gradient.phi.logits);
    };
    expectClose(
      slope(3),
      slope(1).map((value) => 3 * value),
      1e-6,
    );
  });

  it("refuses another bound, a q that is not discrete, and more states than it can go through", () => {
    const at = { samples: 2, key: randomKey(1) };
    expect(() => enumeration({ ...chainCase(2, elbo, 2), ...at, bound: iwae })).toThrow(
      "use scoreFunction({ baseline: vimco })",
    );
    expect(() => enumeration({ ...gaussianCase(2), ...at, bound: elbo })).toThrow(
      "enumeration: this problem's q is not declared to be Bernoulli or one-hot categorical",
    );
    const family = meanFieldBernoulli({ dimension: 17 });
    const problem = densityProblem({ logDensity: (z) => tf.sum(z, -1), family });
    expect(() => enumeration({ problem, theta: {}, phi: family.init(randomKey(1)), ...at, bound: elbo })).toThrow(
      "enumeration: 17 variables of 2 states have 131072 states together, too many",
    );
  });
});
