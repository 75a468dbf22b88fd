import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { normal, randomKey, split } from "../../src/engine/random.js";
import { type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { tidied, valuesOf } from "../../src/engine/values.js";
import type { ConditionalFamily } from "../../src/families/family.js";
import { gammaConditional } from "../../src/families/gammaConditional.js";
import { type Conditional, hierarchical } from "../../src/families/hierarchical.js";
import { inverseGaussianConditional } from "../../src/families/inverseGaussianConditional.js";
import { logitNormalConditional } from "../../src/families/logitNormalConditional.js";
import { mixtureConditional } from "../../src/families/mixtureConditional.js";
import { negativeBinomialConditional } from "../../src/families/negativeBinomialConditional.js";
import { perceptronConditional } from "../../src/families/perceptronConditional.js";
import { mixingReverse } from "../../src/families/reverseConditional.js";
import { standardNormal } from "../../src/families/standardNormal.js";
import { estimateGradient, type Gradient } from "../../src/gradients/gradient.js";
import { iwhviDoublyReparameterised } from "../../src/gradients/iwhviDoublyReparameterised.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { uivi, uiviProblem } from "../../src/gradients/uivi.js";
import { hierarchicalDensityProblem, initialParameters } from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi, sampleHierarchy, sivi } from "../../src/marginals/marginal.js";
import { hmcReverseSampler } from "../../src/marginals/reverseSampler.js";
import type { MlpParameters } from "../../src/models/mlp.js";
import type { NoParameters } from "../../src/models/problem.js";
import { logGamma } from "../../src/ops/gammaFunctions.js";
import { backends, expectClose, mean, read, variance } from "../engine/support.js";

/** Whatever is given, as a network without hidden layers: output = (ψ, x) W + b. */
function linear(weights: readonly (readonly number[])[], bias: readonly number[]): MlpParameters {
  const matrix = tf.tensor2d(weights.map((row) => [...row]));
  return { layers: [{ weights: matrix, bias: tf.tensor1d([...bias]) as Tensor1D }] };
}

const sizes = { latent: 2, mixing: 1, hidden: [] };
const psi = 0.8;
/** Outputs of the network at ψ = .8: two numbers for each of two coordinates. */
const weights = [[0.5, -0.25, 1, 0.75]];
const bias = [0.1, 0.3, -0.4, 0.2];
const [a0, a1, b0, b1] = bias.map((b, i) => b + psi * weights[0]![i]!) as [number, number, number, number];
const coordinates = [
  [a0, b0],
  [a1, b1],
] as const;

const logGammaDensity = (x: number, shape: number, rate: number): number =>
  shape * Math.log(rate) + (shape - 1) * Math.log(x) - rate * x - logGamma(shape);
const logNormalDensity = (x: number, m: number, s: number): number =>
  -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);

interface Kind {
  readonly name: string;
  readonly conditional: (options: typeof sizes & { observed?: number }) => Conditional<MlpParameters>;
  /** log q(z_d | ψ) from the two outputs of coordinate d. */
  readonly logDensity: (z: number, first: number, second: number) => number;
  readonly points: readonly (readonly [number, number])[];
  readonly reparameterised: boolean;
}

const kinds: readonly Kind[] = [
  {
    name: "gammaConditional",
    conditional: gammaConditional,
    logDensity: (z, logShape, logMean) => logGammaDensity(z, Math.exp(logShape), Math.exp(logShape - logMean)),
    points: [
      [0.2, 1.5],
      [3, 0.7],
    ],
    reparameterised: true,
  },
  {
    name: "inverseGaussianConditional",
    conditional: inverseGaussianConditional,
    logDensity: (z, logMean, logShape) => {
      const [m, shape] = [Math.exp(logMean), Math.exp(logShape)];
      return 0.5 * Math.log(shape / (2 * Math.PI * z ** 3)) - (shape * (z - m) ** 2) / (2 * m * m * z);
    },
    points: [
      [0.2, 1.5],
      [3, 0.7],
    ],
    reparameterised: true,
  },
  {
    name: "logitNormalConditional",
    conditional: logitNormalConditional,
    logDensity: (z, m, logScale) =>
      logNormalDensity(Math.log(z / (1 - z)), m, Math.exp(logScale)) - Math.log(z * (1 - z)),
    points: [
      [0.2, 0.9],
      [0.5, 0.7],
    ],
    reparameterised: true,
  },
  {
    name: "negativeBinomialConditional",
    conditional: negativeBinomialConditional,
    logDensity: (n, logShape, logMean) => {
      const [r, m] = [Math.exp(logShape), Math.exp(logMean)];
      const masses = n * Math.log(m / (m + r)) + r * Math.log(r / (m + r));
      return logGamma(n + r) - logGamma(r) - logGamma(n + 1) + masses;
    },
    points: [
      [0, 3],
      [7, 1],
    ],
    reparameterised: false,
  },
];

describe.each(backends)("conditionals on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it.each(kinds)("$name is the law it names, of the network's outputs", (kind) => {
    const conditional = kind.conditional(sizes);
    const law = () => conditional.given(linear(weights, bias))(tf.fill([1, 1, 1], psi));
    const z = tf.tensor3d(kind.points.map((point) => [[...point]]));
    const expected = kind.points.map((point) =>
      point.reduce((sum, value, d) => sum + kind.logDensity(value, ...coordinates[d]!), 0),
    );
    expectClose(read(tf.tidy(() => law().logProb(z))), expected, 1e-5);
    expect(tf.tidy(() => law().reparameterised)).toBe(kind.reparameterised);
    const { batchShape, eventShape } = tidied(law);
    expect([batchShape, eventShape]).toEqual([[1, 1], [2]]);
  });

  it("mixtureConditional mixes its Gaussians", () => {
    const conditional = mixtureConditional({ latent: 2, mixing: 1, hidden: [], components: 2 });
    // Log-weights, means (component by component), log-scales.
    const outputs = [0.4, -0.3, -1, 0.5, 2, 1, 0.1, -0.2, 0.3, -0.5];
    const law = () => conditional.given(linear([outputs.map(() => 0)], outputs))(tf.fill([3, 1, 1], psi));
    const total = Math.exp(0.4) + Math.exp(-0.3);
    const density = ([x, y]: readonly [number, number]): number =>
      [0, 1].reduce((sum, c) => {
        const at = (i: number): number => outputs[i]!;
        const first = logNormalDensity(x, at(2 + 2 * c), Math.exp(at(6 + 2 * c)));
        const second = logNormalDensity(y, at(3 + 2 * c), Math.exp(at(7 + 2 * c)));
        return sum + (Math.exp(at(c)) / total) * Math.exp(first + second);
      }, 0);
    const points = [
      [-1, 0.4],
      [2, 1],
      [0.5, 0.5],
    ] as const;
    const z = tf.tensor3d(points.map((point) => [[...point]]));
    expectClose(
      read(tf.tidy(() => law().logProb(z))),
      points.map((point) => Math.log(density(point))),
      1e-5,
    );
    expect(tf.tidy(() => law().sample(randomKey(1))).shape).toEqual([3, 1, 2]);
    expect(tf.tidy(() => law().reparameterised)).toBe(false);
  });

  const all = [
    ...kinds.map(({ name, conditional, points }) => ({ name, make: conditional, z: points[0]![0] })),
    {
      name: "mixtureConditional",
      make: (options: typeof sizes) => mixtureConditional({ ...options, components: 3 }),
      z: 0.4,
    },
  ];
  it.each(all)("$name in a hierarchy: draws of τ average to q(z), by quadrature over ψ", ({ make, z: at }) => {
    const family = hierarchical({
      mixing: standardNormal({ dimension: 1 }),
      conditional: make({ latent: 1, mixing: 1, hidden: [] }),
    });
    const phi = family.init(randomKey(3));
    const rule = trapezoid(-8, 8, 401);
    const onNodes = valuesOf(() => {
      const { conditional } = family.hierarchy(phi);
      const nodes = tf.tensor(Float32Array.from(rule.points), [401, 1, 1, 1]);
      return conditional(nodes).logProb(tf.fill([1, 1, 1], at));
    });
    const exact = rule.points.reduce(
      (sum, point, i) => sum + Math.exp(rule.logWeights[i]! + onNodes[i]! + logNormalDensity(point, 0, 1)),
      0,
    );
    const n = 20_000;
    const logW = valuesOf(() => {
      const hierarchy = family.hierarchy(phi);
      const z = tf.fill([1, 1, 1], at) as Tensor3D;
      return iwhvi({ reverse: mixingReverse(), samples: n }).logWeights({ hierarchy, eta: {}, z, key: randomKey(4) });
    });
    const ratios = Array.from(logW, (value) => Math.exp(value));
    expect(Math.abs(mean(ratios) - exact)).toBeLessThan(4 * Math.sqrt(variance(ratios) / n) + 1e-6);
    disposeParameters(phi);
  });
});

describe("the perceptron behind a conditional", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("starts about where it is asked to", () => {
    const conditional = gammaConditional({ ...sizes, hidden: [5], initialConcentration: 9, initialMean: 2 });
    const phi = conditional.init(randomKey(1));
    const law = () => conditional.given(phi)(tf.zeros([1, 1, 1])); // ψ = 0 leaves the biases
    expectClose(read(tf.tidy(() => law().mean())), [2, 2], 1e-5);
    expectClose(read(tf.tidy(() => law().variance())), [4 / 9, 4 / 9], 1e-5);
  });

  it("looks at data where there are some", () => {
    const family = hierarchical({
      mixing: standardNormal({ dimension: 1 }) as ConditionalFamily<NoParameters>,
      conditional: gammaConditional({ ...sizes, observed: 3, hidden: [4] }),
    });
    const phi = family.init(randomKey(1));
    const x = normal(randomKey(2), [5, 3]) as Tensor2D;
    const draws = tf.tidy(() => sampleHierarchy(family.hierarchy(phi, x), randomKey(3), 4).z);
    expect(draws.shape).toEqual([4, 5, 2]);
    const moved = tf.tidy(() =>
      family
        .hierarchy(phi, x)
        .conditional(tf.zeros([4, 5, 1]))
        .mean(),
    );
    expect(new Set(read(moved).map((value) => value.toFixed(4))).size).toBe(10); // 5 data × 2 coordinates, the same 4 times
  });

  it("leaves nothing behind", () => {
    const conditional = mixtureConditional({ ...sizes, components: 2 });
    const before = tf.memory().numTensors;
    const phi = conditional.init(randomKey(1));
    tf.tidy(
      () =>
        void conditional
          .given(phi)(tf.zeros([2, 1, 1]))
          .logProb(tf.zeros([2, 1, 2])),
    );
    disposeParameters(phi);
    expect(tf.memory().numTensors).toBe(before);
  });

  const vectors = (mean: Tensor) => new Independent({ base: new Normal({ mean, scale: 1 }), eventRank: 1 });
  it.each<[string, () => unknown, string]>([
    [
      "no latent",
      () => gammaConditional({ ...sizes, latent: 0 }),
      "gammaConditional: latent must be a positive integer",
    ],
    ["no mixing", () => mixtureConditional({ ...sizes, mixing: 0, components: 1 }), "mixtureConditional: mixing must"],
    ["no components", () => mixtureConditional({ ...sizes, components: 0 }), "components must be a positive integer"],
    [
      "a start of 0",
      () => negativeBinomialConditional({ ...sizes, initialMean: 0 }),
      "negativeBinomialConditional: initialMean must be positive and finite, not 0",
    ],
    ["a scale of NaN", () => logitNormalConditional({ ...sizes, initialScale: Number.NaN }), "initialScale must be"],
    ["a shape of 0", () => inverseGaussianConditional({ ...sizes, initialShape: 0 }), "initialShape must be positive"],
    [
      "too few starts",
      () => perceptronConditional({ ...sizes, outputs: [2, 2], start: [0], law: ([m]) => vectors(m!) }),
      "start has 1 numbers for 2 outputs",
    ],
    [
      "a law of another event",
      () => {
        const conditional = perceptronConditional({ ...sizes, outputs: [3], law: ([m]) => vectors(m!) });
        return tf.tidy(() => void conditional.given(conditional.init(randomKey(1)))(tf.zeros([1, 1, 1])));
      },
      "event shape [3], but z needs [2]",
    ],
    [
      "ψ of another width",
      () => {
        const conditional = gammaConditional(sizes);
        return tf.tidy(() => void conditional.given(conditional.init(randomKey(1)))(tf.zeros([1, 1, 2])));
      },
      "the input has the shape [1, 1, 2]",
    ],
  ])("%s is named in one sentence", (_, act, message) => {
    expect(act).toThrow(message);
  });

  const discrete = [
    { name: "counts", conditional: negativeBinomialConditional({ latent: 1, mixing: 1, hidden: [3] }) },
    { name: "a mixture", conditional: mixtureConditional({ latent: 1, mixing: 1, hidden: [3], components: 2 }) },
  ];
  const gradients: readonly Gradient[] = [reparameterised, iwhviDoublyReparameterised, uivi];
  it.each(discrete.flatMap((kind) => gradients.map((gradient) => ({ ...kind, gradient, of: gradient.name }))))(
    "$of refuses $name, through which no gradient flows",
    ({ conditional, gradient }) => {
      const family = hierarchical({ mixing: standardNormal({ dimension: 1 }), conditional });
      const marginal = sivi({ samples: 2 });
      const logDensity = (z: Tensor3D): Tensor => tf.neg(tf.sum(tf.square(z), -1));
      const [start, chain] = split(randomKey(1));
      const reverse = hmcReverseSampler();
      const problem = uiviProblem({ problem: hierarchicalDensityProblem({ logDensity, family, marginal }), reverse });
      const phi = { ...initialParameters(family, marginal, start), reverse: reverse.init(chain) };
      const at = { problem, bound: elbo, theta: {}, phi, samples: 3, key: randomKey(2) };
      expect(() => estimateGradient(gradient as never, at as never)).toThrow(
        "no gradient flows through the draws of this q",
      );
    },
  );
});
