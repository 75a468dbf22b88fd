import { expect } from "vitest";
import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { compile } from "../../src/engine/compile.js";
import { leaves, type Parameters } from "../../src/engine/parameters.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { checkGradient, type GradientCheck } from "../../src/gradients/check.js";
import { estimateGradient, type Gradient } from "../../src/gradients/gradient.js";
import { bernoulliChain, chainWeightDistribution, exactChainElbo } from "../../src/models/bernoulliChain.js";
import { densityProblem, type Problem } from "../../src/models/problem.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { expectClose, read } from "../engine/support.js";

/** A problem at a point with the exact gradient of some bound there. */
export interface Case<Theta extends Parameters, Phi extends Parameters, Z = Tensor3D> {
  readonly problem: Problem<Theta, Phi, Z>;
  readonly theta: Theta;
  readonly phi: Phi;
  readonly exact: { readonly theta: Theta; readonly phi: Phi };
}

/** Checks a gradient, compiled, against the exact one of a case. */
export async function checked<Theta extends Parameters, Phi extends Parameters, Z>(
  gradient: Gradient,
  { problem, theta, phi, exact }: Case<Theta, Phi, Z>,
  options: { bound: Bound; samples: number; seed: number; replicates?: number },
): Promise<GradientCheck> {
  const { bound, samples, seed, replicates = 250 } = options;
  const step = compile(
    (inputs: { key: Key }) => estimateGradient(gradient, { problem, bound, theta, phi, samples, ...inputs }).gradient,
  );
  try {
    const estimator = (key: Key) => step({ key }) as { theta: Theta; phi: Phi };
    return await checkGradient(estimator, exact, { replicates, key: randomKey(seed) });
  } finally {
    step.dispose();
  }
}

/** The check must pass. */
export function expectUnbiased(report: GradientCheck): GradientCheck {
  expect(report.verdict, String(report)).toBe("consistent");
  return report;
}

/** ∂f/∂x_i by central differences in Float64. */
export function differences(f: (x: readonly number[]) => number, x: readonly number[]): number[] {
  const h = 1e-4;
  return x.map((_, i) => {
    const at = (step: number): number => f(x.map((value, j) => (i === j ? value + step : value)));
    return (at(h) - at(-h)) / (2 * h);
  });
}

const row = (values: readonly number[]): Tensor2D => tf.tensor2d([[...values]]);
const list = (values: readonly number[]): Tensor1D => tf.tensor1d([...values]);

/** The chain of N bits away from its optimum, with the exact gradient of the ELBO, or of IWAE with K samples, by enumeration. */
export function chainCase(sites: number, bound: Bound, samples: number) {
  const bias = Array.from({ length: sites }, (_, n) => 0.4 - 0.5 * Math.cos(2 * n));
  const coupling = Array.from({ length: sites }, (_, n) => 0.9 * Math.sin(1 + n));
  const logits = Array.from({ length: sites }, (_, n) => -0.6 + 0.7 * Math.sin(3 * n));
  const parts = (all: readonly number[]) => ({
    bias: all.slice(0, sites),
    coupling: all.slice(sites, 2 * sites),
    logits: all.slice(2 * sites),
  });
  const value = (all: readonly number[]): number =>
    bound === elbo ? exactChainElbo(parts(all)) : exactIwae(chainWeightDistribution(parts(all)), samples);
  const slope = parts(differences(value, [...bias, ...coupling, ...logits]));
  return {
    problem: bernoulliChain({ sites }),
    theta: { bias: list(bias), coupling: list(coupling) },
    phi: { logits: row(logits) },
    exact: {
      theta: { bias: list(slope.bias), coupling: list(slope.coupling) },
      phi: { logits: row(slope.logits) },
    },
  };
}

/** A Gaussian target in D dimensions, correlated between neighbours, with a mean-field q off its optimum and the exact gradient of the ELBO. */
export function gaussianCase(dimension: number) {
  const centre = Array.from({ length: dimension }, (_, d) => 0.5 * Math.cos(d));
  const coupling = 0.3;
  const mean = Array.from({ length: dimension }, (_, d) => 0.4 * Math.sin(1 + d));
  const logScale = Array.from({ length: dimension }, (_, d) => -0.2 + 0.15 * d);
  const scale = logScale.map(Math.exp);
  const problem: Problem<{ shift: Tensor1D }, { mean: Tensor2D; logScale: Tensor2D }> = {
    ...densityProblem({
      logDensity: (z) => tf.sum(z, -1),
      family: meanFieldGaussian({ dimension }),
    }),
    // −½ |z − c − θ|² + r Σ z_d z_{d+1}
    logP: ({ shift }, z) =>
      tf.tidy(() => {
        const own = tf.mul(-0.5, tf.sum(tf.square(tf.sub(tf.sub(z, list(centre)), shift)), -1));
        if (dimension === 1) return own as Tensor2D;
        const pairs = tf.mul(tf.slice(z, [0, 0, 0], [-1, -1, dimension - 1]), tf.slice(z, [0, 0, 1]));
        return tf.add(own, tf.mul(coupling, tf.sum(pairs, -1))) as Tensor2D;
      }),
  };
  const residual = mean.map((m, d) => m - centre[d]);
  return {
    problem,
    theta: { shift: tf.zeros([dimension]) as Tensor1D },
    phi: { mean: row(mean), logScale: row(logScale) },
    exact: {
      theta: { shift: list(residual) },
      phi: {
        mean: row(mean.map((_, d) => -residual[d] + coupling * ((mean[d - 1] ?? 0) + (mean[d + 1] ?? 0)))),
        logScale: row(scale.map((s) => 1 - s * s)),
      },
    },
  };
}

/** A Gaussian target and its posterior as q: every path and every centred signal vanishes. */
export function posteriorGaussian(dimension: number) {
  const [m, s] = [
    Array.from({ length: dimension }, (_, d) => d - 1),
    Array.from({ length: dimension }, (_, d) => 0.5 + d / 2),
  ];
  const zeros = tf.zeros([1, dimension]) as Tensor2D;
  return {
    problem: densityProblem({
      logDensity: (z) => normalLogDensity(z, list(m), list(s), 1),
      family: meanFieldGaussian({ dimension }),
    }),
    theta: {},
    phi: { mean: row(m), logScale: row(s.map(Math.log)) },
    exact: { theta: {}, phi: { mean: zeros, logScale: zeros } },
  };
}

/** The variance of one estimate of φ's gradient, summed over its components. */
export function phiVariance({ components }: GradientCheck): number {
  return components.reduce((sum, { name, variance }) => (name.startsWith("phi") ? sum + variance : sum), 0);
}

/** The gradient compiled must be the gradient eager, and neither may leave a tensor behind. */
export function expectCompiled<Theta extends Parameters, Phi extends Parameters, Z>(
  gradient: Gradient,
  { problem, theta, phi }: Case<Theta, Phi, Z>,
  options: { bound: Bound; samples: number },
): void {
  const run = (inputs: { key: Key }) => estimateGradient(gradient, { problem, theta, phi, ...options, ...inputs });
  const step = compile(run);
  const values = (estimate: ReturnType<typeof run>) =>
    [estimate.value, ...leaves(estimate.gradient).map(({ tensor }) => tensor)].flatMap(read);
  const before = tf.memory().numTensors;
  const eager = values(run({ key: randomKey(7) }));
  expect(tf.memory().numTensors).toBe(before);
  values(step({ key: randomKey(6) }));
  const compiled = values(step({ key: randomKey(7) }));
  step.dispose();
  expect(tf.memory().numTensors).toBe(before);
  expectClose(compiled, eager, 1e-5);
}

/**
 * The target exp(−½ |z|²) in D dimensions and q = N(m 1, s² I), with the exact gradient of IWAE.
 *
 * With z = m 1 + s ε the weight depends on ε along 1, a normal number, and across it, whose length ρ is χ with D − 1 degrees: two-dimensional quadrature for any D.
 * By symmetry each coordinate has 1/D of the gradient in the common m and log s.
 */
export function iwaeGaussianCase(dimension: number, samples: number) {
  const [mean, logScale] = [0.4, 0.25];
  const along = trapezoid(-8, 8, 65);
  const across = dimension === 1 ? undefined : trapezoid(-12, 2.3, 120); // log ρ, in which the density is smooth
  const value = ([m, logS]: readonly number[]): number => {
    const [logWeights, probabilities]: [number[], number[]] = [[], []];
    const add = (e: number, rho: number, logVolume: number): void => {
      const y = Math.sqrt(dimension) * m + Math.exp(logS) * e;
      const constant = dimension * (logS + Math.log(2 * Math.PI) / 2);
      logWeights.push(constant - (y * y + (Math.exp(logS) * rho) ** 2) / 2 + (e * e + rho * rho) / 2);
      probabilities.push(Math.exp(logVolume - (e * e + rho * rho) / 2));
    };
    along.points.forEach((e, i) => {
      if (!across) add(e, 0, along.logWeights[i]);
      else
        across.points.forEach((t, j) => {
          add(e, Math.exp(t), along.logWeights[i] + across.logWeights[j] + (dimension - 1) * t);
        });
    });
    const total = probabilities.reduce((sum, p) => sum + p, 0);
    const law = {
      logWeights: Float64Array.from(logWeights),
      probabilities: Float64Array.from(probabilities, (p) => p / total),
    };
    return exactIwae(law, samples);
  };
  const [slopeMean, slopeScale] = differences(value, [mean, logScale]).map((slope) => slope / dimension);
  const [phi, exact] = [
    [mean, logScale],
    [slopeMean, slopeScale],
  ].map(([m, s]) => ({ mean: row(Array(dimension).fill(m)), logScale: row(Array(dimension).fill(s)) }));
  const family = meanFieldGaussian({ dimension });
  return {
    problem: densityProblem({ logDensity: (z) => tf.mul(-0.5, tf.sum(tf.square(z), -1)), family }),
    theta: {},
    phi,
    exact: { theta: {}, phi: exact },
  };
}
