import { type Tensor, tf } from "../engine/tf.js";
import { unary } from "./unary.js";

/** Coefficients of log(erfc(z) e^(z²)/t) in t = 1/(1 + z/2), lowest power first. */
const fit = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];

/**
 * `R(x) = Φ(−x)/φ(x)`, elementwise for x ≥ 0: the upper tail of the standard normal over its density, which neither under- nor overflows.
 *
 * `R(0) = √(π/2)`, R(x) ≈ 1/x for large x. Within 1e-6 of the value, relatively. Its derivative is x R(x) − 1.
 *
 * Source: Mills 1926; the fit is that of erfc in Press, Flannery, Teukolsky & Vetterling 1988, "Numerical recipes", section 6.2.
 */
export const millsRatio: (x: Tensor) => Tensor = unary(
  (x) =>
    tf.tidy(() => {
      const t = tf.reciprocal(tf.add(tf.mul(x, Math.SQRT1_2 / 2), 1));
      const polynomial = fit.reduceRight<Tensor>((sum, c) => tf.add(tf.mul(sum, t), c), tf.scalar(0));
      return tf.mul(tf.mul(t, tf.exp(polynomial)), Math.sqrt(Math.PI / 2));
    }),
  (x, y) => tf.tidy(() => tf.sub(tf.mul(x, y), 1)),
);
