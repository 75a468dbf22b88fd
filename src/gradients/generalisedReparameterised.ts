import { logGamma } from "../engine/gamma.js";
import { type Tensor, tf } from "../engine/tf.js";
import { digamma, polygamma } from "../ops/digamma.js";
import { exp } from "../ops/exp.js";
import { lgamma } from "../ops/lgamma.js";
import { stopGradient } from "../ops/stopGradient.js";
import type { DeclaredGradient } from "./declared.js";
import { type GammaPathOptions, gammaPathGradient } from "./gammaPath.js";

/**
 * The generalised reparameterisation gradient of the ELBO (G-REP) for a q that is a product of gamma laws: a draw's logarithm is standardised,
 * ε = (log z − ψ(α) + log β) / √ψ′(α), whose law has mean 0 and variance 1 whatever α, but still hangs on it a little, and
 *
 * ∇_φ L = E [∇_z log p(x, z) ∇_φ z(ε; φ) + log p(x, z) ∇_φ log π(ε; φ)] + ∇_φ H(q).
 *
 * The second term is a score function's, of a law that is the closer to the normal one the larger α. Adding a constant to log p adds to its noise, which a `baseline` takes off. It needs a log p that can be
 * differentiated in z.
 *
 * Unbiased for the ELBO.
 *
 * @throws Error for another bound, if K is too small for the baseline, if the problem has a `klWeight`, or if its q is not known to be a product of gamma laws.
 * Source: Ruiz, Titsias & Blei 2016, "The generalized reparameterization gradient".
 */
export function generalisedReparameterised(options: GammaPathOptions = {}): DeclaredGradient {
  return gammaPathGradient("generalisedReparameterised", options, (alpha, key, samples) => {
    const [centre, spread] = [digamma(alpha), tf.sqrt(polygamma(1, alpha))];
    const noise = stopGradient(() => tf.div(tf.sub(logGamma(key, alpha, [samples]), centre), spread));
    const logDraw = tf.add(tf.mul(noise, spread), centre);
    return { logDraw, logNoise: tf.add(logLogGamma(alpha, logDraw), tf.log(spread)) };
  });
}

/** log-density of the logarithm y of a gamma draw of rate 1: α y − eʸ − log Γ(α). */
function logLogGamma(alpha: Tensor, y: Tensor): Tensor {
  return tf.sub(tf.sub(tf.mul(alpha, y), exp(y)), lgamma(alpha));
}
