import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { type Bijection, checkCount, ending } from "./bijection.js";

/**
 * Vectors of numbers that rise: `y_1 = x_1`, `y_k = y_{k−1} + e^{x_k}`, so `log |det| = Σ_{k ≥ 2} x_k`.
 *
 * Two neighbours that float32 cannot tell apart come out equal.
 *
 * @param size - how many numbers, at least 2.
 * @throws Error if the size is not an integer of at least 2.
 * Source: Stan Development Team, "Stan reference manual", constraint transforms.
 */
export function ordered(size: number): Bijection<Tensor2D> {
  checkCount("ordered: the size", size, 2);
  const part = (z: Tensor, from: number, count: number): Tensor =>
    tf.slice(z, [...z.shape.slice(0, -1).map(() => 0), from], [...z.shape.slice(0, -1), count]);
  return {
    name: "ordered",
    shape: [size],
    unconstrainedShape: [size],
    forward: (x) =>
      tf.tidy(() => {
        ending("ordered: x", x, [size]);
        return tf.cumsum(tf.concat([part(x, 0, 1), exp(part(x, 1, size - 1))], -1), x.rank - 1);
      }),
    inverse: (y) =>
      tf.tidy(() => {
        ending("ordered: y", y, [size]);
        return tf.concat([part(y, 0, 1), tf.log(tf.sub(part(y, 1, size - 1), part(y, 0, size - 1)))], -1);
      }),
    logDeterminant: (x) => tf.tidy(() => tf.sum(part(ending("ordered: x", x, [size]), 1, size - 1), -1)),
  };
}
