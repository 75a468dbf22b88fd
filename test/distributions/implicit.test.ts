import { beforeAll, describe, expect, test } from "vitest";
import { Beta } from "../../src/distributions/beta.js";
import type { Distribution } from "../../src/distributions/distribution.js";
import { Gamma } from "../../src/distributions/gamma.js";
import { InverseGaussian } from "../../src/distributions/inverseGaussian.js";
import { LogGamma } from "../../src/distributions/logGamma.js";
import { StudentT } from "../../src/distributions/studentT.js";
import { VonMises } from "../../src/distributions/vonMises.js";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { type Scalar, type Tensor, tf } from "../../src/engine/tf.js";
import { polyGamma } from "../../src/ops/gammaFunctions.js";
import { logGammaSlope } from "../../src/ops/logGammaSlope.js";
import { logGammaCdf } from "../engine/exactCdfs.js";
import { backends, expectClose, expectNoLeak, mean, read, variance } from "../engine/support.js";
import { gradientOf } from "../ops/support.js";
import { inverseGaussianCdf, vonMisesCdf, vonMisesMean } from "./exactLaws.js";

type Make = (first: Tensor, second: Tensor) => Distribution;

const gammaLaw: Make = (concentration, rate) => new Gamma({ concentration, rate });
const logGammaLaw: Make = (concentration, rate) => new LogGamma({ concentration, rate });
const inverseGaussianLaw: Make = (mean, shape) => new InverseGaussian({ mean, shape });
const betaLaw: Make = (a, b) => new Beta({ a, b });

const studentLaw: Make = (degreesOfFreedom, scale) => new StudentT({ degreesOfFreedom, scale });
const vonMisesLaw: Make = (location, concentration) => new VonMises({ location, concentration });

/** E of an even function of a von Mises angle about 0, and its slope in κ = 2. */
const vonMisesAt2 = (f: (t: number) => number): readonly [number, number] => [
  vonMisesMean(f, 2),
  (vonMisesMean(f, 2 + 1e-4) - vonMisesMean(f, 2 - 1e-4)) / 2e-4,
];
const [resultant, resultantSlope] = vonMisesAt2(Math.cos);

/** n draws, each with parameters of its own, and what `of` of them gives: `[n]` gradients of single draws. */
function perDraw(make: Make, at: readonly [number, number], n: number, of: (x: Tensor) => Tensor = (x) => x) {
  const parameters = { first: tf.fill([n], at[0]), second: tf.fill([n], at[1]) };
  const draw = ({ first, second }: { first: Tensor; second: Tensor }): Tensor =>
    of(make(first, second).sample(randomKey(7)));
  const x = read(tf.tidy(() => make(parameters.first, parameters.second).sample(randomKey(7))));
  const { value, gradient } = valueAndGradient((moved) => tf.sum(draw(moved)), parameters);
  value.dispose();
  const slopes = [read(gradient.first), read(gradient.second)];
  tf.dispose(parameters);
  return { x, slopes };
}

/** −(∂F/∂θ_which)/p at x, by central differences of a Float64 cdf. */
function quantileSlope(
  cdf: (x: number, at: readonly number[]) => number,
  x: number,
  at: readonly number[],
  which: number,
): number {
  const h = 1e-4;
  const difference = (f: (s: number) => number): number => (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
  const inParameter = difference((s) =>
    cdf(
      x,
      at.map((value, i) => (i === which ? value * (1 + s) : value)),
    ),
  );
  const inX = difference((s) => cdf(x + s * Math.abs(x), at));
  return (-inParameter / at[which]!) * (Math.abs(x) / inX);
}

describe.each(backends)("implicit gradients on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  const laws: readonly [string, Make, (x: number, at: readonly number[]) => number, readonly [number, number][]][] = [
    [
      "Gamma",
      gammaLaw,
      (x, [a, rate]) => logGammaCdf(a!)(Math.log(x * rate!)),
      [
        [0.4, 2],
        [3, 0.5],
        [60, 4],
      ],
    ],
    [
      "LogGamma",
      logGammaLaw,
      (y, [a, rate]) => logGammaCdf(a!)(y + Math.log(rate!)),
      [
        [0.4, 2],
        [3, 0.5],
        [60, 4],
      ],
    ],
    [
      "InverseGaussian",
      inverseGaussianLaw,
      (x, [mean, shape]) => inverseGaussianCdf(x, mean!, shape!),
      [
        [1, 1],
        [0.3, 5],
        [4, 0.5],
      ],
    ],
    [
      "VonMises",
      vonMisesLaw,
      (x, [location, kappa]) => vonMisesCdf(x, location!, kappa!),
      [
        [0.5, 0.3],
        [1, 4],
        [-2, 60],
      ],
    ],
  ];
  describe.each(laws)("%s", (_, make, cdf, points) => {
    test.each(points)("at (%d, %d) every draw moves as its quantile does", (first, second) => {
      const at = [first, second] as const;
      const { x, slopes } = perDraw(make, at, 200);
      for (const which of [0, 1]) {
        for (const [i, value] of x.entries()) {
          // Far out in the lower tail or close to F = 1 the differences of F have no digits left.
          const [p, away] = [cdf(value, at), Math.abs(value)];
          if (p < 1e-4 || p > 1 - 1e-4 || away < 1e-4) continue;
          const exact = quantileSlope(cdf, value, at, which);
          expect(Math.abs(slopes[which]![i]! - exact)).toBeLessThan(2e-3 * Math.abs(exact) + 2e-4);
        }
      }
    });
  });

  const logOf = (x: Tensor): Tensor => tf.log(x);
  const squareOf = (x: Tensor): Tensor => tf.square(x);
  const same = (x: Tensor): Tensor => x;
  const expectations: readonly [string, Make, [number, number], (x: Tensor) => Tensor, [number, number]][] = [
    ["E x of Gamma(0.6, 2) is α/β", gammaLaw, [0.6, 2], same, [1 / 2, -0.6 / 4]],
    ["E x² of Gamma(2.5, 2) is α(α + 1)/β²", gammaLaw, [2.5, 2], squareOf, [6 / 4, (-2 * 2.5 * 3.5) / 8]],
    ["E log x of Gamma(2.5, 2) is ψ(α) − log β", gammaLaw, [2.5, 2], logOf, [polyGamma(1, 2.5), -0.5]],
    ["E y of LogGamma(0.01, 3) is ψ(α) − log β", logGammaLaw, [0.01, 3], same, [polyGamma(1, 0.01), -1 / 3]],
    ["E x of IG(1.5, 2) is μ", inverseGaussianLaw, [1.5, 2], same, [1, 0]],
    // E x² = μ² + μ³/λ, and E 1/x = 1/μ + 1/λ.
    ["E x² of IG(1.5, 2)", inverseGaussianLaw, [1.5, 2], squareOf, [3 + (3 * 2.25) / 2, -(1.5 ** 3) / 4]],
    ["E 1/x of IG(1.5, 2)", inverseGaussianLaw, [1.5, 2], (x) => tf.reciprocal(x), [-1 / 2.25, -1 / 4]],
    ["E x of Beta(1.5, 0.8) is a/(a + b)", betaLaw, [1.5, 0.8], same, [0.8 / 2.3 ** 2, -1.5 / 2.3 ** 2]],
    ["E x² of t(9), σ = 1.5, is σ²ν/(ν − 2)", studentLaw, [9, 1.5], squareOf, [(-2 * 2.25) / 49, (2 * 1.5 * 9) / 7]],
    // E log x² = log ν + ψ(½) − ψ(½ ν) + 2 log σ, where x has no variance.
    [
      "E log x² of t(1.5), σ = 2",
      studentLaw,
      [1.5, 2],
      (x) => tf.log(tf.square(x)),
      [1 / 1.5 - polyGamma(1, 0.75) / 2, 1],
    ],
    [
      "E sin x of a von Mises angle is A(κ) sin μ",
      vonMisesLaw,
      [0.4, 2],
      (x) => tf.sin(x),
      [resultant * Math.cos(0.4), resultantSlope * Math.sin(0.4)],
    ],
    [
      "E x² of a von Mises angle, a function without its period",
      vonMisesLaw,
      [0.4, 2],
      squareOf,
      [0.8, vonMisesAt2((t) => t * t)[1]],
    ],
    ["E log x of Beta(1.5, 2)", betaLaw, [1.5, 2], logOf, [polyGamma(1, 1.5) - polyGamma(1, 3.5), -polyGamma(1, 3.5)]],
  ];
  test.each(expectations)("%s: the gradient's mean is exact within 4 s.e.", (_, make, at, of, exact) => {
    const n = 40_000;
    const { slopes } = perDraw(make, at, n, of);
    for (const [which, gradients] of slopes.entries()) {
      const error = Math.sqrt(variance(gradients) / n);
      if (which === 0) expect(error).toBeGreaterThan(0); // a location of log x moves every draw alike
      expect(Math.abs(mean(gradients) - exact[which]!)).toBeLessThan(4 * error + 1e-6);
    }
  });

  test("one parameter for many draws gets the sum of their gradients", () => {
    const parameters = [tf.tensor1d([0.7, 3]), tf.tensor1d([2])];
    const draw = (a?: Tensor, b?: Tensor): Tensor => gammaLaw(a!, b!).sample(randomKey(1), [3]);
    const expected = read(
      tf.tidy(() => {
        const x = draw(...parameters);
        const slopes = tf.mul(x, logGammaSlope(parameters[0]!, tf.log(tf.mul(x, 2))));
        const weights = tf.tensor2d(
          [0, 1, 2, 3, 4, 5].map((i) => Math.cos(1 + 2 * i)),
          [3, 2],
        ); // gradientOf's
        return tf.sum(tf.mul(weights, slopes), 0);
      }),
    );
    expectClose(read(gradientOf(draw, parameters, 0)), expected, 1e-5);
    expectNoLeak(() => gradientOf(draw, parameters, 0));
  });

  test("a second derivative is right where it is offered, and refused where not", () => {
    const draw: (a?: Tensor, b?: Tensor) => Tensor = (a, b) => inverseGaussianLaw(a!, b!).sample(randomKey(4));
    const once = (which: number) => (a?: Tensor, b?: Tensor) => gradientOf(draw, [a!, b!], which);
    const at = [tf.tensor1d([1.2]), tf.tensor1d([0.9])];
    const [x] = read(draw(...at));
    const p = inverseGaussianCdf(x!, 1.2, 0.9);
    const quantile = (mean: number): number => {
      let [low, high] = [1e-9, 1e3];
      for (let i = 0; i < 200; i++) {
        const middle = (low + high) / 2;
        if (inverseGaussianCdf(middle, mean, 0.9) < p) low = middle;
        else high = middle;
      }
      return low;
    };
    const h = 1e-3;
    const curvature = (quantile(1.2 + h) - 2 * quantile(1.2) + quantile(1.2 - h)) / h ** 2;
    const weight = Math.cos(1); // gradientOf weighs the only element so, both times
    expectClose(read(gradientOf(once(0), at, 0)), [weight ** 2 * curvature], 5e-3);
    const gammaDraw = (a?: Tensor): Tensor => gammaLaw(a!, tf.scalar(1)).sample(randomKey(4));
    expect(() => gradientOf((a) => gradientOf(gammaDraw, [a!], 0), [tf.tensor1d([2])], 0)).toThrow("not twice");
  });

  test("small concentrations give finite draws and gradients", () => {
    for (const make of [gammaLaw, logGammaLaw]) {
      const { x, slopes } = perDraw(make, [1e-3, 5], 200);
      for (const values of [x, ...slopes]) expect(values.every(Number.isFinite)).toBe(true);
    }
    const { x } = perDraw(betaLaw, [1e-3, 1e-3], 200);
    expect(x.every((value) => value > 0 && value < 1)).toBe(true);
  });
});

describe("compiled", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  test.each([
    { name: "Gamma", make: gammaLaw, xla: false },
    { name: "LogGamma", make: logGammaLaw, xla: false },
    { name: "Beta", make: betaLaw, xla: false },
    { name: "StudentT", make: studentLaw, xla: false },
    { name: "InverseGaussian", make: inverseGaussianLaw, xla: false },
    { name: "VonMises", make: vonMisesLaw, xla: false },
    { name: "VonMises", make: vonMisesLaw, xla: true },
    { name: "InverseGaussian", make: inverseGaussianLaw, xla: true }, // the others' draws are none that XLA makes
  ])("$name draws and their gradients are those of eager steps (XLA: $xla)", ({ make, xla }) => {
    const step = ({ a, b, key }: { a: Tensor; b: Tensor; key: Key }) => {
      const draw = ({ a, b }: { a: Tensor; b: Tensor }): Scalar =>
        tf.sum(tf.square(make(a, b).sample(key, [6]))) as Scalar;
      const { value, gradient } = valueAndGradient(draw, { a, b });
      return { value, a: gradient.a, b: gradient.b };
    };
    const inputs = (seed: number) => ({
      a: tf.tensor1d([0.3, 2, 25].map((value) => value * seed)),
      b: tf.tensor1d([1, 0.5, 3]),
      key: randomKey(seed),
    });
    const compiled = compile(step, { xla });
    compiled(inputs(1));
    const [replayed, eager] = [compiled(inputs(2)), tf.tidy(() => step(inputs(2)))];
    for (const name of ["value", "a", "b"] as const) expectClose(read(replayed[name]), read(eager[name]), 1e-4);
    compiled.dispose();
  });
});
