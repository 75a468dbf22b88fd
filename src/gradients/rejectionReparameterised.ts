import { gamma } from "../engine/gamma.js";
import { exponential, split } from "../engine/random.js";
import { type Tensor, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { lgamma } from "../ops/lgamma.js";
import { stopGradient } from "../ops/stopGradient.js";
import type { DeclaredGradient } from "./declared.js";
import { type GammaPathOptions, gammaPathGradient } from "./gammaPath.js";

/** Options of {@link rejectionReparameterised}. */
export interface RejectionOptions extends GammaPathOptions {
  /**
   * B, a whole number of steps by which the shape is raised: a draw of Γ(α) is one of Γ(α + B) times Π_i u_i^(1/(α + i − 1)). The larger, the less is left to correct. With 0 every
   * shape must be above ⅓. Default 1.
   */
  readonly augment?: number;
}

/**
 * The rejection-sampling reparameterisation gradient of the ELBO (RSVI) for a q that is a product of gamma laws: the path goes through Marsaglia and Tsang's
 * h(ε; a) = (a − ⅓)(1 + ε/√(9a − 3))³, a = α + B, and the law of the ε that were accepted, which is not normal, is corrected for:
 *
 * ∇_φ L = E [∇_z log p(x, z) ∇_φ z + log p(x, z) ∇_φ log π(ε; a)] + ∇_φ H(q),  π(ε; a) = Γ(h(ε; a); a, 1) ∂h/∂ε.
 *
 * ε is found from an exact draw by h's inverse, since h maps the accepted ε onto the gamma law whatever the proposals. It needs a log p that can be differentiated in z.
 *
 * Unbiased for the ELBO.
 *
 * @throws Error if `augment` is not a whole number ≥ 0; as `generalisedReparameterised` otherwise.
 * Source: Naesseth, Ruiz, Linderman & Blei 2017, "Reparameterization gradients through acceptance-rejection sampling algorithms".
 */
export function rejectionReparameterised(options: RejectionOptions = {}): DeclaredGradient {
  const { augment = 1, baseline } = options;
  if (!Number.isInteger(augment) || augment < 0)
    throw new Error(`rejectionReparameterised: augment must be a whole number of steps ≥ 0, not ${augment}.`);
  return gammaPathGradient("rejectionReparameterised", { baseline }, (alpha, key, samples) => {
    const [draw, shrink] = split(key);
    const raised = tf.add(alpha, augment);
    const d = tf.sub(raised, 1 / 3);
    const root = tf.mul(3, tf.sqrt(d));
    const noise = stopGradient(() => tf.mul(root, tf.sub(tf.pow(tf.div(gamma(draw, raised, [samples]), d), 1 / 3), 1)));
    const logBase = tf.log1p(tf.div(noise, root)); // of (h/d)^⅓
    const logRaised = tf.add(tf.log(d), tf.mul(3, logBase));
    const logDensity = tf.sub(tf.sub(tf.mul(tf.sub(raised, 1), logRaised), exp(logRaised)), lgamma(raised));
    const logSlope = tf.add(tf.mul(0.5, tf.log(d)), tf.mul(2, logBase));
    const steps = split(shrink, Math.max(1, augment)).slice(0, augment);
    const logDraw = steps.reduce<Tensor>(
      (sum, key, i) => tf.sub(sum, tf.div(exponential(key, [samples, ...alpha.shape]), tf.add(alpha, i))),
      logRaised,
    );
    return { logDraw, logNoise: tf.add(logDensity, logSlope) };
  });
}
