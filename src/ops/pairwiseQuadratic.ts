import { type Tensor, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";
import { matMul } from "./matMul.js";

/**
 * `out[s, k] = −½ ‖a_s − b_k‖²` for all pairs of rows by matrix products, to nearly the accuracy of the differences; differentiable any number of
 * times.
 *
 * `−½‖a‖² + a·b − ½‖b‖²` loses in float32 what ‖a‖² and ‖b‖² have on ‖a − b‖². Here every coordinate is split, a = h + l, with h a multiple of
 * one power of two u, so coarse that a sum of D products of h's has fewer than 24 bits: what cancels is computed exactly, in any order of
 * summation, and what is rounded is smaller by R/u ≈ 2000/√D, R the largest coordinate.
 *
 * Gradients: `ā = G b − a ∘ G 1` and `b̄ = Gᵀ a − b ∘ Gᵀ 1`.
 *
 * @param a `[..., S, D]`.
 * @param b `[..., K, D]`, with the leading dimensions of a.
 * @returns `[..., S, K]`.
 * Source of the splitting: Dekker 1971, "A floating-point technique for extending the available precision", applied to all rows at once.
 */
export function pairwiseQuadratic(a: Tensor, b: Tensor): Tensor {
  return differentiable(
    [a, b],
    (save) => {
      save([a, b]);
      return forward(a, b);
    },
    (dy, saved) => {
      const [a, b] = saved as [Tensor, Tensor];
      const perPoint = (): Tensor => tf.sum(dy, -1, true);
      const perComponent = (): Tensor => tf.expandDims(tf.sum(dy, -2), -1);
      return [
        () => tf.sub(matMul(dy, b), tf.mul(a, perPoint())),
        () => tf.sub(matMul(dy, a, { transposeA: true }), tf.mul(b, perComponent())),
      ];
    },
  );
}

function forward(a: Tensor, b: Tensor): Tensor {
  const largest = tf.maximum(tf.max(tf.abs(a)), tf.max(tf.abs(b)));
  // Adding C rounds to ulp(C) = u between C 2⁻²⁴ and C 2⁻²³. |h|/u ≤ 2¹¹/√D, so sums of D products stay within 2²² u².
  const rounder = tf.mul(largest, 2 ** 13 * Math.sqrt(a.shape[a.rank - 1]!));
  const [left, right] = [a, b].map((x) => {
    const high = tf.sub(tf.add(x, rounder), rounder);
    const low = tf.sub(x, high);
    const rowSum = (y: Tensor): Tensor => tf.mul(tf.sum(y, -1, true), -0.5);
    return {
      high,
      low,
      whole: x,
      exact: rowSum(tf.square(high)), // −½ ‖h‖²
      rest: rowSum(tf.mul(low, tf.add(x, high))), // −½ (‖x‖² − ‖h‖²)
      one: tf.ones([...x.shape.slice(0, -1), 1]),
    };
  }) as [Split, Split];
  // The sums over rows ride along as two more columns: no pass over the pairs but the products and one addition.
  const exact = product([left.high, left.exact, left.one], [right.high, right.one, right.exact]);
  const rest = product([left.high, left.low, left.rest, left.one], [right.low, right.whole, right.one, right.rest]);
  return tf.add(exact, rest);
}

type Split = Readonly<Record<"high" | "low" | "whole" | "exact" | "rest" | "one", Tensor>>;

function product(left: Tensor[], right: Tensor[]): Tensor {
  return matMul(tf.concat(left, -1), tf.concat(right, -1), { transposeB: true });
}
