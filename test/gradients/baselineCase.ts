import { elbo } from "../../src/bounds/elbo.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { withLearnedBaseline } from "../../src/models/learnedBaseline.js";
import { latentVariableProblem } from "../../src/models/problem.js";
import { chainCase, differences } from "./support.js";

/** Three data of z ~ N(0, 1), x ~ N(z, 1), with bounds far apart, and a baseline a + b x² off the truth; the exact gradient of everything, ψ's regression too. */
export function dataCase(bound: typeof elbo, samples: number, psi: readonly [number, number]) {
  const data = [-3, 0.5, 4];
  const [means, logScales] = [
    [-0.8, 0.6, 1.5],
    [0.1, -0.2, 0],
  ];
  const value = (b: number, m: number, s: number): number =>
    bound === elbo
      ? conjugateGaussian.elbo(data[b], { mean: m, scale: Math.exp(s) })
      : exactIwae(conjugateGaussian.weightDistribution(data[b], { mean: m, scale: Math.exp(s) }), samples);
  const slopes = data.map((_, b) => differences(([m, s]) => value(b, m, s), [means[b], logScales[b]]));
  const excess = data.map((x, b) => value(b, means[b], logScales[b]) - psi[0] - psi[1] * x * x);
  const column = (values: readonly number[]) => tf.tensor2d([...values], [3, 1]);
  const plain = latentVariableProblem({
    model: conjugateGaussian,
    family: meanFieldGaussian({ dimension: 1, batchSize: 3 }),
    x: column(data),
    scale: 1,
  });
  const squares = tf.tensor1d(data.map((x) => x * x));
  const problem = withLearnedBaseline({
    problem: plain,
    baseline: ({ weights }: { weights: Tensor1D }) =>
      tf.add(tf.slice(weights, 0, 1), tf.mul(tf.slice(weights, 1, 1), squares)),
  });
  const q = { mean: column(means), logScale: column(logScales) };
  const exactQ = { mean: column(slopes.map(([m]) => m)), logScale: column(slopes.map(([, s]) => s)) };
  const regression = [excess.reduce((sum, e) => sum + e, 0), excess.reduce((sum, e, b) => sum + e * data[b] ** 2, 0)];
  return {
    plain: { problem: plain, theta: {}, phi: q, exact: { theta: {}, phi: exactQ } },
    given: {
      problem,
      theta: {},
      phi: { q, baseline: { weights: tf.tensor1d([...psi]) } },
      exact: { theta: {}, phi: { q: exactQ, baseline: { weights: tf.tensor1d(regression) } } },
    },
  };
}

/** log p(x) = −½ log 4π − x²/4, near which the bounds are. */
export const evidence = [-0.5 * Math.log(4 * Math.PI), -0.25] as const;

/** A chain of bits with a baseline for each factor off the truth; the exact gradient of the regression on E[log p_n − log q_n], by enumeration. */
export function factorBaselineCase(sites: number) {
  const { problem, theta, phi, exact } = chainCase(sites, elbo, 1);
  const level = Array.from({ length: sites }, (_, n) => 0.3 - n);
  const [bias, coupling, logits] = [theta.bias, theta.coupling, phi.logits].map((tensor) =>
    Array.from(tensor.dataSync()),
  );
  const p = logits!.map((l) => 1 / (1 + Math.exp(-l)));
  const at = (n: number): number => (n < 0 ? 0 : (p[n] ?? 1)); // E z_n; the last neighbour is held at 1
  const seen = p.map(
    (q, n) =>
      q * (bias![n]! + coupling![n]! * at(n + 1)) +
      (n > 0 ? coupling![n - 1]! * at(n - 1) * q : 0) -
      q * Math.log(q) -
      (1 - q) * Math.log(1 - q),
  );
  const row = (values: readonly number[]): Tensor2D => tf.tensor2d([[...values]]);
  return {
    problem: withLearnedBaseline({ problem, baseline: ({ level }: { level: Tensor2D }) => level }),
    theta,
    phi: { q: phi, baseline: { level: row(level) } },
    exact: {
      theta: exact.theta,
      phi: { q: exact.phi, baseline: { level: row(seen.map((value, n) => value - level[n]!)) } },
    },
  };
}
