import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { mapParameters } from "../../src/engine/parameters.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import { gaussianConditional } from "../../src/families/gaussianConditional.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { residualReverse } from "../../src/families/residualReverse.js";
import { type ReverseConditional, reverseOf } from "../../src/families/reverseConditional.js";
import { checkGradient } from "../../src/gradients/check.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { iwhviDoublyReparameterised } from "../../src/gradients/iwhviDoublyReparameterised.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import {
  hierarchicalDensityProblem,
  hierarchicalLatentVariableProblem,
} from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi } from "../../src/marginals/marginal.js";
import { drawLogWeights } from "../../src/models/problem.js";
import { vae } from "../../src/models/vae.js";
import { exp } from "../../src/ops/exp.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { expectClose, expectNoLeak, read } from "../engine/support.js";
import { expectedEstimate } from "../marginals/linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

type Line = { readonly w: Tensor2D; readonly c: Tensor2D; readonly logScale: Tensor2D };

/** N(wz + c, s²), a row of parameters a datum. */
const line: ReverseConditional<Line> = {
  reparameterised: true,
  init: () => record(at, 1).tau,
  given: ({ w, c, logScale }, { z }) =>
    reverseOf(
      new Independent({ base: new Normal({ mean: tf.add(tf.mul(w, z), c), scale: exp(logScale) }), eventRank: 1 }),
    ),
};

/** a, b, log σ of q; w, c, log s of τ. */
const at = [0.9, 0.5, Math.log(0.6), 0.4, 0.1, Math.log(0.8)];
function record(values: readonly number[], rows: number) {
  const [slope, shift, logScale, w, c, s] = values.map((value) => tf.fill([rows, 1], value) as Tensor2D);
  return { q: { slope, shift, logScale }, tau: { w, c, logScale: s } };
}

describe("residualReverse", () => {
  it.each([0, 3])(
    "has the exact gradient in q, through τ too, and in τ, plain and doubly reparameterised: K = %i",
    async (samples) => {
      // E log N(z; 1, ½) − E log q̂(z), with τ's mean w (z − b)/σ + c.
      const exactBound = ([a, b, s, w, c, t]: readonly number[]): number => {
        const q = { slope: a, shift: b, scale: Math.exp(s) };
        const joint = -((b - 1) ** 2 + a ** 2 + q.scale ** 2) - Math.log(Math.PI) / 2;
        const tau = (z: number) => ({ mean: (w * (z - b)) / q.scale + c, scale: Math.exp(t) });
        return joint - expectedEstimate(q, tau, samples, true);
      };
      const slope = at.map((_, i) => {
        const shifted = (step: number) => at.map((value, j) => (i === j ? value + step : value));
        return (exactBound(shifted(1e-3)) - exactBound(shifted(-1e-3))) / 2e-3;
      });
      const rows = 2000;
      const problem = hierarchicalDensityProblem({
        logDensity: (z: Tensor3D) => normalLogDensity(z, 1, Math.SQRT1_2, 1),
        family: hierarchicalLinearGaussian({ dimension: 1, batchSize: rows }),
        marginal: iwhvi({ reverse: residualReverse(line), samples }),
        batchSize: rows,
      });
      for (const gradient of [reparameterised, iwhviDoublyReparameterised]) {
        const estimator = (key: Key) =>
          mapParameters(
            estimateGradient(gradient, { problem, bound: elbo, theta: {}, phi: record(at, rows), samples: 1, key })
              .gradient.phi,
            (column) => tf.mean(column, 0, true),
          );
        const report = await checkGradient(estimator, record(slope, 1), { replicates: 40, key: randomKey(samples) });
        expect(report.verdict, String(report)).toBe("consistent");
        for (const { standardError } of report.components) expect(standardError).toBeLessThan(0.02);
      }
    },
    30_000,
  );

  it("takes each datum's own residual, of q(z | ψ̄, x), and leaves nothing behind", () => {
    const family = hierarchical({
      mixing: amortisedGaussian({ latent: 3, observed: 5, hidden: [6] }),
      conditional: gaussianConditional({ latent: 2, mixing: 3, observed: 5, hidden: [6], scale: "network" }),
    });
    const phi = family.init(randomKey(1));
    const x = tf.tensor2d([0, 1, 1, 0, 1, 1, 0, 0, 0, 1], [2, 5]);
    const z = tf.tensor3d([0.3, -1, 0.5, 2, 1, 1, -0.2, 0.7, 0, 0.1, 0.4, -0.6], [3, 2, 2]);
    const reverse = gaussianReverse({ latent: 2, mixing: 3, observed: 5, hidden: [6], fromMixing: false });
    const eta = reverse.init(randomKey(2));
    const psi = tf.ones([4, 3, 2, 3]);
    const hierarchy = family.hierarchy(phi, x);
    const q = hierarchy.conditional(hierarchy.mixing.mean!());
    const residual = tf.div(tf.sub(z, q.mean()), tf.sqrt(q.variance())) as Tensor3D;
    expectClose(
      read(residualReverse(reverse).given(eta, { hierarchy, z, x }).logProb(psi)),
      read(reverse.given(eta, { hierarchy, z: residual, x }).logProb(psi)),
      1e-5,
    );
    const problem = hierarchicalLatentVariableProblem({
      model: vae({ latent: 2, observed: 5, hidden: [4] }),
      family,
      marginal: iwhvi({ reverse: residualReverse(reverse), samples: 2 }),
      x,
      scale: 1,
    });
    const theta = vae({ latent: 2, observed: 5, hidden: [4] }).init(randomKey(3));
    expectNoLeak(() => {
      const { z, logW } = drawLogWeights(problem, { theta, phi: { q: phi, tau: eta }, samples: 2, key: randomKey(4) });
      return [z.z, z.psi, logW];
    });
  });

  it("says when there is no mean to take a residual at", () => {
    const mixing = { reparameterised: true, sample: () => tf.zeros([1, 1, 1]) };
    const hierarchy = { ...hierarchicalLinearGaussian({ dimension: 1 }).hierarchy(record(at, 1).q), mixing };
    expect(() =>
      residualReverse(line).given(record(at, 1).tau, { hierarchy, z: tf.zeros([1, 1, 1]) as Tensor3D }),
    ).toThrow("residualReverse: this q(ψ | x) has no mean()");
  });
});
