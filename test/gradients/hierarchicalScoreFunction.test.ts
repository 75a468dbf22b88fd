import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { estimateBound } from "../../src/bounds/estimateBound.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { leaves, type Parameters } from "../../src/engine/parameters.js";
import { randomKey, split } from "../../src/engine/random.js";
import { type Scalar, tf } from "../../src/engine/tf.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { mixtureGaussian } from "../../src/families/mixtureGaussian.js";
import { leaveOneOut, vimco } from "../../src/gradients/baselines.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { hierarchicalScoreFunction } from "../../src/gradients/hierarchicalScoreFunction.js";
import {
  type HierarchicalProblem,
  hierarchicalDensityProblem,
  initialParameters,
} from "../../src/marginals/hierarchicalProblem.js";
import { type HierarchicalDraws, iwhvi, type Marginal, sivi } from "../../src/marginals/marginal.js";
import type { Problem } from "../../src/models/problem.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as maximise } from "../../src/optimize/fit.js";
import { backends, expectClose, read } from "../engine/support.js";
import { bernoulliGivenLogits, bitHierarchy, bitTable, gaussianHierarchy } from "./hierarchyCases.js";
import { checked, expectCompiled, expectUnbiased, gaussianCase, phiVariance } from "./support.js";

beforeAll(async () => {
  await ready();
});

describe("hierarchicalScoreFunction", () => {
  for (const mixing of ["score", "path"] as const) {
    it.each([undefined, true, false])(
      `has the gradient of the mended bound, by ${mixing}, minusOne: %s`,
      async (minusOne) => {
        const given = gaussianHierarchy(elbo, 8, 0);
        const gradient = hierarchicalScoreFunction({ mixing, ...(minusOne !== undefined && { minusOne }) });
        expectUnbiased(await checked(gradient, given, { bound: elbo, samples: 8, seed: 1, replicates: 400 }));
      },
    );

    it(`has it with a draw of τ beside ψ_0, and for two weights of IWAE, by ${mixing}`, async () => {
      const one = gaussianHierarchy(elbo, 8, 1);
      expectUnbiased(
        await checked(hierarchicalScoreFunction({ mixing }), one, {
          bound: elbo,
          samples: 8,
          seed: 2,
          replicates: 400,
        }),
      );
      const two = gaussianHierarchy(iwae, 2, 0);
      for (const gradient of [
        hierarchicalScoreFunction({ mixing }),
        hierarchicalScoreFunction({ mixing, baseline: vimco }),
      ])
        expectUnbiased(await checked(gradient, two, { bound: iwae, samples: 2, seed: 3, replicates: 600 }));
    });
  }

  it("differs with the −1 by the mean score of its draws, ψ's and z's, and by nothing else", () => {
    const { problem, theta, phi } = bitHierarchy("Gaussian");
    const own = problem as HierarchicalProblem<Record<string, never>, Parameters, Parameters>;
    const at = { problem, theta, phi, bound: elbo, samples: 5, key: randomKey(6) };
    const flat = (record: Parameters): number[] => leaves(record).flatMap(({ tensor }) => read(tensor));
    const [kept, dropped] = [true, false].map((minusOne) =>
      flat(estimateGradient(hierarchicalScoreFunction({ minusOne }), at).gradient.phi),
    );
    const { q } = phi as { q: Parameters };
    const { z, psi } = own.sample(phi as never, split(at.key)[0]!, 5);
    const { value, gradient } = valueAndGradient((at) => {
      const { mixing, conditional } = own.hierarchy(at);
      return tf.div(tf.sum(tf.add(mixing.logProb!(psi), conditional(psi).logProb(z))), 5) as Scalar;
    }, q);
    value.dispose();
    const score = flat(gradient);
    expectClose(
      kept!.slice(0, score.length),
      dropped!.slice(0, score.length).map((slope, i) => slope - score[i]!),
      1e-5,
    );
    expectClose(kept!.slice(score.length), dropped!.slice(score.length), 1e-6); // τ's
  });

  it("has it for bits, whose law no path runs through, with less variance along λ's path", async () => {
    expectUnbiased(
      await checked(hierarchicalScoreFunction(), bitHierarchy("mixture"), {
        bound: elbo,
        samples: 8,
        seed: 4,
        replicates: 400,
      }),
    );
    const at = { bound: elbo, samples: 8, seed: 5, replicates: 400 };
    const given = bitHierarchy("Gaussian");
    const naive = expectUnbiased(await checked(hierarchicalScoreFunction(), given, at));
    const path = expectUnbiased(await checked(hierarchicalScoreFunction({ mixing: "path" }), given, at));
    expect(phiVariance(path)).toBeLessThan(phiVariance(naive));
    const centred = expectUnbiased(await checked(hierarchicalScoreFunction({ baseline: leaveOneOut }), given, at));
    expect(phiVariance(centred)).toBeLessThan(phiVariance(naive));
  });

  it("climbs in compiled steps for a q that no path runs through", async () => {
    const given = bitHierarchy("mixture");
    const problem = given.problem as Problem<Record<string, never>, Parameters, HierarchicalDraws>;
    const { phi } = await maximise({
      problem,
      init: { phi: given.phi },
      bound: elbo,
      samples: 32,
      gradient: hierarchicalScoreFunction({ baseline: leaveOneOut }),
      optimizer: adam({ learningRate: 0.05 }),
      steps: 100,
      key: randomKey(2),
      compile: "graph",
    });
    const at = { problem, bound: elbo, theta: {}, samples: 1, replicates: 4_000, key: randomKey(3) };
    const [before, after] = [await estimateBound({ ...at, phi: given.phi }), await estimateBound({ ...at, phi })];
    const truth = Math.log(bitTable.reduce((sum, log) => sum + Math.exp(log), 0));
    expect(after.value).toBeGreaterThan(before.value + 0.3);
    expect(after.value).toBeLessThan(truth + 4 * after.standardError);
  });

  it("refuses what it cannot differentiate, with the remedy", () => {
    const at = { theta: {}, samples: 2, key: randomKey(1), bound: elbo };
    const mixture = bitHierarchy("mixture");
    expect(() => hierarchicalScoreFunction({ mixing: "path" })({ ...mixture, ...at })).toThrow("leave mixing out");
    expect(() => hierarchicalScoreFunction()({ ...gaussianCase(2), ...at })).toThrow("or use scoreFunction");
    expect(() => hierarchicalScoreFunction({ minusOne: false })({ ...mixture, ...at, bound: iwae })).toThrow(
      "minusOne",
    );
    expect(() => hierarchicalScoreFunction({ baseline: leaveOneOut })({ ...mixture, ...at, samples: 1 })).toThrow(
      "K ≥ 2",
    );
    const family = hierarchical({
      mixing: mixtureGaussian({ dimension: 2, components: 2 }),
      conditional: bernoulliGivenLogits,
    });
    const problemOf = <Eta extends Parameters>(marginal: Marginal<Eta>) => ({
      problem: hierarchicalDensityProblem({ logDensity: (z) => tf.sum(z, -1), family, marginal }),
      phi: initialParameters(family, marginal, randomKey(1)),
    });
    expect(() => hierarchicalScoreFunction()({ ...problemOf(sivi({ samples: 2 })), ...at })).toThrow("use hvm");
    const still = {
      ...gaussianReverse({ latent: 2, mixing: 2, hidden: [], fromMixing: false }),
      reparameterised: false,
    };
    expect(() => hierarchicalScoreFunction()({ ...problemOf(iwhvi({ reverse: still, samples: 1 })), ...at })).toThrow(
      "use hvm",
    );
  });
});

describe.each(backends)("hierarchicalScoreFunction on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    for (const mixing of ["score", "path"] as const) {
      expectCompiled(hierarchicalScoreFunction({ mixing }), gaussianHierarchy(elbo, 1, 1), { bound: elbo, samples: 4 });
      expectCompiled(hierarchicalScoreFunction({ mixing }), bitHierarchy("Gaussian"), { bound: iwae, samples: 4 });
    }
    expectCompiled(hierarchicalScoreFunction(), bitHierarchy("mixture"), { bound: elbo, samples: 4 });
  });
});
