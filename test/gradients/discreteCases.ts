import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { leaves, mapParameters, type Parameters } from "../../src/engine/parameters.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { amortisedBernoulli } from "../../src/families/amortisedBernoulli.js";
import { meanFieldCategorical } from "../../src/families/meanFieldCategorical.js";
import { densityProblem, latentVariableProblem, type Problem } from "../../src/models/problem.js";
import { sigmoidBeliefNetwork } from "../../src/models/sigmoidBeliefNetwork.js";
import { differences } from "./support.js";

/** Reads a flat list of numbers from the front. */
export function reader(values: readonly number[]): (n: number) => number[] {
  let at = 0;
  return (n) => {
    at += n;
    return values.slice(at - n, at);
  };
}

/** The tensors of a record as one list of numbers. */
export const numbersOf = (record: Parameters): number[] =>
  leaves(record).flatMap(({ tensor }) => Array.from(tensor.dataSync()));

/** A record like another, of a flat list of numbers. */
export function recordLike<P extends Parameters>(record: P, values: readonly number[]): P {
  const take = reader(values);
  return mapParameters(record, (tensor) => tf.tensor(take(tensor.size), tensor.shape));
}

/** A perceptron in Float64, its parameters taken from a reader, with tanh between the layers. */
export function perceptron(
  take: (n: number) => number[],
  sizes: readonly number[],
): (x: readonly number[]) => number[] {
  const layers = sizes.slice(1).map((out, i) => ({ weights: take(sizes[i]! * out), bias: take(out) }));
  return (x) =>
    layers.reduce<readonly number[]>((h, { weights, bias }, l) => {
      const linear = bias.map(
        (b, o) => b + h.reduce((sum, value, i) => sum + value * weights[i * bias.length + o]!, 0),
      );
      return l === layers.length - 1 ? linear : linear.map(Math.tanh);
    }, x) as number[];
}

/** Σ log Ber(x; l), in Float64. */
export const logBits = (x: readonly number[], logits: readonly number[]): number =>
  x.reduce((sum, bit, i) => sum + bit * logits[i]! - Math.log1p(Math.exp(logits[i]!)), 0);

/** Every row of n bits, the lowest first. */
export const bitRows = (n: number): number[][] =>
  Array.from({ length: 2 ** n }, (_, s) => Array.from({ length: n }, (_, d) => (s >> d) & 1));

/** log p(x, z) of a sigmoid belief network in Float64, its θ from a flat list: prior, then decoders from the data up. */
export function networkOf(
  theta: readonly number[],
  { layers, observed, hidden }: { layers: readonly number[]; observed: number; hidden: readonly number[] },
): (x: readonly number[], z: readonly number[]) => number {
  const take = reader(theta);
  const prior = take(layers[layers.length - 1]!);
  const decoders = layers.map((size, l) => perceptron(take, [size, ...hidden, l === 0 ? observed : layers[l - 1]!]));
  return (x, z) => {
    const part = reader(z);
    const bits = layers.map((size) => part(size));
    return (
      logBits(x, decoders[0]!(bits[0]!)) +
      layers.reduce(
        (sum, _, l) => sum + logBits(bits[l]!, l + 1 < layers.length ? decoders[l + 1]!(bits[l + 1]!) : prior),
        0,
      )
    );
  };
}

/** Three data under a sigmoid belief network with an amortised q away from its optimum, and the exact gradient of the sum of bounds in all parameters, in Float64. */
export function networkCase(
  options: { layers: readonly number[]; hidden: readonly number[] },
  bound: Bound = elbo,
  samples = 1,
) {
  const observed = 4;
  const { layers, hidden } = options;
  const latent = layers.reduce((sum, n) => sum + n, 0);
  const data = [
    [1, 0, 1, 1],
    [0, 0, 1, 0],
    [1, 1, 0, 1],
  ];
  const x = tf.tensor2d(data);
  const model = sigmoidBeliefNetwork({ layers, observed, hidden });
  const family = amortisedBernoulli({ latent, observed, hidden: [] });
  const spread = <P extends Parameters>(record: P, seed: number): P =>
    mapParameters(record, (tensor, path) => normal(randomKey(`${seed} ${path}`), tensor.shape));
  const [theta, phi] = [spread(model.init(randomKey(1)), 1), spread(family.init(randomKey(2)), 2)];
  const [start, split] = [[...numbersOf(theta), ...numbersOf(phi)], numbersOf(theta).length];
  const states = bitRows(latent);
  const law = (all: readonly number[], datum: readonly number[]) => {
    const logJoint = networkOf(all.slice(0, split), { ...options, observed });
    const logits = perceptron(reader(all.slice(split)), [observed, latent])(datum);
    const logQ = states.map((z) => logBits(z, logits));
    return {
      logWeights: Float64Array.from(states, (z, s) => logJoint(datum, z) - logQ[s]!),
      probabilities: Float64Array.from(logQ, Math.exp),
    };
  };
  const values = (all: readonly number[]): number[] =>
    data.map((datum) => exactIwae(law(all, datum), bound === elbo ? 1 : samples));
  const slope = differences((all) => values(all).reduce((sum, value) => sum + value, 0), start);
  return {
    problem: latentVariableProblem({ model, family, x, scale: 1 }),
    theta,
    phi,
    exact: { theta: recordLike(theta, slope.slice(0, split)), phi: recordLike(phi, slope.slice(split)) },
    values: values(start),
  };
}

/**
 * N one-hot variables of C states in a chain: log p(z) = Σ_n a_n·z_n + Σ_n (v·z_n)² u·z_{n+1}, unnormalised, with the exact gradient of the ELBO.
 *
 * The square makes it no multilinear function between the states.
 */
export function categoricalCase(variables: number, states: number) {
  const wave = (n: number, at: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(at + 1.3 * i));
  const [own, left, right] = [wave(variables * states, 1), wave(states, 2), wave(states, 3)];
  const logits = wave(variables * states, 4);
  const blocks = (z: Tensor3D): Tensor => tf.reshape(z, [z.shape[0], z.shape[1], variables, states]);
  const problem: Problem<{ own: Tensor2D }, { logits: Tensor3D }> = {
    ...densityProblem({ logDensity: (z) => tf.sum(z, -1), family: meanFieldCategorical({ variables, states }) }),
    logP: ({ own }, z) =>
      tf.tidy(() => {
        const rows = blocks(z);
        const at = (weights: readonly number[]): Tensor => tf.sum(tf.mul(rows, tf.tensor1d([...weights])), -1);
        const pair = tf.mul(
          tf.square(tf.slice(at(left), [0, 0, 0], [-1, -1, variables - 1])),
          tf.slice(at(right), [0, 0, 1], [-1, -1, variables - 1]),
        );
        return tf.add(tf.sum(tf.mul(rows, own), [2, 3]), tf.sum(pair, -1)) as Tensor2D;
      }),
  };
  const value = (all: readonly number[]): number => {
    const [a, l] = [all.slice(0, variables * states), all.slice(variables * states)];
    let total = 0;
    for (let s = 0; s < states ** variables; s++) {
      const digit = (n: number): number => Math.floor(s / states ** n) % states;
      let [logP, logQ] = [0, 0];
      for (let n = 0; n < variables; n++) {
        const at = n * states + digit(n);
        const row = l.slice(n * states, (n + 1) * states);
        logP += a[at]! + (n + 1 < variables ? left[digit(n)]! ** 2 * right[digit(n + 1)]! : 0);
        logQ += l[at]! - Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0));
      }
      total += Math.exp(logQ) * (logP - logQ);
    }
    return total;
  };
  const start = [...own, ...logits];
  const slope = differences(value, start);
  const [shape, wide]: [[number, number], [number, number, number]] = [
    [variables, states],
    [1, variables, states],
  ];
  return {
    problem,
    theta: { own: tf.tensor2d(own, shape) },
    phi: { logits: tf.tensor3d(logits, wide) },
    exact: {
      theta: { own: tf.tensor2d(slope.slice(0, own.length), shape) },
      phi: { logits: tf.tensor3d(slope.slice(own.length), wide) },
    },
    value: value(start),
  };
}
