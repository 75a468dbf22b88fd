import { beforeAll, describe, expect, it } from "vitest";
import { estimateBound } from "../../src/bounds/estimateBound.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { iwae } from "../../src/bounds/iwae.js";
import { estimateMean, variance } from "../../src/diagnostics/moments.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import type { Distribution } from "../../src/distributions/distribution.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import type { Hierarchy } from "../../src/families/hierarchicalFamily.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { mixingReverse } from "../../src/families/reverseConditional.js";
import { hierarchicalProblem, type Target } from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi, type Marginal, sivi } from "../../src/marginals/marginal.js";
import { sandwich } from "../../src/marginals/sandwich.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import type { MlpParameters } from "../../src/models/mlp.js";
import { drawLogWeights, type NoParameters } from "../../src/models/problem.js";
import { logNormal } from "./linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

// q(z) = N(.5, .9² + .6²) for the conjugate model's posterior N(1, ½) at x = 2.
const q = { slope: 0.9, shift: 0.5, scale: 0.6 };
const x = 2;
const logP = conjugateGaussian.logEvidence(x);
const logJoint = (z: number) => logNormal(z, 0, 1) + logNormal(x, z, 1);

/** B data that are all alike: what K draws serve is one of them, so they are independent replicates. */
const replicates = (B: number) => {
  const family = hierarchicalLinearGaussian({ dimension: 1, batchSize: B });
  const column = (value: number) => tf.fill([B, 1], value) as Tensor2D;
  const phi = { slope: column(q.slope), shift: column(q.shift), logScale: column(Math.log(q.scale)) };
  const data = column(x);
  const target: Target<NoParameters> = {
    batchSize: B,
    scale: 1,
    logP: (_theta, z) => conjugateGaussian.logJoint({}, z, data),
  };
  return { family, phi, target };
};

/** L_M of SIVI with K = 1 shared draw: given it, the M weights are independent, so L_M is an average of exact L_M over ψ_1. */
function exactShared(M: number): number {
  const outer = trapezoid(-5.5, 5.5, 23);
  const own = trapezoid(-6, 6, 49);
  const noise = trapezoid(-6, 6, 49);
  return outer.points.reduce((sum, fresh, i) => {
    const logWeights: number[] = [];
    const probabilities: number[] = [];
    own.points.forEach((psi, j) => {
      noise.points.forEach((u, l) => {
        const z = q.slope * psi + q.shift + q.scale * u;
        const density = [psi, fresh].map((at) => Math.exp(logNormal(z, q.slope * at + q.shift, q.scale)));
        logWeights.push(logJoint(z) - Math.log((density[0] + density[1]) / 2));
        probabilities.push(
          Math.exp(own.logWeights[j] + logNormal(psi, 0, 1) + noise.logWeights[l] + logNormal(u, 0, 1)),
        );
      });
    });
    const law = { logWeights: Float64Array.from(logWeights), probabilities: Float64Array.from(probabilities) };
    return sum + Math.exp(outer.logWeights[i] + logNormal(fresh, 0, 1)) * exactIwae(law, M);
  }, 0);
}

describe("SIVI with draws shared among a datum's M latents", () => {
  const at = (M: number, marginal: Marginal<NoParameters>, B = 20000) => {
    const { family, phi, target } = replicates(B);
    const problem = hierarchicalProblem({ target, family, marginal });
    return { problem, theta: {}, phi: { q: phi, tau: {} }, samples: M, key: randomKey(M) };
  };

  it("has the exact bound of M dependent weights: below that of independent ones and log p(x), above that of one", async () => {
    const exact = exactShared(24);
    const shared = await estimateBound({ ...at(24, sivi({ samples: 1, shared: true })), bound: iwae, chunk: 24 });
    const fresh = await estimateBound({ ...at(24, sivi({ samples: 4 })), bound: iwae });
    const one = await estimateBound({ ...at(1, sivi({ samples: 1, shared: true })), bound: iwae });
    expect(Math.abs(shared.value - exact) / shared.standardError).toBeLessThan(4);
    expect(shared.standardError).toBeLessThan(0.004);
    expect(fresh.value - exact).toBeGreaterThan(8 * fresh.standardError); // so that the test can tell
    expect(exact - one.value).toBeGreaterThan(8 * one.standardError);
    expect(fresh.value).toBeLessThan(logP);
    // With one latent there is nothing to share.
    expect(Math.abs(one.value - exactShared(1)) / one.standardError).toBeLessThan(4);
  });

  it("has weights whose mean is p(x) exactly, and whose M-average varies more than that of independent ones", () => {
    const [shared, fresh] = [true, false].map((reused) => {
      const { logW } = drawLogWeights(at(24, sivi({ samples: 4, shared: reused })).problem, {
        ...at(24, sivi({ samples: 4 })),
        key: randomKey(9),
      });
      const averages = Float64Array.from(tf.mean(tf.exp(logW), 0).dataSync()); // [B], independent
      const { value, standardError } = estimateMean(averages);
      expect(Math.abs(value - Math.exp(logP)) / standardError).toBeLessThan(4);
      expect(standardError).toBeLessThan(0.0015);
      return averages.map(Math.log);
    });
    // A ratio of variances from 20,000 each has a standard error of some 2 %.
    expect(variance(shared) / variance(fresh)).toBeGreaterThan(1.15);
  });

  it("is refused where every z is to be independent", async () => {
    const { family, phi } = replicates(1);
    const own = { hierarchy: () => family.hierarchy(phi), reverse: mixingReverse({ shared: true }), eta: {} };
    await expect(sandwich(own, "entropy", { key: randomKey(1) })).rejects.toThrow(
      "sandwich: τ's draws serve all z, so that these are not independent",
    );
  });
});

describe("what a multisample bound evaluates", () => {
  const [M, K, B] = [6, 5, 2];
  const reverse = gaussianReverse({ latent: 1, mixing: 1, hidden: [4] });
  const { family, phi, target } = replicates(B);

  /** Numbers of conditionals made, of log q(z | ψ), of log τ(ψ | z) and of log p(x, z) evaluated for one draw of all M weights. */
  const count = <Eta extends MlpParameters | NoParameters>(marginal: Marginal<Eta>, tau: Eta) => {
    const evaluated = { conditionals: 0, densities: 0, tau: 0, model: 0 };
    const counting = (inner: Distribution): Distribution =>
      new Proxy(inner, {
        get: (of, name) =>
          name === "logProb"
            ? (z: Tensor) => {
                const logQ = of.logProb(z);
                evaluated.densities += logQ.size;
                return logQ;
              }
            : Reflect.get(of, name),
      });
    const problem = hierarchicalProblem({
      target: {
        ...target,
        logP: (theta: NoParameters, z: Tensor3D): Tensor2D => {
          evaluated.model += z.shape[0] * z.shape[1];
          return target.logP(theta, z);
        },
      },
      family: {
        ...family,
        hierarchy: (at: typeof phi): Hierarchy => {
          const inner = family.hierarchy(at);
          return {
            ...inner,
            conditional: (psi) => {
              evaluated.conditionals += psi.size; // Dψ is 1
              return counting(inner.conditional(psi));
            },
          };
        },
      },
      marginal: {
        ...marginal,
        ...iwhvi({
          samples: marginal.samples,
          reverse: {
            ...marginal.reverse,
            given: (eta: Eta, inputs) => {
              const inner = marginal.reverse.given(eta, inputs);
              return {
                ...inner,
                logProb: (psi: Tensor) => {
                  const logTau = inner.logProb(psi);
                  evaluated.tau += logTau.size;
                  return logTau;
                },
              };
            },
          },
        }),
      },
    });
    tf.tidy(() => drawLogWeights(problem, { theta: {}, phi: { q: phi, tau }, samples: M, key: randomKey(1) }).logW);
    return evaluated;
  };

  it("is M (K + 1) conditionals a datum, and the model M times, whatever K", () => {
    const tau = reverse.init(randomKey(2));
    const all = B * M * (K + 1);
    expect(count(iwhvi({ reverse, samples: K }), tau)).toEqual({
      conditionals: all,
      densities: all,
      tau: all,
      model: B * M,
    });
    expect(count(iwhvi({ reverse, samples: 0 }), tau)).toEqual({
      conditionals: B * M,
      densities: B * M,
      tau: B * M,
      model: B * M,
    });
    expect(count(sivi({ samples: K }), {})).toEqual({ conditionals: all, densities: all, tau: 0, model: B * M });
  });

  it("is K + M conditionals with shared draws, each at M latents", () => {
    expect(count(sivi({ samples: K, shared: true }), {})).toEqual({
      conditionals: B * (K + M),
      densities: B * M * (K + 1),
      tau: 0,
      model: B * M,
    });
  });
});
