import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { MultivariateNormal } from "../../src/distributions/multivariateNormal.js";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { leaves } from "../../src/engine/parameters.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { tidied } from "../../src/engine/values.js";
import { fullRankConditional } from "../../src/families/fullRankConditional.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { standardNormal } from "../../src/families/standardNormal.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { uivi, uiviProblem } from "../../src/gradients/uivi.js";
import { hierarchicalDensityProblem, initialParameters } from "../../src/marginals/hierarchicalProblem.js";
import { sampleHierarchy, sivi } from "../../src/marginals/marginal.js";
import { hmcReverseSampler } from "../../src/marginals/reverseSampler.js";
import { backends, expectClose, expectNoLeak, mean, read, variance } from "../engine/support.js";

/** A linear map A and b, and L: then z ~ N(b, A Aᵀ + L Lᵀ). */
const [a, b, lower] = [
  [
    [1, -0.5],
    [0.3, 0.8],
  ],
  [0.2, -1],
  [
    [0.6, 0],
    [-0.4, 0.9],
  ],
];
const conditional = fullRankConditional({ latent: 2, mixing: 2, hidden: [] });
const family = hierarchical({ mixing: standardNormal({ dimension: 2 }), conditional });
const phi = () => ({
  mixing: {},
  conditional: {
    network: { layers: [{ weights: tf.tensor2d(a), bias: tf.tensor1d(b) }] }, // μ = ψ A + b
    // Above the diagonal stands what must not be read.
    logCholesky: tf.tensor2d([
      [Math.log(lower[0][0]), 5],
      [lower[1][0], Math.log(lower[1][1])],
    ]),
  },
});
/** Aᵀ A + L Lᵀ, with rows as μ = ψ A has them. */
const covariance = [0, 1].map((i) =>
  [0, 1].map((j) => [0, 1].reduce((sum, k) => sum + a[k][i] * a[k][j] + lower[i][k] * lower[j][k], 0)),
);

describe.each(backends)("fullRankConditional on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("is the multivariate normal, for many ψ a latent", () => {
    const psi = normal(randomKey(1), [3, 4, 1, 2]);
    const z = normal(randomKey(2), [4, 1, 2]) as Tensor3D;
    const at = phi().conditional;
    const expected = tf.tidy(() => {
      const mean = tf.add(
        tf.reshape(tf.matMul(tf.reshape(psi, [12, 2]) as Tensor2D, tf.tensor2d(a)), psi.shape),
        tf.tensor1d(b),
      );
      return new MultivariateNormal({ mean, scaleTril: tf.tensor2d(lower) }).logProb(z);
    });
    expect(expected.shape).toEqual([3, 4, 1]);
    expectClose(read(tf.tidy(() => conditional.given(at)(psi).logProb(z))), read(expected), 1e-5);
    expectNoLeak(() => tf.tidy(() => conditional.given(at)(psi).logProb(z)));
  });

  it("passes gradients to the network and to the lower triangle alone", () => {
    const psi = normal(randomKey(1), [3, 4, 1, 2]);
    const z = normal(randomKey(2), [4, 1, 2]);
    const of = (logCholesky: Tensor): Tensor =>
      tf.sum(
        conditional
          .given({ ...phi().conditional, logCholesky: logCholesky as Tensor2D })(psi)
          .logProb(z),
      );
    const at = phi().conditional.logCholesky;
    const slope = read(tf.grad(of)(at));
    const step = 1e-2;
    const difference = [0, 1, 2, 3].map((i) => {
      const [up, down] = [step, -step].map(
        (h) =>
          read(
            of(
              tf.add(
                at,
                tf.tensor2d(
                  [0, 1, 2, 3].map((j) => (i === j ? h : 0)),
                  [2, 2],
                ),
              ),
            ),
          )[0],
      );
      return (up - down) / (2 * step);
    });
    expect(slope[1]).toBe(0);
    expectClose(slope, difference, 3e-3);
  });

  it("replays a step of UIVI as eager", () => {
    const marginal = sivi({ samples: 2 });
    const reverse = hmcReverseSampler({ burnIn: 1, samples: 1, leapfrogSteps: 2 });
    const logDensity = (z: Tensor3D): Tensor => tf.mul(-0.5, tf.sum(tf.square(z), -1));
    const problem = uiviProblem({ problem: hierarchicalDensityProblem({ logDensity, family, marginal }), reverse });
    const start = { ...initialParameters(family, marginal, randomKey(3)), reverse: reverse.init(randomKey(4)) };
    const estimate = (inputs: { phi: typeof start; key: ReturnType<typeof randomKey> }) =>
      estimateGradient(uivi, { problem, bound: elbo, samples: 4, theta: {}, ...inputs });
    const step = compile(estimate);
    for (const seed of [5, 6]) {
      const [eager, replayed] = [estimate, step].map((run) => run({ phi: start, key: randomKey(seed) }));
      const expected = leaves(eager.gradient).map(({ tensor }) => read(tensor));
      leaves(replayed.gradient).forEach(({ tensor }, i) => {
        expectClose(read(tensor), expected[i], 1e-4);
      });
    }
    step.dispose();
  });
});

describe("a semi-implicit q on a full-rank conditional", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("is the Gaussian that a linear network makes it: moments, and a density that SIVI's estimate tends to from above", () => {
    const at = phi();
    const n = 40_000;
    const z = read(tf.tidy(() => sampleHierarchy(family.hierarchy(at), randomKey(1), n).z));
    const columns = [0, 1].map((d) => z.filter((_, i) => i % 2 === d));
    for (const i of [0, 1]) {
      expect(Math.abs(mean(columns[i]) - b[i])).toBeLessThan(4 * Math.sqrt(covariance[i][i] / n));
      for (const j of [0, 1]) {
        const products = columns[i].map((value, s) => (value - b[i]) * (columns[j][s] - b[j]));
        const error = Math.sqrt((covariance[i][i] * covariance[j][j] + covariance[i][j] ** 2) / n);
        expect(Math.abs(mean(products) - covariance[i][j])).toBeLessThan(4 * error);
      }
    }
    const determinant = covariance[0][0] * covariance[1][1] - covariance[0][1] ** 2;
    const exact = ([x, y]: readonly number[]): number => {
      const [u, v] = [x - b[0], y - b[1]];
      const square = covariance[1][1] * u * u - 2 * covariance[0][1] * u * v + covariance[0][0] * v * v;
      return -Math.log(2 * Math.PI) - 0.5 * Math.log(determinant) - 0.5 * (square / determinant);
    };
    const draws = tidied(() => sampleHierarchy(family.hierarchy(at), randomKey(2), 2_000));
    const points = draws.z.arraySync() as number[][][];
    for (const [samples, most] of [
      [5, 0.3],
      [500, 0.01],
    ] as const) {
      const estimate = tf.tidy(() =>
        sivi({ samples }).logDensity({
          hierarchy: family.hierarchy(at),
          eta: {},
          z: draws.z,
          psi0: draws.psi,
          key: randomKey(3),
        }),
      );
      const excess = read(estimate).map((value, i) => value - exact(points[i][0]));
      const error = Math.sqrt(variance(excess) / excess.length);
      expect(mean(excess)).toBeGreaterThan(-4 * error);
      expect(mean(excess)).toBeLessThan(most + 4 * error);
    }
  });

  it("refuses sizes and scales out of range", () => {
    expect(() => fullRankConditional({ latent: 0, mixing: 1, hidden: [] })).toThrow("fullRankConditional: latent");
    expect(() => fullRankConditional({ latent: 1, mixing: 1, hidden: [], initialScale: 0 })).toThrow(
      "fullRankConditional: initialScale must be positive, not 0.",
    );
  });
});
