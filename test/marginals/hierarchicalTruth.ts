import { gaussHermite, productRule, type Quadrature } from "../../src/diagnostics/quadrature.js";
import { leaves, type Parameters, withTensors } from "../../src/engine/parameters.js";
import { tf } from "../../src/engine/tf.js";
import { differences } from "../gradients/support.js";

/** log N(x; mean, scale²). */
export const logNormal = (x: number, mean: number, scale: number): number =>
  -(((x - mean) / scale) ** 2) / 2 - Math.log(scale) - Math.log(2 * Math.PI) / 2;

/** The product rule of n Gauss–Hermite nodes in each of some dimensions, as nodes with probabilities. */
export function normalNodes(n: number, dimension: number): { at: number[]; p: number }[] {
  const rule: Quadrature = productRule(...Array.from({ length: dimension }, () => gaussHermite(n)));
  return Array.from(rule.logWeights, (logW, i) => ({
    at: Array.from(rule.points.subarray(i * dimension, (i + 1) * dimension)),
    p: Math.exp(logW),
  }));
}

/** The gradient of a function of a record's numbers, in the order of its leaves, by central differences: a record of the same structure. */
export function slopesAt<P extends Parameters>(record: P, value: (numbers: readonly number[]) => number): P {
  const tensors = leaves(record).map(({ tensor }) => tensor);
  const numbers = tensors.flatMap((tensor) => Array.from(tensor.dataSync()));
  const slopes = differences(value, numbers);
  let next = 0;
  return withTensors(
    record,
    tensors.map((tensor) => {
      const own = slopes.slice(next, next + tensor.size);
      next += tensor.size;
      return tf.tensor(own, tensor.shape);
    }),
  );
}

/** A mixture of diagonal Gaussians as numbers: a component is its weight, its means and its scales. */
export type NumericMixture = readonly { weight: number; mean: readonly number[]; scale: readonly number[] }[];

export function mixtureOf(logits: readonly number[], means: readonly number[], logScales: readonly number[]) {
  const total = logits.reduce((sum, l) => sum + Math.exp(l), 0);
  const size = means.length / logits.length;
  return logits.map((l, c) => ({
    weight: Math.exp(l) / total,
    mean: means.slice(c * size, (c + 1) * size),
    scale: logScales.slice(c * size, (c + 1) * size).map(Math.exp),
  }));
}

/** log q(λ). */
export function logMixture(mixture: NumericMixture, lambda: readonly number[]): number {
  const density = mixture.reduce(
    (sum, { weight, mean, scale }) =>
      sum + weight * Math.exp(lambda.reduce((log, l, d) => log + logNormal(l, mean[d]!, scale[d]!), 0)),
    0,
  );
  return Math.log(density);
}

/** E f(λ) under the mixture, from nodes of the standard normal. */
export function expectMixture(
  mixture: NumericMixture,
  nodes: ReturnType<typeof normalNodes>,
  f: (lambda: readonly number[]) => number,
): number {
  return mixture.reduce((sum, { weight, mean, scale }) => {
    const inner = nodes.reduce((total, { at, p }) => total + p * f(at.map((e, d) => mean[d]! + scale[d]! * e)), 0);
    return sum + weight * inner;
  }, 0);
}
