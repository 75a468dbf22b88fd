import { type Key, normal } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../../src/engine/tf.js";

/** log N(q; 0, Σ) up to a constant, from Σ⁻¹. */
export function gaussian(precision: readonly (readonly number[])[]): (q: Tensor) => Tensor {
  return (q) => {
    const matrix = tf.tensor2d(precision.map((row) => [...row]));
    const rows = tf.reshape(q, [-1, precision.length]) as Tensor2D;
    return tf.reshape(tf.mul(tf.sum(tf.mul(rows, tf.matMul(rows, matrix)), -1), -0.5), q.shape.slice(0, -1));
  };
}

/** A column of `[..., D]`. */
export function column(q: Tensor, d: number): Tensor {
  return tf.squeeze(tf.slice(q, [...q.shape.slice(0, -1).map(() => 0), d], [...q.shape.slice(0, -1), 1]), [-1]);
}

/**
 * The banana of Titsias & Ruiz: (z₁, z₂ + z₁² + 1) ~ N(0, [[1, .9], [.9, 1]]). Means 0 and −2, variances 1 and 1 + Var z₁² = 3, covariance .9.
 */
export function banana(z: Tensor): Tensor {
  const first = column(z, 0);
  const second = tf.add(tf.add(column(z, 1), tf.square(first)), 1);
  return gaussian([
    [1 / 0.19, -0.9 / 0.19],
    [-0.9 / 0.19, 1 / 0.19],
  ])(tf.stack([first, second], -1));
}

/** Exact draws from it, `[n, 2]`. */
export function bananaDraws(key: Key, n: number): Tensor2D {
  return tf.tidy(() => {
    const noise = normal(key, [n, 2]);
    const first = column(noise, 0);
    const sheared = tf.add(tf.mul(first, 0.9), tf.mul(column(noise, 1), Math.sqrt(0.19)));
    return tf.stack([first, tf.sub(tf.sub(sheared, tf.square(first)), 1)], -1) as Tensor2D;
  });
}

/** The double well −(q² − 1)², D = 1. */
export function doubleWell(q: Tensor): Tensor {
  return tf.neg(tf.sum(tf.square(tf.sub(tf.square(q), 1)), -1));
}

/** −½ |q|². */
export function standardNormal(q: Tensor): Tensor {
  return tf.mul(tf.sum(tf.square(q), -1), -0.5);
}

/** −¼ Σ q⁴. */
export function quartic(q: Tensor): Tensor {
  return tf.mul(tf.sum(tf.square(tf.square(q)), -1), -0.25);
}
