import { normalQuantile } from "../../src/diagnostics/normalQuantile.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { relaxedBit } from "../../src/gradients/relaxedBit.js";
import { uiviProblem } from "../../src/gradients/uivi.js";
import { hierarchicalDensityProblem } from "../../src/marginals/hierarchicalProblem.js";
import { sivi } from "../../src/marginals/marginal.js";
import { ownReverseSampler } from "../../src/marginals/reverseSampler.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { type chainCase, differences, type iwaeGaussianCase } from "./support.js";

// The means of the biased estimators, where they are known: what each of them climbs in place of the bound.

const sigma = (y: number): number => 1 / (1 + Math.exp(-y));
const first = (tensor: tf.Tensor): number => tensor.dataSync()[0]!;

type Chain = ReturnType<typeof chainCase>;
const bitRecord = (theta: number, phi: number) => ({
  theta: { bias: tf.tensor1d([theta]) as Tensor1D, coupling: tf.tensor1d([theta]) as Tensor1D },
  phi: { logits: tf.tensor2d([[phi]]) as Tensor2D },
});
const bitNumbers = ({ theta, phi }: Chain) => {
  const [slope, logit] = [first(theta.bias) + first(theta.coupling), first(phi.logits)];
  return { slope, logit, p: sigma(logit) };
};

/** Gumbel-softmax on a chain of one bit: log p, linear in the bit, and its path by quadrature over the logistic noise. */
export function gumbelSoftmaxMean(given: Chain, temperature: number) {
  const { slope, logit, p } = bitNumbers(given);
  const { points, logWeights } = trapezoid(-40, 40, 8001);
  const relaxed = points.reduce(
    (sum, noise, i) =>
      sum + Math.exp(logWeights[i]!) * sigma(noise) * sigma(-noise) * sigma((logit + noise) / temperature),
    0,
  );
  const path = relaxedBit({ slope: () => slope, logit, temperature }).mean;
  return bitRecord(relaxed, path - logit * p * (1 - p)); // and the entropy's gradient
}

/** Straight-through on a chain of one bit: the same path, but log p at the bit. */
export function straightThroughMean(given: Chain, temperature: number) {
  const { slope, logit, p } = bitNumbers(given);
  const path = relaxedBit({ slope: () => slope, logit, temperature, hard: true }).mean;
  return bitRecord(p, path - logit * p * (1 - p));
}

/** The score-function gradient with a control variate's weight from the K draws that it weighs, on a chain of one bit: a sum over all 2^K outcomes. */
export function sameDrawsMean(given: Chain, samples: number) {
  const { slope, p } = bitNumbers(given);
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / samples;
  let total = 0;
  for (let outcome = 0; outcome < 2 ** samples; outcome++) {
    const bits = Array.from({ length: samples }, (_, k) => (outcome >> k) & 1);
    const probability = bits.reduce((product, z) => product * (z === 1 ? p : 1 - p), 1);
    const h = bits.map((z) => z - p);
    const f = bits.map((z, k) => ((z * slope - Math.log(z === 1 ? p : 1 - p)) / samples) * h[k]!);
    const [meanF, meanH] = [mean(f), mean(h)];
    const spread = h.reduce((sum, v) => sum + (v - meanH) ** 2, 0);
    const together = f.reduce((sum, v, k) => sum + (v - meanF) * (h[k]! - meanH), 0);
    const weight = bits.every((z) => z === bits[0]) ? 0 : together / spread;
    total += probability * samples * (meanF - weight * meanH);
  }
  return bitRecord(p, total);
}

type Iwae = ReturnType<typeof iwaeGaussianCase>;
const gaussianRecord = (mean: number, logScale: number) => ({
  theta: {},
  phi: { mean: tf.tensor2d([[mean]]) as Tensor2D, logScale: tf.tensor2d([[logScale]]) as Tensor2D },
});
const gaussianNumbers = ({ phi }: Iwae): [number, number] => [first(phi.mean), first(phi.logScale)];
/** The log-weight of z = m + s ε, but for a constant. */
const logWeight = ([m, logS]: readonly number[], e: number): number =>
  logS! + (e * e - (m! + Math.exp(logS!) * e) ** 2) / 2;

/** The path derivative under IWAE with two draws of a 1-D Gaussian, whatever score it lacks: Σ_k w̃_k (−z_k + ε_k/s) ∇z_k, by quadrature in both. */
export function pathDerivativeMean(given: Iwae) {
  const at = gaussianNumbers(given);
  const [m, s] = [at[0], Math.exp(at[1])];
  const { points, logWeights } = trapezoid(-8, 8, 161);
  const density = points.map((e, i) => Math.exp(logWeights[i]! - (e * e) / 2) / Math.sqrt(2 * Math.PI));
  let [mean, logScale] = [0, 0];
  points.forEach((e, i) => {
    points.forEach((other, j) => {
      // By symmetry twice the first draw's term.
      const share = 2 * density[i]! * density[j]! * sigma(logWeight(at, e) - logWeight(at, other));
      const slope = share * (-(m + s * e) + e / s);
      mean += slope;
      logScale += slope * s * e;
    });
  });
  return gaussianRecord(mean, logScale);
}

/** The gradient of E log (w + w′)/2 for two draws of which each is one of q and the second a function of the first: u ↦ u′ in the probabilities. */
function pairedMean(given: Iwae, partner: (u: number) => number) {
  const nodes = Array.from({ length: 20_000 }, (_, i) => (i + 0.5) / 20_000);
  const noise = nodes.map((u) => [normalQuantile(u), normalQuantile(partner(u))] as const);
  const value = (at: readonly number[]): number =>
    noise.reduce((sum, [e, other]) => {
      const [one, two] = [logWeight(at, e), logWeight(at, other)];
      const most = Math.max(one, two);
      return sum + most + Math.log(Math.exp(one - most) + Math.exp(two - most));
    }, 0) / nodes.length;
  const [mean, logScale] = differences(value, gaussianNumbers(given));
  return gaussianRecord(mean!, logScale!);
}

/** IWAE of a draw and its mirror image. */
export const antitheticMean = (given: Iwae) => pairedMean(given, (u) => 1 - u);

/** IWAE of Sobol's first two points, 0 and ½, moved together. */
export const quasiMonteCarloMean = (given: Iwae) => pairedMean(given, (u) => (u + 0.5) % 1);

/** UIVI whose reverse draw is ψ_0 itself, on q(z | ψ) = N(aψ + b, σ²) and the target N(1, ½), with the ELBO's gradient and that of the conditional bound, its mean. */
export function uiviCase() {
  const [a, b, s] = [0.9, 0.5, 0.6];
  const total = a * a + s * s;
  const record = (numbers: readonly number[]) => {
    const [slope, shift, logScale] = numbers.map((value) => tf.tensor2d([[value]]) as Tensor2D);
    return { theta: {}, phi: { q: { slope: slope!, shift: shift!, logScale: logScale! }, tau: {}, reverse: {} } };
  };
  // With ε′ and ε of correlation ρ given z the entropy's part is ((1 − ρ) a/(a² + σ²), 0, 1 − (1 − ρ) a²/(a² + σ²)).
  const gradient = (correlation: number): number[] => [
    -2 * a + ((1 - correlation) * a) / total,
    -2 * (b - 1),
    -2 * s * s + 1 - ((1 - correlation) * a * a) / total,
  ];
  const problem = uiviProblem({
    problem: hierarchicalDensityProblem({
      logDensity: (z) => normalLogDensity(z, 1, Math.SQRT1_2, 1),
      family: hierarchicalLinearGaussian({ dimension: 1 }),
      marginal: sivi({ samples: 0 }),
    }),
    reverse: ownReverseSampler,
  });
  return { problem, ...record([a, b, Math.log(s)]), exact: record(gradient(0)), mean: record(gradient(1)) };
}
