import { mean } from "../diagnostics/moments.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import type { Bound } from "./bound.js";

/**
 * The evidence lower bound, averaged over K samples: L = (1/K) Σ_k log w_k, whose expectation is log p(x) − KL(q ‖ p(z | x)).
 *
 * c = 1/K, d = 0. One weight of zero makes it −∞.
 *
 * @throws Error if the log-weights are no matrix `[K, B]` with K ≥ 1.
 * Source: Cremer, Morris & Duvenaud 2017, "Background" (L_VAE); Kingma & Welling 2014, eq. 2.
 */
export const elbo: Bound = {
  name: "ELBO",
  value: (logW) => tf.mean(checked(logW), 0) as Tensor1D,
  weights: (logW) => tf.fill(checked(logW).shape, 1 / logW.shape[0]) as Tensor2D,
  curvature: (logW) => tf.zeros(checked(logW).shape) as Tensor2D,
  evaluate: (logW) => mean(logW),
};

function checked(logW: Tensor2D): Tensor2D {
  checkShape("elbo: log-weights", logW, ["*", "*"]);
  if (logW.shape[0] === 0) throw new Error("elbo: there are no samples (K = 0); draw at least one.");
  return logW;
}
