import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { logSigmoid } from "../ops/logSigmoid.js";
import { type Bijection, checkCount, ending } from "./bijection.js";
import { exclusiveSum } from "./cumulativeSum.js";

/**
 * Vectors of K positive numbers with sum 1, by breaking a stick: y_k is the share `1/(1 + e^−u_k)` of what is left, `u_k = x_k − log(K − k)` for k = 1, …, K − 1, and
 * y_K the rest. At x = 0 all shares of the stick are equal.
 *
 * `log |det| = Σ_k [log y_k + log(1 − share_k)]`, in the first K − 1 entries.
 *
 * @param size - K ≥ 2; x has K − 1 entries.
 * @throws Error if K is not an integer of at least 2.
 * Source: Stan Development Team, "Stan reference manual", constraint transforms.
 */
export function simplex(size: number): Bijection<Tensor2D> {
  checkCount("simplex: the size", size, 2);
  const free = size - 1;
  const offsets = (): Tensor => tf.tensor1d(Float32Array.from({ length: free }, (_, k) => Math.log(free - k)));
  /** log share, log(1 − share) and what is left of the stick before each share (all in logs). */
  const logs = (x: Tensor): { share: Tensor; kept: Tensor; left: Tensor } => {
    const u = tf.sub(ending("simplex: x", x, [free]), offsets());
    const kept = logSigmoid(tf.neg(u));
    return { share: logSigmoid(u), kept, left: exclusiveSum(kept) };
  };
  return {
    name: "simplex",
    shape: [size],
    unconstrainedShape: [free],
    forward: (x) =>
      tf.tidy(() => {
        const { share, kept, left } = logs(x);
        return exp(tf.concat([tf.add(share, left), tf.sum(kept, -1, true)], -1));
      }),
    inverse: (y) =>
      tf.tidy(() => {
        const shares = ending("simplex: y", y, [size]);
        const below = exclusiveSum(shares, { reverse: true });
        const first = (z: Tensor): Tensor =>
          tf.slice(
            z,
            z.shape.map(() => 0),
            [...z.shape.slice(0, -1), free],
          );
        return tf.add(tf.sub(tf.log(first(shares)), tf.log(first(below))), offsets());
      }),
    logDeterminant: (x) =>
      tf.tidy(() => {
        const { share, kept, left } = logs(x);
        return tf.sum(tf.add(tf.add(share, left), kept), -1);
      }),
  };
}
