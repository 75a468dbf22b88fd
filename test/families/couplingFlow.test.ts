import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { estimateBound } from "../../src/bounds/estimateBound.js";
import { productRule, trapezoid } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters, mapParameters } from "../../src/engine/parameters.js";
import { foldIn, normal, randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { couplingFlow } from "../../src/families/couplingFlow.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { banana } from "../../src/models/planarToys.js";
import { densityProblem } from "../../src/models/problem.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as maximise } from "../../src/optimize/fit.js";
import { backends, expectClose, read } from "../engine/support.js";

describe.each(backends)("couplingFlow on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  /** Parameters away from the start. */
  const bent = (family: ReturnType<typeof couplingFlow>) => {
    let leaf = 0;
    return mapParameters(family.init(randomKey(1)), (tensor) =>
      tf.mul(normal(foldIn(randomKey(2), leaf++), tensor.shape), 0.25),
    );
  };

  it("starts as the mean-field Gaussian, and leaves nothing behind", () => {
    const before = tf.memory().numTensors;
    const family = couplingFlow({ dimension: 3, initialScale: 0.7 });
    const phi = family.init(randomKey(1));
    const [draws, logQ, same] = tf.tidy(() => {
      const draws = family.distribution(phi).sample(randomKey(3), [5]);
      const gaussian = meanFieldGaussian({ dimension: 3 }).distribution(phi.base);
      return [draws, family.distribution(phi).logProb(draws), gaussian.logProb(draws)];
    });
    expect([draws.shape, logQ.shape]).toEqual([
      [5, 1, 3],
      [5, 1],
    ]);
    expectClose(read(logQ), read(same), 1e-5);
    expect(phi.base.logScale.dataSync()[0]).toBeCloseTo(Math.log(0.7), 6);
    draws.dispose();
    disposeParameters(phi);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("has a density that integrates to 1, with the moments of its draws", () => {
    const family = couplingFlow({ dimension: 2, couplings: 3, hidden: [4] });
    const phi = bent(family);
    const rule = productRule(trapezoid(-9, 9, 181), trapezoid(-9, 9, 181));
    const size = rule.logWeights.length;
    const logQ = read(
      tf.tidy(() => family.distribution(phi).logProb(tf.tensor(Float32Array.from(rule.points), [size, 1, 2]))),
    );
    const p = logQ.map((value, i) => Math.exp(value + rule.logWeights[i]!));
    expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 3);
    const draws = read(tf.tidy(() => family.distribution(phi).sample(randomKey(4), [20_000])));
    for (const d of [0, 1]) {
      const mean = p.reduce((sum, value, i) => sum + value * rule.points[2 * i + d]!, 0);
      const square = p.reduce((sum, value, i) => sum + value * rule.points[2 * i + d]! ** 2, 0);
      const drawn = draws.filter((_, i) => i % 2 === d);
      const average = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
      expect(Math.abs(average - mean) / Math.sqrt((square - mean ** 2) / drawn.length)).toBeLessThan(4);
    }
  });
});

describe("couplingFlow", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("bends where no Gaussian can, in compiled steps", async () => {
    const family = couplingFlow({ dimension: 2, couplings: 4, hidden: [12] });
    const problem = densityProblem({ logDensity: (z) => banana.logDensity(z), family });
    const { phi } = await maximise({
      problem,
      init: { phi: family.init(randomKey(1)) },
      bound: elbo,
      samples: 32,
      optimizer: adam({ learningRate: 0.005 }),
      steps: 1_500,
      key: randomKey(2),
      compile: "graph",
    });
    const { value } = await estimateBound({
      problem,
      bound: elbo,
      theta: {},
      phi,
      samples: 1,
      replicates: 4_000,
      key: randomKey(3),
    });
    expect(value).toBeGreaterThan(-0.3); // −KL
    expect(value).toBeLessThan(0.02);
  });

  it("refuses sizes and scales that make no sense", () => {
    expect(() => couplingFlow({ dimension: 1 })).toThrow("needs dimension ≥ 2");
    expect(() => couplingFlow({ dimension: 0 })).toThrow("dimension must be a positive integer");
    expect(() => couplingFlow({ dimension: 2, couplings: 0 })).toThrow("couplings must be a positive integer");
    expect(() => couplingFlow({ dimension: 2, hidden: [0] })).toThrow("every size must be a positive integer");
    expect(() => couplingFlow({ dimension: 2, initialScale: 0 })).toThrow("initialScale must be positive");
  });
});
