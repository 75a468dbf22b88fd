import { type Key, uniform } from "../engine/random.js";
import { type Tensor, type Tensor3D, tf } from "../engine/tf.js";
import { stopGradient } from "../ops/stopGradient.js";
import { sobolPoints } from "./sobol.js";

/**
 * Sobol's points moved as a whole, for each of B data by a shift of its own that is uniform on [0, 1)^D: u_kb = (x_k + s_b) mod 1, `[K, B, D]`, within (0, 1).
 *
 * Each point by itself is uniform, so that a mean over them is unbiased, and its variance is found by drawing shifts anew. In each coordinate K = 2^m points
 * still lie in K intervals of width 1/K.
 *
 * @throws Error as `sobolPoints`.
 * Source: Cranley & Patterson 1976, "Randomization of number theoretic methods for multiple integration".
 */
export function shiftedSobol(key: Key, [samples, batch, dimension]: readonly [number, number, number]): Tensor3D {
  const table = sobolPoints(samples, dimension);
  return stopGradient(() => {
    const points = tf.tensor3d(Float32Array.from(table), [samples, 1, dimension]);
    const moved = tf.add(points, uniform(key, [batch, dimension])); // multiples of 2⁻²³ below 2: exact in float32
    const wrapped = tf.sub(moved, tf.cast(tf.greaterEqual(moved, 1), "float32"));
    return tf.add(wrapped, 2 ** -24) as Tensor3D; // the middle of its cell, never 0 or 1
  });
}

/** Wichura's two rational functions in single precision, constant term first; his third begins at a probability of 1e-11, which no float32 draw here reaches. */
const centre = {
  numerator: [3.3871327179, 50.434271938, 159.29113202, 59.10937472],
  denominator: [1, 17.895169469, 78.757757664, 67.1875636],
};
const shoulder = {
  numerator: [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103],
  denominator: [1, 0.737001642, 0.12021132975],
};

/**
 * The standard normal quantile of a tensor of probabilities in [2⁻²⁴, 1 − 2⁻²⁴], to float32; a constant to what differentiates.
 *
 * Source: Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution" (PPND7).
 */
export function normalQuantiles(probabilities: Tensor): Tensor {
  return stopGradient(() => {
    const fromHalf = tf.sub(probabilities, 0.5);
    const near = tf.lessEqual(tf.abs(fromHalf), 0.425);
    const inner = tf.mul(fromHalf, ratio(centre, tf.sub(0.180625, tf.square(fromHalf))));
    const depth = tf.sqrt(tf.neg(tf.log(tf.minimum(probabilities, tf.sub(1, probabilities)))));
    const outer = tf.mul(tf.sign(fromHalf), ratio(shoulder, tf.sub(depth, 1.6)));
    return tf.where(near, inner, outer);
  });
}

/** Randomised quasi-Monte-Carlo draws from N(0, I), `[K, B, D]`: the normal quantiles of {@link shiftedSobol}. */
export function quasiNormal(key: Key, shape: readonly [number, number, number]): Tensor3D {
  return tf.tidy(() => normalQuantiles(shiftedSobol(key, shape)) as Tensor3D);
}

function ratio({ numerator, denominator }: typeof centre, x: Tensor): Tensor {
  return tf.div(horner(numerator, x), horner(denominator, x));
}

function horner(coefficients: readonly number[], x: Tensor): Tensor {
  return coefficients.reduceRight<Tensor>(
    (value, coefficient) => tf.add(tf.mul(value, x), coefficient),
    tf.zerosLike(x),
  );
}
