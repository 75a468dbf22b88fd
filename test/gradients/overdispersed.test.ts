import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { overdispersed } from "../../src/gradients/overdispersed.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { withDispersions } from "../../src/models/dispersions.js";
import { backends, read } from "../engine/support.js";
import {
  chainCase,
  checked,
  differences,
  expectCompiled,
  expectUnbiased,
  gaussianCase,
  phiVariance,
} from "./support.js";

/** gaussianCase(1) with dispersions to learn: −½ ∇ of the second moment E_r |f|², by quadrature. */
function learnedCase(excess: readonly number[]) {
  const { problem, theta, phi, exact } = gaussianCase(1);
  const [centre, mean, logScale] = [0.5, 0.4 * Math.sin(1), -0.2];
  const scale = Math.exp(logScale);
  const { points, logWeights } = trapezoid(-9, 9, 4000);
  const momentOf = (taus: readonly number[]): number => {
    return points.reduce((sum, e, i) => {
      const q = Math.exp(-(e * e) / 2) / Math.sqrt(2 * Math.PI);
      const r =
        taus.reduce((total, t) => total + Math.exp(-(e * e) / (2 * t)) / Math.sqrt(2 * Math.PI * t), 0) / taus.length;
      const logW = -((mean + scale * e - centre) ** 2) / 2 + (e * e) / 2 + logScale + Math.log(2 * Math.PI) / 2;
      const score = (e * e) / scale ** 2 + (e * e - 1) ** 2;
      return sum + (Math.exp(logWeights[i]) * (q * q * logW * logW * score)) / r;
    }, 0);
  };
  const moment = (at: readonly number[]): number => momentOf(at.map((e) => 1 + Math.log1p(Math.exp(e))));
  const slope = differences(moment, excess).map((value) => -value / 2);
  return {
    momentOf,
    problem: withDispersions(problem),
    theta,
    phi: { q: phi, dispersion: { excess: tf.tensor1d([...excess]) } },
    exact: { theta: exact.theta, phi: { q: exact.phi, dispersion: { excess: tf.tensor1d(slope) } } },
  };
}

describe.each(backends)("overdispersed on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    expectCompiled(overdispersed(), gaussianCase(3), { bound: elbo, samples: 4 });
    expectCompiled(overdispersed(), learnedCase([0.3, -1]), { bound: elbo, samples: 4 });
  });
});

describe("overdispersed", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it.each([1, 2, 3])(
    "has the ELBO's gradient, with a mixture of proposals and with one, dimension %i",
    async (size) => {
      for (const dispersions of [[1], [2], [1, 2], [1.5, 4]]) {
        const at = { bound: elbo, samples: 8, seed: 1, replicates: 400 };
        expectUnbiased(await checked(overdispersed({ dispersions }), gaussianCase(size), at));
      }
    },
  );

  it("has the variance that quadrature gives it, below that of draws of q itself", async () => {
    const { momentOf } = learnedCase([0]);
    const given = gaussianCase(1);
    const { mean, logScale } = gaussianCase(1).exact.phi;
    const square = [mean, logScale].flatMap(read).reduce((sum, g) => sum + g * g, 0);
    const exact = (tau: number) => (momentOf([tau]) - square) / 8;
    const at = { bound: elbo, samples: 8, seed: 2, replicates: 6000 };
    const plain = phiVariance(await checked(scoreFunction({ minusOne: false }), given, at));
    const wide = phiVariance(await checked(overdispersed({ dispersions: [2] }), given, at));
    expect(Math.abs(plain / exact(1) - 1)).toBeLessThan(0.15);
    expect(Math.abs(wide / exact(2) - 1)).toBeLessThan(0.15);
    expect(exact(1) / exact(2)).toBeGreaterThan(2.5);
  });

  it("moves τ down the gradient of the variance, and leaves q's gradient what it was", async () => {
    for (const excess of [[0.3], [0.3, -1], [2, 3]]) {
      const at = { bound: elbo, samples: 6, seed: 3, replicates: 1500 };
      expectUnbiased(await checked(overdispersed(), learnedCase(excess), at));
    }
  });

  it("refuses other bounds, a τ below 1, a K that its proposals cannot share, and a q that is no product of normals", () => {
    const { theta, phi, problem } = gaussianCase(1);
    const at = { theta, phi, problem, bound: elbo, samples: 4, key: randomKey(1) };
    expect(() => overdispersed()({ ...at, bound: iwae })).toThrow("importance weights stand for one draw");
    expect(() => overdispersed({ dispersions: [1, 0.5] })).toThrow("finite numbers ≥ 1, not [1, 0.5]");
    expect(() => overdispersed()({ ...at, samples: 3 })).toThrow("K must be a multiple of 2, not 3");
    expect(() => overdispersed()({ ...at, ...chainCase(2, elbo, 2) })).toThrow("not known to be one");
  });
});
