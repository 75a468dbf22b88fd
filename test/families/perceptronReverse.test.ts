import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import type { Estimate } from "../../src/diagnostics/moments.js";
import { type Quadrature, trapezoid } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { foldIn, randomKey } from "../../src/engine/random.js";
import { type Tensor3D, tf } from "../../src/engine/tf.js";
import { tidied } from "../../src/engine/values.js";
import { gammaReverse } from "../../src/families/gammaReverse.js";
import type { Reverse } from "../../src/families/hierarchicalFamily.js";
import { hierarchicalLaplace } from "../../src/families/hierarchicalLaplace.js";
import { hierarchicalNegativeBinomial } from "../../src/families/hierarchicalNegativeBinomial.js";
import { inverseGaussianReverse } from "../../src/families/inverseGaussianReverse.js";
import { perceptronReverse } from "../../src/families/perceptronReverse.js";
import {
  exactReverse,
  mixingReverse,
  type ReverseConditional,
  reverseOf,
} from "../../src/families/reverseConditional.js";
import { iwhviDoublyReparameterised } from "../../src/gradients/iwhviDoublyReparameterised.js";
import { exactMarginalGap } from "../../src/marginals/exactMarginalGap.js";
import { hierarchicalDensityProblem } from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi, sampleHierarchy } from "../../src/marginals/marginal.js";
import { marginalGap } from "../../src/marginals/marginalGap.js";
import { marginalBounds } from "../../src/marginals/sandwich.js";
import type { MlpParameters } from "../../src/models/mlp.js";
import { logGamma, polyGamma } from "../../src/ops/gammaFunctions.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as maximise } from "../../src/optimize/fit.js";
import { exponentialDecay } from "../../src/optimize/schedules.js";
import { inverseGaussianCdf } from "../distributions/exactLaws.js";
import { logGammaCdf } from "../engine/exactCdfs.js";
import { backends, expectClose, kolmogorovSmirnov, mean, read, variance } from "../engine/support.js";

const laplace = (dimension: number) => {
  const family = hierarchicalLaplace({ dimension });
  return { family, phi: family.init(randomKey(1)) };
};

/** τ at its start, for z `[1, 1, D]` of a Laplace. */
function atStart(reverse: ReverseConditional<MlpParameters>, z: Tensor3D): { tau: () => Reverse; free: () => void } {
  const { family, phi } = laplace(z.shape[2]);
  const eta = reverse.init(randomKey(2));
  return {
    tau: () => reverse.given(eta, { hierarchy: family.hierarchy(phi), z }),
    free: () => disposeParameters({ eta, phi }),
  };
}

describe.each(backends)("τ of a perceptron on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });
  const psi = (values: readonly number[]) => tf.tensor([...values], [values.length, 1, 1, 1]);
  const z = () => tf.tensor3d([[[0.4]]]);
  const points = [-1.5, 0, 0.3, 2];
  const size = { latent: 1, mixing: 1, hidden: [3] };

  it("is gamma in ψ, or in e^ψ", () => {
    const options = { ...size, initialConcentration: 2.5, initialMean: 0.8 };
    const logDensity = (v: number): number =>
      2.5 * Math.log(2.5 / 0.8) + 1.5 * Math.log(v) - (2.5 / 0.8) * v - logGamma(2.5);
    const positive = [0.1, 0.5, 1, 4];
    for (const of of ["value", "exp"] as const) {
      const { tau, free } = atStart(gammaReverse({ ...options, of }), z());
      const found = read(tf.tidy(() => tau().logProb(psi(of === "exp" ? points : positive))));
      const expected = of === "exp" ? points.map((y) => logDensity(Math.exp(y)) + y) : positive.map(logDensity);
      expectClose(found, expected, 1e-5);
      const draws = read(tf.tidy(() => tau().sample(randomKey(3), 4000)));
      const cdf = logGammaCdf(2.5);
      const inLog = draws.map((value) => (of === "exp" ? value : Math.log(value)));
      expect(kolmogorovSmirnov(inLog, (y) => cdf(y + Math.log(2.5 / 0.8)))).toBeLessThan(1.95);
      free();
    }
  });

  it("is inverse Gaussian in ψ, in e^ψ, or in e^−ψ", () => {
    const options = { ...size, initialMean: 0.8, initialShape: 1.5 };
    const logDensity = (u: number): number =>
      0.5 * Math.log(1.5 / (2 * Math.PI * u ** 3)) - (1.5 * (u - 0.8) ** 2) / (2 * 0.64 * u);
    for (const [of, sign] of [
      ["value", 0],
      ["exp", 1],
      ["reciprocal", -1],
    ] as const) {
      const at = sign === 0 ? [0.1, 0.5, 1, 4] : points;
      const { tau, free } = atStart(inverseGaussianReverse({ ...options, of }), z());
      const expected = at.map((y) => (sign === 0 ? logDensity(y) : logDensity(Math.exp(sign * y)) + sign * y));
      expectClose(read(tf.tidy(() => tau().logProb(psi(at)))), expected, 1e-5);
      const draws = read(tf.tidy(() => tau().sample(randomKey(3), 4000)));
      const u = draws.map((value) => (sign === 0 ? value : Math.exp(sign * value)));
      expect(kolmogorovSmirnov(u, (x) => inverseGaussianCdf(x, 0.8, 1.5))).toBeLessThan(1.95);
      free();
    }
  });

  it("contains the Laplace's exact reverse conditional, as inverse Gaussian in e^−ψ of mean 1/|z| and shape 1", () => {
    const { family, phi } = laplace(1);
    const { tau, free } = atStart(inverseGaussianReverse({ ...size, of: "reciprocal", initialMean: 1 / 0.4 }), z());
    const [ours, exact] = tf.tidy(() => [
      tau().logProb(psi(points)),
      family.hierarchy(phi).reverse(z()).logProb(psi(points)),
    ]);
    expectClose(read(ours), read(exact), 2e-5);
    free();
    disposeParameters(phi);
  });

  it("starts as the Laplace's q(ψ), as gamma in e^ψ of concentration 1 and mean 2: SIVI's weights to the digit", () => {
    const { family, phi } = laplace(3);
    const reverse = gammaReverse({ latent: 3, mixing: 3, hidden: [4], of: "exp", initialMean: 2, elementwise: true });
    const eta = reverse.init(randomKey(1));
    const logW = tf.tidy(() => {
      const hierarchy = family.hierarchy(phi);
      const { z, psi } = sampleHierarchy(hierarchy, randomKey(5), 6);
      const weights = iwhvi({ reverse, samples: 0 }).logWeights({ hierarchy, eta, z, psi0: psi, key: randomKey(1) });
      return tf.sub(weights, tf.expandDims(hierarchy.conditional(psi).logProb(z), 0));
    });
    expectClose(read(logW), Array(6).fill(0), 1e-5);
    disposeParameters({ eta, phi });
  });

  it("sees one coordinate at a time where it is elementwise", () => {
    const reverse = gammaReverse({ latent: 2, mixing: 2, hidden: [5], elementwise: true });
    const { layers } = reverse.init(randomKey(1));
    const [first, last] = layers;
    const eta = { layers: [first!, { ...last!, weights: tf.ones(last!.weights.shape) as typeof last.weights }] };
    const { family, phi } = laplace(2);
    const meanLog = (a: number, b: number): number[] => {
      const at = tf.tensor3d([[[a, b]]]);
      const logs = tf.tidy(() =>
        tf.log(reverse.given(eta, { hierarchy: family.hierarchy(phi), z: at }).sample(randomKey(3), 4000)),
      );
      const values = read(logs);
      return [0, 1].map((d) => mean(values.filter((_, i) => i % 2 === d)));
    };
    const [here, swapped] = [meanLog(1, -2), meanLog(-2, 1)];
    expect(Math.abs(here[0]! - swapped[1]!)).toBeLessThan(0.1);
    expect(Math.abs(here[0]! - here[1]!)).toBeGreaterThan(0.3);
  });

  it.each<[string, () => unknown, string]>([
    [
      "elementwise with unlike sizes",
      () => gammaReverse({ latent: 2, mixing: 3, hidden: [], elementwise: true }),
      "one ψ for each z",
    ],
    [
      "no mixing",
      () => inverseGaussianReverse({ latent: 2, mixing: 0, hidden: [] }),
      "inverseGaussianReverse: mixing must",
    ],
    ["a mean of 0", () => gammaReverse({ ...size, initialMean: 0 }), "gammaReverse: initialMean must be positive"],
    ["a shape below 0", () => inverseGaussianReverse({ ...size, initialShape: -1 }), "initialShape must be positive"],
    [
      "too many starts",
      () => perceptronReverse({ ...size, outputs: 1, start: [0, 0], law: () => reverseOf(undefined as never) }),
      "start has 2 numbers for 1 outputs",
    ],
    [
      "z of another width",
      () => tf.tidy(() => void atStart(gammaReverse(size), tf.zeros([1, 1, 2]) as Tensor3D).tau()),
      "gammaReverse: z has the shape [1, 1, 2]",
    ],
  ])("%s is named in one sentence", (_, act, message) => {
    expect(act).toThrow(message);
  });
});

/** log q(ψ | z) of the Laplace, ψ = log v. */
const logReverse = (psi: number, z: number): number =>
  -0.5 * Math.log(2 * Math.PI) + psi / 2 - 0.5 * (z * Math.exp(-psi / 2) - Math.exp(psi / 2)) ** 2;

/** α and rate of the gamma law with these E v and E log v: the one of least KL(q(v | z) ‖ ·). */
function gammaOf(mean: number, meanLog: number): { alpha: number; rate: number } {
  const target = Math.log(mean) - meanLog; // log α − ψ(α), which falls with α
  let [low, high] = [1e-3, 1e6];
  for (let i = 0; i < 200; i++) {
    const middle = Math.sqrt(low * high);
    if (Math.log(middle) - polyGamma(0, middle) > target) low = middle;
    else high = middle;
  }
  return { alpha: low, rate: low / mean };
}

/** Nodes of |z| ~ Exp(1), in its logarithm. */
const line = trapezoid(-14, 3.6, 89);
const halfLine: Quadrature = {
  points: line.points.map(Math.exp),
  logWeights: line.logWeights.map((w, i) => w + line.points[i]!),
  dimension: 1,
};

describe("the best gamma τ of a Laplace", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });
  const best = new Map(
    Array.from(halfLine.points, (z) => {
      const rule = trapezoid(2 * Math.log(z / 8) - 1, 5, 401);
      const p = rule.points.map((psi, i) => Math.exp(rule.logWeights[i]! + logReverse(psi, z)));
      const average = (f: (psi: number) => number): number => p.reduce((sum, w, i) => sum + w * f(rule.points[i]!), 0);
      return [
        z,
        gammaOf(
          average(Math.exp),
          average((psi) => psi),
        ),
      ];
    }),
  );
  const gap = exactMarginalGap({
    z: halfLine,
    logDensity: (z) => -z,
    // A gamma law's lower tail is longer than that of q(v | z).
    psi: (z) => trapezoid(Math.min(2 * Math.log(z / 8) - 1, -30 / best.get(z)!.alpha), 5, 801),
    logReverse,
    logTau: (psi, z) => {
      const { alpha, rate } = best.get(z)!;
      return alpha * (psi + Math.log(rate)) - rate * Math.exp(psi) - logGamma(alpha);
    },
  });

  it("leaves .0245 nats a dimension at K = 0, where SIVI leaves .2162", () => {
    expect(gap(0).upper).toBeCloseTo(0.0245, 4);
    const sivi = 1 + Math.LN2 - 0.5 * (Math.log(2 * Math.PI * Math.E) + Math.LN2 - 0.5772156649015329);
    expect(sivi).toBeCloseTo(0.2162, 4);
  });

  it("is where a network trained by implicit gradients comes to, and an inverse Gaussian τ comes below", async () => {
    const { family, phi } = laplace(1);
    const hierarchy = () => family.hierarchy(phi);
    const fixed = { dimension: 1, mixingDimension: 1, hierarchy };
    const trained = async (reverse: ReverseConditional<MlpParameters>): Promise<Estimate> => {
      const eta = reverse.init(randomKey(3));
      const marginal = iwhvi({ reverse, samples: 1 });
      const fitted = await maximise({
        problem: hierarchicalDensityProblem({ logDensity: (z) => hierarchy().logDensity(z), family: fixed, marginal }),
        init: { phi: { q: {}, tau: eta } },
        bound: elbo,
        gradient: iwhviDoublyReparameterised,
        samples: 256,
        optimizer: adam({ learningRate: exponentialDecay({ initial: 0.02, factor: 0.5, every: 250 }) }),
        steps: 1200,
        key: randomKey(4),
      });
      const q = { hierarchy, reverse, eta: fitted.phi.tau };
      const { upper } = await marginalGap(q, { samples: 0, draws: 200_000, key: randomKey(9) });
      disposeParameters(eta);
      fitted.dispose();
      return upper;
    };
    const size = { latent: 1, mixing: 1, hidden: [24, 24], activation: "relu" } as const;
    const gamma = await trained(gammaReverse({ ...size, of: "exp", initialMean: 2 }));
    expect(gamma.value).toBeGreaterThan(0.0245 - 4 * gamma.standardError);
    expect(gamma.value).toBeLessThan(0.0245 + 0.004);
    const inverse = await trained(inverseGaussianReverse({ ...size, of: "reciprocal" }));
    expect(inverse.value).toBeGreaterThan(-4 * inverse.standardError);
    expect(inverse.value + 4 * inverse.standardError).toBeLessThan(0.0245);
  }, 120_000);
});

describe("hierarchicalNegativeBinomial", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });
  const family = hierarchicalNegativeBinomial({ dimension: 2, batchSize: 3 });
  const phi = () => ({
    logConcentration: tf.tensor2d([
      [0.2, -0.5],
      [1, 0],
      [0, 2],
    ]),
    logRate: tf.tensor2d([
      [0, 0.7],
      [-0.4, 0.1],
      [0.3, 1],
    ]),
  });

  it("knows q(z) and q(ψ | z): together they are the joint", () => {
    const [joint, product] = tf.tidy(() => {
      const hierarchy = family.hierarchy(phi());
      const { z, psi } = sampleHierarchy(hierarchy, randomKey(3), 4);
      const many = tf.expandDims(psi, 0);
      return [
        tf.add(hierarchy.conditional(many).logProb(z), hierarchy.mixing.logProb(many)),
        tf.add(hierarchy.reverse(z).logProb(many), hierarchy.logDensity(z)),
      ];
    });
    expect(joint!.shape).toEqual([1, 4, 3]);
    expectClose(read(joint!), read(product!), 1e-5);
  });

  it("lies between the two estimates, and is both with the exact τ", async () => {
    const at = phi();
    const q = { hierarchy: () => family.hierarchy(at), reverse: exactReverse, eta: {} };
    const gap = await marginalGap(q, { samples: 3, draws: 50, key: randomKey(1) });
    for (const side of [gap.upper, gap.lower!]) expect(Math.abs(side.value)).toBeLessThan(1e-5);
    const gaps = tidied(() => {
      const hierarchy = family.hierarchy(at);
      const { z, psi } = sampleHierarchy(hierarchy, randomKey(2), 4000);
      const options = { hierarchy, reverse: mixingReverse(), samples: 8, eta: {}, z, psi0: psi, key: randomKey(3) };
      const { lower, upper } = marginalBounds(options);
      const exact = hierarchy.logDensity(z);
      return { lower: tf.sub(lower, exact), upper: tf.sub(upper, exact) };
    });
    const [lower, upper] = [read(gaps.lower), read(gaps.upper)];
    expect(mean(lower) + 2 * Math.sqrt(variance(lower) / lower.length)).toBeLessThan(0);
    expect(mean(upper) - 2 * Math.sqrt(variance(upper) / upper.length)).toBeGreaterThan(0);
  });

  it("draws counts of its own law, and says that they carry no gradient", () => {
    const draws = tf.tidy(() => sampleHierarchy(family.hierarchy(phi()), foldIn(randomKey(1), 2), 20_000).z);
    const values = read(draws).filter((_, i) => i % 6 === 0); // r = e^.2, β = 1
    expect(Math.abs(mean(values) - Math.exp(0.2))).toBeLessThan(4 * Math.sqrt(variance(values) / values.length));
    expect(tf.tidy(() => family.hierarchy(phi()).conditional(tf.ones([1, 3, 2])).reparameterised)).toBe(false);
    expect(() => hierarchicalNegativeBinomial({ dimension: 0 })).toThrow("dimension must be a positive integer");
  });
});
