import type { Parameters } from "../engine/parameters.js";
import { type Tensor3D, tf } from "../engine/tf.js";
import type { ReverseConditional } from "./reverseConditional.js";

/**
 * τ(ψ | r, x) of the residual r = (z − m(x)) / s(x) in place of z, with m and s the mean and scale of q(z | ψ̄, x) at the mixing law's mean ψ̄.
 *
 * Given x, what z tells of ψ is how far it lies from where it would lie anyway, in units of its own spread. A network of (z, x) has to find m(x) and
 * subtract it to within s(x) before it learns anything; here q does that. Any τ makes a valid bound, so this one does: it depends on q's
 * parameters, through which gradients flow.
 *
 * @param reverse what takes r in z's place, of the same width.
 * @throws Error (when evaluated) if q(ψ | x) or q(z | ψ, x) does not know its mean or its variance.
 */
export function residualReverse<Eta extends Parameters>(reverse: ReverseConditional<Eta>): ReverseConditional<Eta> {
  return {
    reparameterised: reverse.reparameterised,
    init: (key) => reverse.init(key),
    given: (eta, { hierarchy, z, x }) => {
      const { mixing } = hierarchy;
      if (!mixing.mean) {
        throw new Error("residualReverse: this q(ψ | x) has no mean() to take the residual at; give τ z itself.");
      }
      const conditional = hierarchy.conditional(tf.expandDims(mixing.mean(), 0)); // batch [1, B]
      const residual = tf.div(tf.sub(z, conditional.mean()), tf.sqrt(conditional.variance())) as Tensor3D;
      return reverse.given(eta, { hierarchy, z: residual, x });
    },
  };
}
