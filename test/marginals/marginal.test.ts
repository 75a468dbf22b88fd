import { beforeAll, describe, expect, it } from "vitest";
import { estimateMean } from "../../src/diagnostics/moments.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Key, normal, randomKey, split } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { tidied } from "../../src/engine/values.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import type { ExactHierarchy, Hierarchy } from "../../src/families/hierarchicalFamily.js";
import { hierarchicalLaplace } from "../../src/families/hierarchicalLaplace.js";
import {
  type HierarchicalLinearGaussianParameters,
  hierarchicalLinearGaussian,
} from "../../src/families/hierarchicalLinearGaussian.js";
import { exactReverse, mixingReverse, type ReverseConditional } from "../../src/families/reverseConditional.js";
import { standardNormal } from "../../src/families/standardNormal.js";
import { hvm, iwhvi, type Marginal, sampleHierarchy, sivi } from "../../src/marginals/marginal.js";
import type { MlpParameters } from "../../src/models/mlp.js";
import type { NoParameters } from "../../src/models/problem.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { type Auxiliary, expectedEstimate, logNormal, marginalOf, reverseOf } from "./linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

const q = { slope: 1.3, shift: 0.4, scale: 0.7 };
const one = hierarchicalLinearGaussian({ dimension: 1 });
const phi = (): HierarchicalLinearGaussianParameters => ({
  slope: tf.tensor2d([[q.slope]]),
  shift: tf.tensor2d([[q.shift]]),
  logScale: tf.tensor2d([[Math.log(q.scale)]]),
});

/** τ(ψ | z) = N(.3z − .1, .55²), which is not the exact one: a linear network. */
const tau: Auxiliary = (z) => ({ mean: 0.3 * z - 0.1, scale: 0.55 });
const linear = gaussianReverse({ latent: 1, mixing: 1, hidden: [], fromMixing: false });
const eta = (): MlpParameters => ({
  layers: [{ weights: tf.tensor2d([[0.3, 0]]), bias: tf.tensor1d([-0.1, Math.log(0.55)]) }],
});

/** log q̂ of S draws from q, one estimate each, with or without ψ_0. */
function estimates<Eta extends MlpParameters | NoParameters>(
  marginal: Marginal<Eta>,
  eta: Eta,
  key: Key,
  { draws, withOwn }: { draws: number; withOwn: boolean },
): number[] {
  return read(
    tf.tidy(() => {
      const hierarchy = one.hierarchy(phi());
      const [first, second] = split(key);
      const { z, psi, conditional } = sampleHierarchy(hierarchy, first, draws);
      const own = withOwn ? { psi0: psi, conditional } : {};
      return marginal.logDensity({ hierarchy, eta, z, ...own, key: second });
    }),
  );
}

describe("the estimate of log q(z)", () => {
  const cases: [string, Auxiliary, (samples: number) => number[][]][] = [
    [
      "SIVI",
      () => ({ mean: 0, scale: 1 }),
      (samples) =>
        [true, false].map((withOwn) => estimates(sivi({ samples }), {}, randomKey(samples), { draws: 20000, withOwn })),
    ],
    [
      "IWHVI",
      tau,
      (samples) =>
        [true, false].map((withOwn) =>
          estimates(iwhvi({ reverse: linear, samples }), eta(), randomKey(samples), { draws: 20000, withOwn }),
        ),
    ],
  ];
  it.each(cases)(
    "has the means of quadrature with %s, above and below, closing in with K",
    (_name, auxiliary, draw) => {
      const truth = Math.log(1 / marginalOf(q).scale) - Math.log(2 * Math.PI * Math.E) / 2; // E log q(z)
      let [above, below] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const samples of [1, 5, 20]) {
        const [upper, lower] = draw(samples).map(estimateMean);
        for (const [estimate, withOwn] of [
          [upper, true],
          [lower, false],
        ] as const) {
          const exact = expectedEstimate(q, auxiliary, samples, withOwn);
          expect(Math.abs(estimate.value - exact) / estimate.standardError, `K = ${samples}`).toBeLessThan(4);
          expect(estimate.standardError).toBeLessThan(0.05);
        }
        // The order holds beyond the noise: of the drawn means, by four standard errors of each.
        expect(upper.value).toBeLessThan(above - 4 * upper.standardError);
        expect(lower.value).toBeGreaterThan(below + 4 * lower.standardError);
        [above, below] = [upper.value, lower.value];
      }
      expect(above).toBeGreaterThan(truth - 0.03);
      expect(below).toBeLessThan(truth + 0.03);
    },
  );

  it("is HVM's at K = 0, whose gap is the divergence of τ from the exact reverse conditional", () => {
    const truth = -Math.log(marginalOf(q).scale) - Math.log(2 * Math.PI * Math.E) / 2;
    const { value, standardError } = estimateMean(
      estimates(hvm({ reverse: linear }), eta(), randomKey(0), { draws: 20000, withOwn: true }),
    );
    // E_z KL(N(m, s²) ‖ N(αz + β, t²)): z enters through (m − αz − β)², a square of a Gaussian.
    const { mean, scale } = marginalOf(q);
    const { scale: s } = reverseOf(q)(0);
    const [at0, at1] = [0, 1].map((z) => reverseOf(q)(z).mean - tau(z).mean);
    const square = (at0 + (at1 - at0) * mean) ** 2 + ((at1 - at0) * scale) ** 2;
    const gap = Math.log(0.55 / s) + (s ** 2 + square) / (2 * 0.55 ** 2) - 0.5;
    expect(Math.abs(value - (truth + gap)) / standardError).toBeLessThan(4);
    expect(gap).toBeGreaterThan(20 * standardError); // so that the test can tell
    expect(expectedEstimate(q, tau, 0, true)).toBeCloseTo(truth + gap, 6);
  });

  it("makes weights p(z)/q̂(z) that are right in the mean, exactly, for any τ and K", () => {
    // E[p(z)/q̂(z)] = 1 for p = N(0, .8²), which has lighter tails than q.
    for (const samples of [0, 1, 4]) {
      const weights = tidied(() => {
        const hierarchy = one.hierarchy(phi());
        const { z, psi } = sampleHierarchy(hierarchy, randomKey(40 + samples), 40000);
        const logQ = iwhvi({ reverse: linear, samples }).logDensity({
          hierarchy,
          eta: eta(),
          z,
          psi0: psi,
          key: randomKey(50 + samples),
        });
        const [values, logs] = [z.dataSync(), logQ.dataSync()];
        return Float64Array.from(values, (value, i) => Math.exp(logNormal(value, 0, 0.8) - logs[i]));
      });
      const { value, standardError } = estimateMean(weights);
      expect(standardError).toBeLessThan(0.02);
      expect(Math.abs(value - 1) / standardError, `K = ${samples}`).toBeLessThan(4);
    }
  });
});

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  const hierarchies: [string, () => ExactHierarchy][] = [
    [
      "linear Gaussian",
      () =>
        hierarchicalLinearGaussian({ dimension: 3, batchSize: 2 }).hierarchy({
          slope: tf.tensor2d([
            [1, -0.5, 2],
            [0.1, 3, 1],
          ]),
          shift: tf.tensor2d([
            [0, 1, 2],
            [-1, 0, 1],
          ]),
          logScale: tf.tensor2d([
            [0, -1, 0.5],
            [0.2, 0.3, -0.4],
          ]),
        }),
    ],
    [
      "Laplace",
      () => {
        const family = hierarchicalLaplace({ dimension: 50, batchSize: 2 });
        return family.hierarchy(family.init(randomKey(1)));
      },
    ],
  ];
  it.each(hierarchies)("equals log q(z) for the exact τ, for every K and every draw: %s", (_name, make) => {
    for (const samples of [0, 1, 7]) {
      const [estimated, exact, own] = tidied(() => {
        const hierarchy = make();
        const { z, psi } = sampleHierarchy(hierarchy, randomKey(2), 5);
        const marginal = iwhvi({ reverse: exactReverse, samples });
        const inputs = { hierarchy, eta: {}, z, psi0: psi, key: randomKey(3) };
        const truth = hierarchy.logDensity(z);
        return [marginal.logDensity(inputs), truth, marginal.logWeights(inputs)].map((t) => Array.from(t.dataSync()));
      });
      expectClose(estimated, exact, 2e-6);
      expect(own).toHaveLength((samples + 1) * 10);
      own.forEach((value, i) => {
        expect(Math.abs(value - exact[i % 10]) / Math.max(1, Math.abs(exact[i % 10]))).toBeLessThan(1e-5);
      });
    }
  });

  it("is what its definition says, for many ψ, draws and data at once", () => {
    const samples = 3;
    const family = hierarchicalLinearGaussian({ dimension: 1, batchSize: 2 });
    const q2 = [q, { slope: -0.8, shift: 1, scale: 1.2 }];
    const column = (values: number[]): Tensor2D => tf.tensor2d(values.map((value) => [value]));
    const record: { psi?: number[]; z?: number[] } = {};
    const spying: ReverseConditional<MlpParameters> = {
      ...linear,
      given: (eta, at) => {
        const inner = linear.given(eta, at);
        return {
          ...inner,
          sample: (key, draws) => {
            const psi = inner.sample(key, draws);
            record.psi = Array.from(psi.dataSync());
            return psi;
          },
        };
      },
    };
    const [own, estimated] = tidied(() => {
      const hierarchy = family.hierarchy({
        slope: column(q2.map((each) => each.slope)),
        shift: column(q2.map((each) => each.shift)),
        logScale: column(q2.map((each) => Math.log(each.scale))),
      });
      const { z, psi } = sampleHierarchy(hierarchy, randomKey(4), 3);
      record.z = Array.from(z.dataSync());
      const estimate = iwhvi({ reverse: spying, samples }).logDensity({
        hierarchy,
        eta: eta(),
        z,
        psi0: psi,
        key: randomKey(5),
      });
      return [Array.from(psi.dataSync()), Array.from(estimate.dataSync())];
    });
    const { z = [], psi: drawn = [] } = record;
    const expected = z.map((value, i) => {
      const { slope, shift, scale } = q2[i % 2];
      const psis = [own[i], ...Array.from({ length: samples }, (_, k) => drawn[k * 6 + i])];
      const weights = psis.map((psi) => {
        const { mean, scale: s } = tau(value);
        return Math.exp(logNormal(value, slope * psi + shift, scale) + logNormal(psi, 0, 1) - logNormal(psi, mean, s));
      });
      return Math.log(weights.reduce((sum, w) => sum + w, 0) / (samples + 1));
    });
    expectClose(estimated, expected, 1e-5);
  });
});

describe("the estimate's gradient", () => {
  it("is that of log q(z) for the exact τ, although no gradient flows through its draws", () => {
    const family = hierarchicalLaplace({ dimension: 1 });
    const [location, b] = [0.5, 2];
    const z = tf.tensor3d([[[-1.3]], [[0.9]]]);
    const { gradient } = valueAndGradient(
      (parameters) => {
        const hierarchy = family.hierarchy(parameters);
        const [draw, key] = split(randomKey(12));
        const psi0 = exactReverse.given({}, { hierarchy, z }).sample(draw, 1);
        const marginal = iwhvi({ reverse: exactReverse, samples: 3 });
        const inputs = { hierarchy, eta: {}, z, psi0: tf.squeeze(psi0, [0]) as Tensor3D, key };
        return tf.sum(tf.mul(marginal.logDensity(inputs), tf.tensor2d([[1], [10]])));
      },
      { location: tf.tensor2d([[location]]), logScale: tf.tensor2d([[Math.log(b)]]) },
    );
    // log q = −|z − μ|/b − log 2b.
    expectClose(read(gradient.location), [(-1 + 10) / b], 1e-4);
    expectClose(read(gradient.logScale), [1.8 / b - 1 + 10 * (0.4 / b - 1)], 1e-4);
  });
});

describe("names of the one estimate", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("SIVI needs no density of ψ, and averages the conditionals", () => {
    const hierarchy = (): Hierarchy => ({
      mixing: {
        reparameterised: true,
        sample: (key: Key, shape: readonly number[] = []) => tf.tanh(normal(key, [...shape, 1, 1])),
      },
      conditional: one.hierarchy(phi()).conditional,
    });
    const z = tf.tensor3d([[[0.5]], [[-1]]]);
    const psi0 = tf.tensor3d([[[0.1]], [[-0.7]]]);
    const key = randomKey(8);
    const expected = tidied(() => {
      const fresh = Array.from(hierarchy().mixing.sample(key, [2, 2]).dataSync()); // [K, M]
      return [0, 1].map((m) => {
        const psis = [psi0.dataSync()[m], fresh[m], fresh[2 + m]];
        const total = psis.reduce(
          (sum, psi) => sum + Math.exp(logNormal(z.dataSync()[m], q.slope * psi + q.shift, q.scale)),
          0,
        );
        return Math.log(total / 3);
      });
    });
    const at = () => ({ hierarchy: hierarchy(), z, psi0, key });
    expectClose(read(tf.tidy(() => sivi({ samples: 2 }).logDensity({ ...at(), eta: {} }))), expected, 1e-5);
    expect(() => tf.tidy(() => iwhvi({ reverse: linear, samples: 2 }).logDensity({ ...at(), eta: eta() }))).toThrow(
      "a sampler without a density",
    );
    expect(() => tf.tidy(() => iwhvi({ reverse: exactReverse, samples: 2 }).logDensity({ ...at(), eta: {} }))).toThrow(
      "does not know q(ψ | z, x)",
    );
  });

  it("a τ that starts at a Gaussian mixing law starts as SIVI", () => {
    const reverse = gaussianReverse({ latent: 1, mixing: 1, hidden: [7] });
    const inputs = () => {
      const hierarchy = one.hierarchy(phi());
      const { z, psi } = sampleHierarchy(hierarchy, randomKey(9), 4);
      return { hierarchy, z, psi0: psi, key: randomKey(10) };
    };
    const start = reverse.init(randomKey(11));
    const mine = read(tf.tidy(() => iwhvi({ reverse, samples: 3 }).logDensity({ ...inputs(), eta: start })));
    const theirs = read(tf.tidy(() => sivi({ samples: 3 }).logDensity({ ...inputs(), eta: {} })));
    expectClose(mine, theirs, 1e-6);
  });

  it("shares SIVI's draws among a datum's latents without bias, at K + M conditionals", () => {
    const samples = 5;
    const exact = expectedEstimate(q, () => ({ mean: 0, scale: 1 }), samples, true);
    let evaluated = 0;
    const means = Array.from({ length: 400 }, (_, i) => {
      const values = read(
        tf.tidy(() => {
          const inner = one.hierarchy(phi());
          const hierarchy: Hierarchy = {
            ...inner,
            conditional: (psi: Tensor) => {
              evaluated += psi.size;
              return inner.conditional(psi);
            },
          };
          const { z, psi, conditional } = sampleHierarchy(hierarchy, randomKey(`shared ${i}`), 20);
          const key = randomKey(`fresh ${i}`);
          return sivi({ samples, shared: true }).logDensity({ hierarchy, eta: {}, z, psi0: psi, conditional, key });
        }),
      );
      return values.reduce((sum, value) => sum + value, 0) / 20;
    });
    const { value, standardError } = estimateMean(means);
    expect(standardError).toBeLessThan(0.02);
    expect(Math.abs(value - exact) / standardError).toBeLessThan(4);
    expect(evaluated).toBe(400 * (samples + 20));
  });

  it("is a function of its key, and leaves no tensor behind", () => {
    const [z, psi0] = [tf.ones([4, 1, 1]) as Tensor3D, tf.zeros([4, 1, 1]) as Tensor3D];
    const [parameters, tauParameters] = [phi(), eta()];
    const at = (key: Key) =>
      tf.tidy(() =>
        iwhvi({ reverse: linear, samples: 3 }).logDensity({
          hierarchy: one.hierarchy(parameters),
          eta: tauParameters,
          z,
          psi0,
          key,
        }),
      );
    expect(read(at(randomKey(1)))).toEqual(read(at(randomKey(1))));
    expect(read(at(randomKey(1)))).not.toEqual(read(at(randomKey(2))));
    expectNoLeak(() => at(randomKey(1)));
    // Even where the caller holds the hierarchy in no scope, only the hierarchy's own tensors are left.
    const hierarchy = one.hierarchy(parameters);
    expectNoLeak(() =>
      sivi({ samples: 3 }).logWeights({
        hierarchy,
        eta: {},
        z,
        psi0,
        conditional: hierarchy.mixing as never,
        key: randomKey(1),
      }),
    );
  });

  it("says what is wrong", () => {
    const wrong = (parts: object) => () =>
      tf.tidy(() =>
        sivi({ samples: 0 }).logDensity({
          hierarchy: one.hierarchy(phi()),
          eta: {},
          z: tf.zeros([2, 1, 1]) as Tensor3D,
          key: randomKey(1),
          ...parts,
        }),
      );
    expect(wrong({})).toThrow("A lower bound on log q(z | x) needs K ≥ 1");
    expect(wrong({ psi0: tf.zeros([3, 1, 1]) })).toThrow(
      "ψ_0, one for each z, has the shape [3, 1, 1], but needs [2, 1, *]",
    );
    expect(wrong({ z: tf.zeros([2, 1]), psi0: tf.zeros([2, 1, 1]) })).toThrow("The latents z has the shape [2, 1]");
    expect(() => sivi({ samples: -1 })).toThrow("must be an integer of at least 0, not -1");
    expect(() => iwhvi({ reverse: mixingReverse(), samples: 1.5 })).toThrow("not 1.5");
    const elementwise: Hierarchy = {
      mixing: standardNormal({ dimension: 2 }).distribution({}),
      conditional: (psi) => new Normal({ mean: psi, scale: 1 }), // one value a coordinate, not one a latent
    };
    expect(wrong({ hierarchy: elementwise, z: tf.zeros([3, 1, 2]), psi0: tf.zeros([3, 1, 2]) })).toThrow(
      "The weights of 1 ψ for z [3, 1, 2] have the shape [1, 3, 1, 2], not [1, 3, 1]",
    );
  });
});
