import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { lgamma } from "./lgamma.js";
import { stopGradient } from "./stopGradient.js";
import { where } from "./where.js";

/**
 * `log B(a, b) = log Γ(a) + log Γ(b) − log Γ(a + b)`, elementwise for a, b > 0; differentiable any number of times.
 *
 * Taken apart by Stirling's formula, `log Γ(x) = (x − ½) log x − x + ½ log 2π + r(x)`, so that what is large cancels on paper:
 * `−a log(1 + b/a) − b log(1 + a/b) − ½ log(ab/(a + b)) + ½ log 2π + r(a) + r(b) − r(a + b)`.
 * The difference of log Γ's in float32 is off by 1 where a is 1e6. This is within 2e-6 of the value (of 1, where it is smaller) for a and b from 1e-6
 * to 1e6, and its first and second derivatives within 5e-6 of theirs; of those that hardly move it, a ∂/∂a and a ∂²/∂a² and so on, within 5e-7.
 *
 * @param a positive; it and `b` broadcast against each other.
 * @throws Error if they do not broadcast.
 */
export function logBeta(a: Tensor, b: Tensor): Tensor {
  broadcastOf("logBeta", { a, b });
  return tf.tidy(() => {
    const total = tf.add(a, b);
    const left = tf.mul(a, tf.log1p(tf.div(b, a)));
    const right = tf.mul(b, tf.log1p(tf.div(a, b)));
    const half = tf.mul(tf.log(tf.mul(a, tf.div(b, total))), 0.5);
    const remainders = tf.sub(tf.add(stirlingRemainder(a), stirlingRemainder(b)), stirlingRemainder(total));
    return tf.sub(tf.add(remainders, 0.5 * Math.log(2 * Math.PI)), tf.add(tf.add(left, right), half));
  });
}

/**
 * `log B(α) = Σ_k log Γ(α_k) − log Γ(Σ_k α_k)` over the last axis, the log-normaliser of a Dirichlet density; differentiable any number of times.
 *
 * Built up as `Σ_k log B(α_1 + … + α_{k−1}, α_k)`, which is as accurate as {@link logBeta}.
 *
 * @param concentration α > 0, `[..., K]`.
 * @returns `[...]`.
 */
export function logMultivariateBeta(concentration: Tensor): Tensor {
  const lead = concentration.shape.slice(0, -1);
  const others = (concentration.shape[concentration.rank - 1] ?? 0) - 1;
  if (others < 0) throw new Error("logMultivariateBeta: concentration needs the shape [..., K] with K ≥ 1.");
  if (others === 0) return tf.zeros(lead);
  return tf.tidy(() => {
    const zeros = lead.map(() => 0);
    const part = (x: Tensor, from: number): Tensor => tf.slice(x, [...zeros, from], [...lead, others]);
    const sums = tf.cumsum(concentration, concentration.rank - 1);
    return tf.sum(logBeta(part(sums, 0), part(concentration, 1)), -1);
  });
}

/** The asymptotic series is exact to float32 from here on. */
const seriesFrom = 8;

/**
 * Binet's r(x) = log Γ(x) − (x − ½) log x + x − ½ log 2π, elementwise for x > 0: 1/(12x) for large x.
 *
 * @internal
 */
export function stirlingRemainder(x: Tensor): Tensor {
  const small = stopGradient(() => tf.less(x, seriesFrom));
  const [one, from] = [tf.scalar(1), tf.scalar(seriesFrom)];
  const low = where(small, x, one);
  const main = tf.sub(tf.mul(tf.sub(low, 0.5), tf.log(low)), low);
  const difference = tf.sub(tf.sub(lgamma(low), main), 0.5 * Math.log(2 * Math.PI));
  const inverse = tf.reciprocal(where(small, from, x));
  const square = tf.square(inverse);
  const series = tf.add(tf.mul(tf.add(tf.mul(square, 1 / 1260), -1 / 360), square), 1 / 12);
  return where(small, difference, tf.mul(series, inverse));
}
