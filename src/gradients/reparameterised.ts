import { type Scalar, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { drawLogWeights } from "../models/problem.js";
import { checkPath } from "./checkPath.js";
import { type DeclaredGradient, declareGradient, drawByDraw, unbiased } from "./declared.js";

/**
 * The pathwise gradient of any bound: with z = g(ε; φ), ∇ L(log w(g(ε; φ); θ, φ)) = Σ_k c_k ∇ log w_k.
 *
 * Unbiased for every bound. It needs a q whose draws are differentiable in φ (a Gaussian's are, a mixture's are not). Its signal-to-noise ratio for φ falls with K under IWAE.
 *
 * @throws Error if no gradient flows through q's draws into φ, or if the problem does not say that one does, where the result would be silently wrong.
 * Source: Kingma & Welling 2014, section 2.4; Burda, Grosse & Salakhutdinov 2016, eqs. 13 and 14.
 */
export const reparameterised: DeclaredGradient = drawByDraw(
  declareGradient(
    "reparameterised",
    () => unbiased,
    ({ problem, bound, ...point }) =>
      tidied(() => {
        const { logW, reparameterised } = drawLogWeights(problem, point);
        const remedy = "use a q whose draws are a function of parameters and noise, such as a Gaussian";
        checkPath("reparameterised", { problem, phi: point.phi, reparameterised, remedy });
        const value = bound.value(logW);
        return { value, surrogate: tf.mul(problem.scale, tf.sum(value)) as Scalar };
      }),
    "draws with a path",
  ),
);
