import { elbo } from "../bounds/elbo.js";
import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { type Scalar, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { logWeightsOf } from "../models/klWeight.js";
import { checkSamples, type Problem } from "../models/problem.js";
import { checkPath } from "./checkPath.js";
import { type DeclaredGradient, declareGradient, drawByDraw, unbiased } from "./declared.js";
import { heldParameters } from "./held.js";

/**
 * The path derivative ("sticking the landing"): the reparameterised gradient without the score −Σ_k c_k ∇_φ log q(z_k; φ) at fixed z,
 *
 * ∇_φ L ≈ Σ_k c_k ∂/∂z [log p(x, z_k; θ) − log q(z_k; φ)] ∇_φ z_k.
 *
 * Where q is the posterior it is zero draw by draw. It evaluates log q once more, at φ held; p once.
 *
 * Unbiased for the ELBO, where the score has mean zero. For any other bound it lacks what the score's mean is, and is biased in φ:
 * `doublyReparameterised` is the mended one. Unbiased in θ always.
 *
 * @throws Error if no gradient flows through q's draws, if the problem does not say that one does, or if log q is a marginal's estimate.
 * Source: Roeder, Wu & Duvenaud 2017, "Sticking the landing".
 */
export const pathDerivative: DeclaredGradient = drawByDraw(
  declareGradient(
    "pathDerivative",
    (bound) =>
      bound === elbo
        ? unbiased
        : {
            verdict: "biased",
            why: "the score that it leaves out has mean zero under the ELBO alone; use doublyReparameterised.",
          },
    ({ problem, bound, theta, phi, samples, key }) =>
      tidied(() => {
        const { z, estimate } = drawPath("pathDerivative", problem, { phi, samples, key });
        const logQ = problem.logQ(heldParameters(phi), z, estimate);
        const value = bound.value(logWeightsOf(problem, problem.logP(theta, z), logQ));
        return { value, surrogate: tf.mul(problem.scale, tf.sum(value)) as Scalar };
      }),
    "draws with a path, log q exact",
  ),
);

/**
 * K draws of q that carry their gradient into φ, with the key that is left for log q.
 *
 * @throws Error if they carry none, if the problem does not say that they do, or if the problem's log q is a marginal's estimate, of which holding φ takes away more than a score.
 */
export function drawPath<Theta extends Parameters, Phi extends Parameters, Z>(
  name: string,
  problem: Problem<Theta, Phi, Z>,
  { phi, samples, key }: { readonly phi: Phi; readonly samples: number; readonly key: Key },
): { readonly z: Z; readonly estimate: Key } {
  checkSamples(samples);
  if ("marginal" in problem) {
    throw new Error(
      `${name}: log q of this problem is a marginal's estimate, whose parameters may not be held fixed; use iwhviDoublyReparameterised or reparameterised.`,
    );
  }
  const [draw, estimate] = split(key);
  const { z, reparameterised } = problem.sampleWithLogQ?.(phi, key, samples) ?? {
    z: problem.sample(phi, draw, samples),
  };
  checkPath(name, { problem, phi, reparameterised, remedy: "use scoreFunction" });
  return { z, estimate };
}
