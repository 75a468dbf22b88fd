import type { Bound } from "../bounds/bound.js";
import { elbo } from "../bounds/elbo.js";
import { Gamma } from "../distributions/gamma.js";
import { Independent } from "../distributions/independent.js";
import { smallestPositive } from "../distributions/support.js";
import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { refuseKlWeight } from "../models/klWeight.js";
import type { Problem } from "../models/problem.js";
import { exp } from "../ops/exp.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type Baseline, noBaseline } from "./baselines.js";
import { type DeclaredGradient, declareGradient, type Standing, unbiased } from "./declared.js";
import { checkScoreSamples } from "./scoreFunction.js";

/** Options of `generalisedReparameterised` and, among others, of `rejectionReparameterised`. */
export interface GammaPathOptions {
  /** What is taken off log p(x, z) before it multiplies the correction's score. Default `noBaseline`, as published. */
  readonly baseline?: Baseline;
}

/** Gamma draws of rate 1 as a function of α and of noise whose law still depends on α. */
export interface GammaPath {
  /** The log of each draw, `[K, B, D]`, differentiable in α with the noise held. */
  readonly logDraw: Tensor;
  /** log π(ε; α), the noise's log-density, `[K, B, D]`, differentiable in α with the noise held. */
  readonly logNoise: Tensor;
}

/**
 * The gradient of the ELBO for a q that is a product of gamma laws, with z = T(ε; φ) and the law of the noise ε still dependent on φ, ε ~ π(ε; φ):
 *
 * ∇_φ E f(z) = E [∇_z f(z) ∇_φ T(ε; φ) + f(z) ∇_φ log π(ε; φ)], f = log p(x, z; θ), to which the entropy's gradient comes in closed form.
 *
 * @internal
 */
export function gammaPathGradient(
  name: string,
  { baseline = noBaseline }: GammaPathOptions,
  path: (concentration: Tensor2D, key: Key, samples: number) => GammaPath,
): DeclaredGradient {
  const standing = (bound: Bound): Standing => {
    if (bound === elbo) return unbiased;
    return {
      verdict: "refused",
      why: "its correction weighs each draw's own log p, and its entropy is the ELBO's; use reparameterised, whose gamma draws are implicit, or bound: elbo.",
    };
  };
  const named = baseline === noBaseline ? name : `${name} (${baseline.name})`;
  return declareGradient(
    named,
    standing,
    ({ problem, theta, phi, samples, key }) => {
      checkScoreSamples(named, samples, baseline);
      refuseKlWeight(named, problem);
      return tidied(() => {
        const { concentration, rate, entropy } = productOfGammas(named, problem, phi);
        const { logDraw, logNoise } = path(concentration, key, samples);
        const draw = tf.maximum(exp(tf.sub(logDraw, tf.log(rate))), smallestPositive) as Tensor3D;
        const logP = problem.logP(theta, draw as never);
        const signal = stopGradient(() => baseline.signal(elbo, logP));
        const correction = tf.sum(tf.mul(signal, tf.sum(logNoise, 2)));
        const climbed = tf.add(tf.add(tf.sum(tf.mean(logP, 0)), correction), tf.sum(entropy));
        const value = tf.add(tf.mean(logP, 0), entropy) as Tensor1D;
        return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
      });
    },
    "q a product of gamma laws",
  );
}

/** Shapes and rates `[B, D]`, and the entropy `[B]`, of a q that says it is a product of gamma laws. */
function productOfGammas<Theta extends Parameters, Phi extends Parameters, Z>(
  name: string,
  problem: Problem<Theta, Phi, Z>,
  phi: Phi,
): { readonly concentration: Tensor2D; readonly rate: Tensor2D; readonly entropy: Tensor1D } {
  const q = "marginal" in problem ? undefined : problem.distribution?.(phi);
  if (q instanceof Independent && q.base instanceof Gamma && q.base.batchShape.length === 2) {
    const { concentration, rate } = q.base.parameters;
    const zeros = tf.zeros([...q.base.batchShape]);
    return {
      concentration: tf.add(concentration, zeros) as Tensor2D,
      rate: tf.add(rate, zeros) as Tensor2D,
      entropy: q.entropy() as Tensor1D,
    };
  }
  throw new Error(
    `${name}: it is made for a q that is a product of gamma laws, and this problem's is not known to be one; use meanFieldGamma, or another gradient (reparameterised goes through every law whose draws can be differentiated).`,
  );
}
