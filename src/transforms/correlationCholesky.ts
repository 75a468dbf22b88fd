import { type Tensor, type Tensor3D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { softplus } from "../ops/softplus.js";
import { tanh } from "../ops/tanh.js";
import { type Bijection, checkCount, ending } from "./bijection.js";
import { exclusiveSum } from "./cumulativeSum.js";
import { inversePlaces, lowerPlaces } from "./entries.js";
import { fromMatrix, inMatrix } from "./lowerCholesky.js";

/**
 * Cholesky factors of correlation matrices: lower-triangular L with a positive diagonal and rows of length 1. x holds, row by row, the canonical partial correlations through
 * `w_ij = tanh x_ij`; then `L_ij = w_ij ∏_{k<j} √(1 − w_ik²)` with w_ii = 1.
 *
 * `log |det| = Σ_{i>j} [log(1 − w_ij²) + ½ Σ_{k<j} log(1 − w_ik²)]`, in the entries of L below its diagonal.
 *
 * @param size - D ≥ 2; x has D (D − 1)/2 entries.
 * @throws Error if D is not an integer of at least 2.
 * Source: Lewandowski, Kurowicka & Joe 2009, "Generating random correlation matrices based on vines and extended onion method"; Stan Development Team, "Stan reference
 * manual", constraint transforms.
 */
export function correlationCholesky(size: number): Bijection<Tensor3D> {
  checkCount("correlationCholesky: the size", size, 2);
  const count = (size * (size - 1)) / 2;
  const places = lowerPlaces(size, { diagonal: false });
  /** log(1 − w²) = log sech² x below the diagonal, 0 elsewhere, and its sum to the left of every entry. */
  const logs = (x: Tensor): { own: Tensor; left: Tensor } => {
    const double = tf.mul(x, 2);
    const shrink = tf.sub(2 * Math.LN2, tf.add(softplus(double), softplus(tf.neg(double))));
    const own = inMatrix(shrink, places, size);
    return { own, left: exclusiveSum(own) };
  };
  return {
    name: "correlationCholesky",
    shape: [size, size],
    unconstrainedShape: [count],
    forward: (x) =>
      tf.tidy(() => {
        ending("correlationCholesky: x", x, [count]);
        const partial = tf.add(inMatrix(tanh(x), places, size), tf.eye(size));
        return tf.mul(partial, exp(tf.mul(logs(x).left, 0.5)));
      }),
    inverse: (y) =>
      tf.tidy(() => {
        const lower = ending("correlationCholesky: y", y, [size, size]);
        // w/√(1 − w²) = L_ij / √(Σ_{k>j} L_ik²) = sinh x; on and above the diagonal, where the sum is empty, any positive number does.
        const rest = exclusiveSum(tf.square(lower), { reverse: true });
        const ratio = fromMatrix(lower, inversePlaces(places, count));
        return tf.asinh(tf.div(ratio, tf.sqrt(fromMatrix(rest, inversePlaces(places, count)))));
      }),
    logDeterminant: (x) =>
      tf.tidy(() => {
        const { own, left } = logs(ending("correlationCholesky: x", x, [count]));
        const strictlyLower = inMatrix(tf.onesLike(x), places, size);
        return tf.sum(tf.add(own, tf.mul(tf.mul(left, strictlyLower), 0.5)), [-2, -1]);
      }),
  };
}
