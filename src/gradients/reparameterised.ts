import { type Scalar, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { drawLogWeights } from "../models/problem.js";
import type { Gradient } from "./gradient.js";

/**
 * The pathwise gradient of any bound: with z = g(ε; φ), ∇ L(log w(g(ε; φ); θ, φ)) = Σ_k c_k ∇ log w_k.
 *
 * Unbiased for every bound, where q is reparameterised (a Gaussian is). Its signal-to-noise ratio for φ falls with K under IWAE.
 *
 * Source: Kingma & Welling 2014, section 2.4; Burda, Grosse & Salakhutdinov 2016, eqs. 13 and 14.
 */
export const reparameterised: Gradient = ({ problem, bound, ...point }) =>
  tidied(() => {
    const value = bound.value(drawLogWeights(problem, point).logW);
    return { value, surrogate: tf.mul(problem.scale, tf.sum(value)) as Scalar };
  });
