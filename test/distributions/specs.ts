import { Bernoulli } from "../../src/distributions/bernoulli.js";
import { Beta } from "../../src/distributions/beta.js";
import { Categorical } from "../../src/distributions/categorical.js";
import type { Distribution } from "../../src/distributions/distribution.js";
import { Gamma } from "../../src/distributions/gamma.js";
import { Independent } from "../../src/distributions/independent.js";
import { InverseGaussian } from "../../src/distributions/inverseGaussian.js";
import { Laplace } from "../../src/distributions/laplace.js";
import { LogGamma } from "../../src/distributions/logGamma.js";
import { LogitNormal } from "../../src/distributions/logitNormal.js";
import { LogNormal } from "../../src/distributions/logNormal.js";
import { LowRankNormal } from "../../src/distributions/lowRankNormal.js";
import { Mixture } from "../../src/distributions/mixture.js";
import { MultivariateNormal } from "../../src/distributions/multivariateNormal.js";
import { NegativeBinomial } from "../../src/distributions/negativeBinomial.js";
import { Normal } from "../../src/distributions/normal.js";
import { Poisson } from "../../src/distributions/poisson.js";
import { SpikedNormal } from "../../src/distributions/spikedNormal.js";
import { Stacked } from "../../src/distributions/stacked.js";
import { StudentT } from "../../src/distributions/studentT.js";
import { Uniform } from "../../src/distributions/uniform.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { logGamma } from "../../src/ops/gammaFunctions.js";
import { logGammaCdf } from "../engine/exactCdfs.js";
import { normalCdf } from "../engine/support.js";
import { inverseGaussianCdf, logBetaFunction } from "./exactLaws.js";

/** A distribution held to the shared laws, with its density written out in Float64. */
export interface Spec {
  readonly name: string;
  readonly parameters: () => Record<string, Tensor>;
  readonly make: (p: Record<string, Tensor>) => Distribution;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  /** log p(event) of batch element b, in closed form. */
  readonly logDensity: (x: readonly number[], b: number) => number;
  /** Where all but 1e-7 of the mass lies: an interval for every event dimension, or the points of a discrete one. */
  readonly support: { readonly interval: readonly [number, number] } | { readonly points: readonly number[] };
  /** cdf of event dimension d of batch element b. */
  readonly cdf?: (x: number, b: number, d: number) => number;
  /** Events at which the log-density is compared, tails included. */
  readonly probes: readonly (readonly number[])[];
  /** Events at which it is differentiated. Default: two points of the line or plane, or all of a discrete support. */
  readonly smoothAt?: readonly (readonly number[])[];
  /** True of a law whose entropy has no closed form. */
  readonly withoutEntropy?: true;
  /** True of a sample whose gradient is that of its quantile, not of the way it is drawn; `implicit.test.ts` holds it to the cdf. */
  readonly implicit?: true;
}

const logNormal = (x: number, mean: number, scale: number): number =>
  -0.5 * ((x - mean) / scale) ** 2 - Math.log(scale) - 0.5 * Math.log(2 * Math.PI);
const logLaplace = (x: number, location: number, scale: number): number =>
  -Math.abs(x - location) / scale - Math.log(2 * scale);
const laplaceCdf = (x: number, location: number, scale: number): number =>
  x < location ? 0.5 * Math.exp((x - location) / scale) : 1 - 0.5 * Math.exp((location - x) / scale);
const logBernoulli = (x: number, l: number): number => -Math.log1p(Math.exp(x === 1 ? -l : l));
const logGammaLaw = (y: number, a: number, rate: number): number =>
  a * (y + Math.log(rate)) - rate * Math.exp(y) - logGamma(a);
const none = Number.NEGATIVE_INFINITY;
const isCount = (n: number): boolean => Number.isInteger(n) && n >= 0;
const counts = (most: number): number[] => Array.from({ length: most + 1 }, (_, n) => n);
const logSum = (...terms: number[]): number => {
  const largest = Math.max(...terms);
  return largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0));
};

const means = [0.5, -1];
const scales = [0.7, 1.5];
const factors = [
  [1.2, 0, -0.5, 0.8],
  [0.6, 0, 0.9, 1.1],
] as const;
const spreads = [
  [0.6, 0.9],
  [1.1, 0.7],
] as const;
const loadings = [
  [0.8, -0.5],
  [0.4, 1.2],
] as const;
const centres = [
  [0.3, -0.6],
  [-1, 0.5],
] as const;

/** log N(x; μ, L Lᵀ) in two dimensions, by substitution. */
function logPlane(x: readonly number[], b: number): number {
  const [l11, , l21, l22] = factors[b]!;
  const z1 = (x[0]! - centres[b]![0]) / l11;
  const z2 = (x[1]! - centres[b]![1] - l21 * z1) / l22;
  return -0.5 * (z1 * z1 + z2 * z2) - Math.log(l11 * l22) - Math.log(2 * Math.PI);
}

export const specs: readonly Spec[] = [
  {
    name: "Normal",
    parameters: () => ({ mean: tf.tensor1d(means), scale: tf.tensor1d(scales) }),
    make: ({ mean, scale }) => new Normal({ mean: mean!, scale: scale! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) => logNormal(x!, means[b]!, scales[b]!),
    support: { interval: [-12, 12] },
    cdf: (x, b) => normalCdf((x - means[b]!) / scales[b]!),
    probes: [[-1e4], [-30], [-1], [0], [0.5], [3], [1e4]],
  },
  {
    name: "Laplace",
    parameters: () => ({ location: tf.tensor1d(means), scale: tf.tensor1d(scales) }),
    make: ({ location, scale }) => new Laplace({ location: location!, scale: scale! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) => logLaplace(x!, means[b]!, scales[b]!),
    support: { interval: [-31, 29] }, // puts the kinks at 0.5 and −1 on even nodes of Simpson's rule
    cdf: (x, b) => laplaceCdf(x, means[b]!, scales[b]!),
    probes: [[-1e4], [-30], [-0.9], [0], [0.6], [3], [1e4]],
  },
  {
    name: "Uniform",
    parameters: () => ({ low: tf.tensor1d([-1, 0]), high: tf.scalar(2) }),
    make: ({ low, high }) => new Uniform({ low: low!, high: high! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) => (x! < -1 + b || x! > 2 ? Number.NEGATIVE_INFINITY : -Math.log(3 - b)),
    support: { interval: [-3, 3] },
    cdf: (x, b) => Math.min(1, Math.max(0, (x + 1 - b) / (3 - b))),
    probes: [[-50], [-1.01], [-0.5], [0.01], [1.9], [2.01], [50]],
  },
  {
    name: "Bernoulli",
    parameters: () => ({ logits: tf.tensor1d([-1.2, 2.5]) }),
    make: ({ logits }) => new Bernoulli({ logits: logits! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) => logBernoulli(x!, [-1.2, 2.5][b]!),
    support: { points: [0, 1] },
    probes: [[0], [1]],
  },
  {
    name: "Categorical",
    parameters: () => ({
      logits: tf.tensor2d([
        [0, 1, -1],
        [100, 101, 103],
      ]),
    }),
    make: ({ logits }) => new Categorical({ logits: logits! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([k], b) => {
      const logits = [
        [0, 1, -1],
        [0, 1, 3],
      ][b]!; // the normaliser cancels the shift by 100
      return (logits[k!] ?? Number.NEGATIVE_INFINITY) - logSum(...logits);
    },
    support: { points: [0, 1, 2] },
    probes: [[-1], [0], [1], [2], [3]],
  },
  {
    name: "Mixture of a batch of normals",
    parameters: () => ({
      logits: tf.tensor1d([0, Math.log(3)]),
      mean: tf.tensor1d([-2, 1.5]),
      scale: tf.tensor1d([0.5, 1]),
    }),
    make: ({ logits, mean, scale }) =>
      new Mixture({ logits: logits!, components: new Normal({ mean: mean!, scale: scale! }) }),
    batchShape: [],
    eventShape: [],
    logDensity: ([x]) => logSum(Math.log(0.25) + logNormal(x!, -2, 0.5), Math.log(0.75) + logNormal(x!, 1.5, 1)),
    support: { interval: [-12, 12] },
    cdf: (x) => 0.25 * normalCdf((x + 2) / 0.5) + 0.75 * normalCdf(x - 1.5),
    probes: [[-1e3], [-20], [-2], [0], [1.5], [1e3]],
  },
  {
    name: "Mixture of unlike components with a batch",
    parameters: () => ({ weights: tf.tensor1d([1, 3]), mean: tf.tensor1d(means), scale: tf.tensor1d(scales) }),
    make: ({ weights, mean, scale }) =>
      new Mixture({
        weights: weights!,
        components: [new Normal({ mean: mean!, scale: scale! }), new Laplace({ location: mean!, scale: 0.5 })],
      }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) =>
      logSum(Math.log(0.25) + logNormal(x!, means[b]!, scales[b]!), Math.log(0.75) + logLaplace(x!, means[b]!, 0.5)),
    support: { interval: [-13, 13] },
    cdf: (x, b) => 0.25 * normalCdf((x - means[b]!) / scales[b]!) + 0.75 * laplaceCdf(x, means[b]!, 0.5),
    probes: [[-100], [-2], [0.1], [1.5], [100]],
  },
  {
    name: "Independent normals",
    parameters: () => ({
      mean: tf.tensor2d([
        [0.5, -1],
        [0, 2],
      ]),
      scale: tf.tensor1d(scales),
    }),
    make: ({ mean, scale }) => new Independent({ base: new Normal({ mean: mean!, scale: scale! }), eventRank: 1 }),
    batchShape: [2],
    eventShape: [2],
    logDensity: ([x, y], b) => logNormal(x!, [0.5, 0][b]!, scales[0]!) + logNormal(y!, [-1, 2][b]!, scales[1]!),
    support: { interval: [-10, 11] },
    cdf: (x, b, d) =>
      normalCdf(
        (x -
          [
            [0.5, -1],
            [0, 2],
          ][b]![d]!) /
          scales[d]!,
      ),
    probes: [
      [0, 0],
      [-300, 5],
      [1, 1],
      [2, 1e3],
    ],
  },
  {
    name: "Independent Laplaces (no fused sum)",
    parameters: () => ({ location: tf.tensor1d(means), scale: tf.scalar(0.8) }),
    make: ({ location, scale }) =>
      new Independent({ base: new Laplace({ location: location!, scale: scale! }), eventRank: 1 }),
    batchShape: [],
    eventShape: [2],
    logDensity: ([x, y]) => logLaplace(x!, 0.5, 0.8) + logLaplace(y!, -1, 0.8),
    support: { interval: [-13, 13] },
    cdf: (x, _, d) => laplaceCdf(x, means[d]!, 0.8),
    probes: [
      [0, 0],
      [-300, 5],
      [1, 1],
      [2, 1e3],
    ],
  },
  {
    name: "MultivariateNormal",
    parameters: () => ({
      mean: tf.tensor2d(centres.map((row) => [...row])),
      scaleTril: tf.tensor3d([...factors.flat()], [2, 2, 2]),
    }),
    make: ({ mean, scaleTril }) => new MultivariateNormal({ mean: mean!, scaleTril: scaleTril! }),
    batchShape: [2],
    eventShape: [2],
    logDensity: logPlane,
    support: { interval: [-10, 10] },
    cdf: (x, b, d) => {
      const [l11, , l21, l22] = factors[b]!;
      return normalCdf((x - centres[b]![d]!) / (d === 0 ? l11 : Math.hypot(l21, l22)));
    },
    probes: [
      [0, 0],
      [-300, 5],
      [1, 1],
      [2, 1e3],
    ],
  },
  {
    name: "LowRankNormal",
    parameters: () => ({
      mean: tf.tensor2d(centres.map((row) => [...row])),
      scale: tf.tensor2d(spreads.map((row) => [...row])),
      factors: tf.tensor3d([...loadings.flat()], [2, 2, 1]),
    }),
    make: ({ mean, scale, factors }) => new LowRankNormal({ mean: mean!, scale: scale!, factors: factors! }),
    batchShape: [2],
    eventShape: [2],
    logDensity: (x, b) => {
      const [[s, t], [f, g]] = [spreads[b]!, loadings[b]!];
      const [a, c, d] = [s * s + f * f, f * g, t * t + g * g];
      const [dx, dy] = x.map((value, i) => value - centres[b]![i]!) as [number, number];
      const determinant = a * d - c * c;
      return (
        -(d * dx * dx - 2 * c * dx * dy + a * dy * dy) / (2 * determinant) -
        Math.log(determinant) / 2 -
        Math.log(2 * Math.PI)
      );
    },
    support: { interval: [-10, 10] },
    cdf: (x, b, d) => normalCdf((x - centres[b]![d]!) / Math.hypot(spreads[b]![d]!, loadings[b]![d]!)),
    probes: [
      [0, 0],
      [-30, 5],
      [1, 1],
      [2, 100],
    ],
  },
  {
    name: "SpikedNormal",
    parameters: () => ({
      mean: tf.tensor1d([0.3, -0.6]),
      scale: tf.tensor1d([0.6, 0.9]),
      directions: tf.tensor2d([[0.6, 0.8]]),
      stretch: tf.tensor1d([1.7]),
    }),
    make: ({ mean, scale, directions, stretch }) =>
      new SpikedNormal({
        mean: mean as Tensor1D,
        scale: scale as Tensor1D,
        directions: directions as Tensor2D,
        stretch: stretch as Tensor1D,
      }),
    batchShape: [1],
    eventShape: [2],
    logDensity: (x) => {
      const [u, v] = [(x[0]! - 0.3) / 0.6, (x[1]! + 0.6) / 0.9];
      const along = 0.6 * u + 0.8 * v;
      const across = -0.8 * u + 0.6 * v;
      return -((along / 1.7) ** 2 + across ** 2) / 2 - Math.log(0.6 * 0.9 * 1.7) - Math.log(2 * Math.PI);
    },
    support: { interval: [-10, 10] },
    cdf: (x, _b, d) => {
      const [scale, direction] = [
        [0.6, 0.9],
        [0.6, 0.8],
      ].map((row) => row[d]!) as [number, number];
      return normalCdf((x - [0.3, -0.6][d]!) / (scale * Math.sqrt(1 + direction ** 2 * (1.7 ** 2 - 1))));
    },
    probes: [
      [0, 0],
      [-30, 5],
      [1, 1],
      [2, 100],
    ],
  },
  {
    name: "Mixture of Gaussian vectors",
    parameters: () => ({
      mean: tf.tensor2d(centres.map((row) => [...row])),
      scaleTril: tf.tensor3d([...factors.flat()], [2, 2, 2]),
    }),
    make: ({ mean, scaleTril }) =>
      new Mixture({ weights: [2, 3], components: new MultivariateNormal({ mean: mean!, scaleTril: scaleTril! }) }),
    batchShape: [],
    eventShape: [2],
    logDensity: (x) => logSum(Math.log(0.4) + logPlane(x, 0), Math.log(0.6) + logPlane(x, 1)),
    support: { interval: [-10, 10] },
    probes: [
      [0, 0],
      [-30, 5],
      [1, 1],
      [2, 100],
    ],
  },
  {
    name: "Gamma",
    parameters: () => ({ concentration: tf.tensor1d([3, 5.5]), rate: tf.tensor1d([2, 0.8]) }),
    make: ({ concentration, rate }) => new Gamma({ concentration: concentration!, rate: rate! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) => (x! > 0 ? logGammaLaw(Math.log(x!), [3, 5.5][b]!, [2, 0.8][b]!) - Math.log(x!) : none),
    support: { interval: [0, 40] },
    cdf: (x, b) => logGammaCdf([3, 5.5][b]!)(Math.log(x * [2, 0.8][b]!)),
    probes: [[-1], [0], [1e-30], [0.01], [1], [7], [40], [2000]],
    implicit: true,
  },
  {
    name: "LogGamma",
    parameters: () => ({ concentration: tf.tensor1d([0.3, 4]), rate: tf.tensor1d([2, 0.8]) }),
    make: ({ concentration, rate }) => new LogGamma({ concentration: concentration!, rate: rate! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([y], b) => logGammaLaw(y!, [0.3, 4][b]!, [2, 0.8][b]!),
    support: { interval: [-60, 6] },
    cdf: (y, b) => logGammaCdf([0.3, 4][b]!)(y + Math.log([2, 0.8][b]!)),
    probes: [[-1e4], [-200], [-3], [0], [1.2], [4]],
    implicit: true,
  },
  {
    name: "LogNormal",
    parameters: () => ({ mean: tf.tensor1d([0.5, -0.5]), scale: tf.tensor1d([0.4, 0.3]) }),
    make: ({ mean, scale }) => new LogNormal({ mean: mean!, scale: scale! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) => (x! > 0 ? logNormal(Math.log(x!), [0.5, -0.5][b]!, [0.4, 0.3][b]!) - Math.log(x!) : none),
    support: { interval: [0, 25] },
    cdf: (x, b) => normalCdf((Math.log(x) - [0.5, -0.5][b]!) / [0.4, 0.3][b]!),
    probes: [[-1], [0], [1e-6], [0.3], [1], [50]],
  },
  {
    name: "LogitNormal",
    parameters: () => ({ mean: tf.tensor1d([0.5, -1]), scale: tf.tensor1d([0.7, 1.5]) }),
    make: ({ mean, scale }) => new LogitNormal({ mean: mean!, scale: scale! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) =>
      x! > 0 && x! < 1 ? logNormal(Math.log(x! / (1 - x!)), means[b]!, scales[b]!) - Math.log(x! * (1 - x!)) : none,
    support: { interval: [0, 1] },
    cdf: (x, b) => normalCdf((Math.log(x / (1 - x)) - means[b]!) / scales[b]!),
    probes: [[-0.5], [0], [2 ** -20], [0.25], [0.5], [0.9375], [1], [1.5]],
    smoothAt: [[0.2], [0.7]],
  },
  {
    name: "Beta",
    parameters: () => ({ a: tf.tensor1d([2.5, 3]), b: tf.scalar(4) }),
    make: ({ a, b }) => new Beta({ a: a!, b: b! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) =>
      x! > 0 && x! < 1
        ? ([2.5, 3][b]! - 1) * Math.log(x!) + 3 * Math.log1p(-x!) - logBetaFunction([2.5, 3][b]!, 4)
        : none,
    support: { interval: [0, 1] },
    probes: [[-0.5], [0], [2 ** -20], [0.25], [0.5], [0.9375], [1], [1.5]],
    smoothAt: [[0.2], [0.7]],
    implicit: true,
  },
  {
    name: "StudentT",
    parameters: () => ({
      degreesOfFreedom: tf.tensor1d([12, 30]),
      location: tf.tensor1d(means),
      scale: tf.tensor1d(scales),
    }),
    make: ({ degreesOfFreedom, location, scale }) =>
      new StudentT({ degreesOfFreedom: degreesOfFreedom!, location: location!, scale: scale! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) => {
      const [nu, y] = [[12, 30][b]!, (x! - means[b]!) / scales[b]!];
      const peak = logGamma((nu + 1) / 2) - logGamma(nu / 2) - Math.log(nu * Math.PI) / 2 - Math.log(scales[b]!);
      return peak - ((nu + 1) / 2) * Math.log1p((y * y) / nu);
    },
    support: { interval: [-60, 60] },
    probes: [[-1e4], [-30], [-1], [0], [0.5], [3], [1e4]],
    implicit: true,
  },
  {
    name: "InverseGaussian",
    parameters: () => ({ mean: tf.tensor1d([1.5, 0.7]), shape: tf.tensor1d([2, 3]) }),
    make: ({ mean, shape }) => new InverseGaussian({ mean: mean!, shape: shape! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([x], b) => {
      const [mean, shape] = [[1.5, 0.7][b]!, [2, 3][b]!];
      if (x! <= 0) return none;
      return 0.5 * Math.log(shape / (2 * Math.PI * x! ** 3)) - (shape * (x! - mean) ** 2) / (2 * mean ** 2 * x!);
    },
    support: { interval: [0, 60] },
    cdf: (x, b) => inverseGaussianCdf(x, [1.5, 0.7][b]!, [2, 3][b]!),
    probes: [[-1], [0], [0.01], [0.5], [1.5], [40]],
    withoutEntropy: true,
    implicit: true,
  },
  {
    name: "Poisson",
    parameters: () => ({ rate: tf.tensor1d([0.7, 12.5]) }),
    make: ({ rate }) => new Poisson({ rate: rate! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([n], b) => (isCount(n!) ? n! * Math.log([0.7, 12.5][b]!) - [0.7, 12.5][b]! - logGamma(n! + 1) : none),
    support: { points: counts(60) },
    probes: [[-1], [0], [1], [2], [2.5], [13], [60], [4000]],
    smoothAt: [[0], [1], [9]],
    withoutEntropy: true,
  },
  {
    name: "NegativeBinomial",
    parameters: () => ({ concentration: tf.tensor1d([1.3, 6]), logits: tf.tensor1d([0.4, -0.8]) }),
    make: ({ concentration, logits }) => new NegativeBinomial({ concentration: concentration!, logits: logits! }),
    batchShape: [2],
    eventShape: [],
    logDensity: ([n], b) => {
      if (!isCount(n!)) return none;
      const [r, l] = [[1.3, 6][b]!, [0.4, -0.8][b]!];
      return logGamma(n! + r) - logGamma(r) - logGamma(n! + 1) + n! * logBernoulli(1, l) + r * logBernoulli(0, l);
    },
    support: { points: counts(120) },
    probes: [[-1], [0], [1], [2], [2.5], [13], [60], [4000]],
    smoothAt: [[0], [1], [9]],
    withoutEntropy: true,
  },
  {
    name: "Stacked laws of a number and a positive number",
    parameters: () => ({ mean: tf.tensor1d(means), concentration: tf.tensor1d([5, 7]) }),
    make: ({ mean, concentration }) =>
      new Stacked({
        parts: [new Normal({ mean: mean!, scale: 0.8 }), new Gamma({ concentration: concentration!, rate: 2 })],
      }),
    batchShape: [2],
    eventShape: [2],
    logDensity: ([x, y], b) =>
      y! > 0 ? logNormal(x!, means[b]!, 0.8) + logGammaLaw(Math.log(y!), [5, 7][b]!, 2) - Math.log(y!) : none,
    support: { interval: [-9, 15] },
    cdf: (x, b, d) => (d === 0 ? normalCdf((x - means[b]!) / 0.8) : logGammaCdf([5, 7][b]!)(Math.log(2 * x))),
    probes: [
      [0, 1],
      [0, -1],
      [-300, 5],
      [1, 30],
    ],
    smoothAt: [
      [0.2, 0.9],
      [1.3, 2.4],
    ],
    implicit: true,
  },
];
