import { elbo } from "../bounds/elbo.js";
import { valueAndGradient } from "../engine/gradient.js";
import { onOwnTape } from "../engine/ownTape.js";
import { gumbel, split } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { checkSamples } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { bernoulliOf } from "./arm.js";
import { type DeclaredGradient, declareGradient, unbiased } from "./declared.js";
import { checkTemperature } from "./gumbelSoftmax.js";

/** Options of {@link rebar}. */
export interface RebarOptions {
  /** τ > 0 of the relaxation. It moves the variance alone. To anneal it in `fit`, see its option `gradientAt`. */
  readonly temperature: number | Scalar;
  /**
   * η, how much of the control variate is taken off; 0 leaves the score function. `"leaveOneOut"` gives each draw the η that has the least variance on the others,
   * at no further evaluation of log p; it needs K ≥ 2. Default 1.
   */
  readonly scale?: number | Scalar | "leaveOneOut";
}

/**
 * REBAR: the score function's gradient of the ELBO for Bernoulli latents, less what a relaxation of the bits explains of it. With
 * f(b) = log p(x, b; θ) − log q(b; φ), z = l + logistic noise, b = 1[z > 0] and c(z) = f(σ(z/τ)),
 *
 * ∂L/∂l = E [f(b) − η c(z̃)] ∂ log q(b)/∂l + η ∂c(z)/∂l − η ∂c(z̃)/∂l,  z̃ | b = s log(1 + e^λ (1 + e^(s l))), s = 2b − 1, λ logistic.
 *
 * z̃ is drawn from z's law given b. The two noises are coupled so that z̃ = z, though its derivative, σ(s l)(1 − e^(−|z|)), is not z's, which is 1: so c is
 * evaluated once, and log p 2K times in all. It needs a log p that can be evaluated, and differentiated, between 0 and 1.
 *
 * Unbiased for the ELBO, whatever τ and η.
 *
 * @throws Error for another bound, if the temperature is a number that is not positive, if the scale is a number that is not finite, if the scale is
 *   `"leaveOneOut"` and K < 2, or if the problem's q is not declared to be Bernoulli.
 * Source: Tucker et al. 2017, "REBAR: Low-variance, unbiased gradient estimates for discrete latent variable models".
 */
export function rebar(options: RebarOptions): DeclaredGradient {
  const { temperature, scale = 1 } = options;
  checkTemperature("rebar", temperature);
  if (typeof scale === "number" && !Number.isFinite(scale))
    throw new Error(`rebar: the scale of the control variate must be a finite number, not ${scale}; 1 is the default.`);
  const name = scale === "leaveOneOut" ? "rebar (leave-one-out scale)" : "rebar";
  return declareGradient(
    name,
    (bound) =>
      bound === elbo
        ? unbiased
        : {
            verdict: "refused",
            why: "its control variate is made for one draw's log-weight, not for a bound of K weights; use scoreFunction({ baseline: vimco }), or bound: elbo.",
          },
    ({ problem: given, bound, theta, phi, samples, key }) => {
      checkSamples(samples);
      if (scale === "leaveOneOut" && samples < 2) {
        throw new Error(
          `${name}: a draw's scale is found on the others and needs K ≥ 2, not ${samples}; draw more, or give the scale as a number.`,
        );
      }
      const problem = bernoulliOf("rebar", given);
      return tidied(() => {
        const [draw, estimate] = split(key);
        const logits = problem.logits(phi);
        const l = stopGradient(logits);
        const z = stopGradient(() => {
          const [one, other] = split(draw).map((half) => gumbel(half, [samples, ...logits.shape]));
          return tf.add(l, tf.sub(one, other)) as Tensor3D;
        });
        const bits = stopGradient(() => tf.cast(tf.greater(z, 0), "float32") as Tensor3D);
        const logQ = stopGradient(() => problem.logQ(phi, bits, estimate));
        const logW = tf.sub(problem.logP(theta, bits), logQ) as Tensor2D;
        const { slope } = onOwnTape(() => {
          const relaxed = tf.sigmoid(tf.div(z, temperature)) as Tensor3D;
          const { control, slope: inBits } = valuesAndSlopes(
            (at) => relaxedWeight(problem.logP(theta, at), at, l),
            relaxed,
          );
          const score = tf.sub(bits, tf.sigmoid(l));
          const sign = tf.sub(tf.mul(2, bits), 1);
          const held = tf.mul(tf.sigmoid(tf.mul(sign, l)), tf.neg(tf.expm1(tf.neg(tf.abs(z))))); // ∂z̃/∂l
          const inRelaxed = tf.div(tf.mul(relaxed, tf.sub(1, relaxed)), temperature);
          const path = tf.mul(tf.mul(inBits, inRelaxed), tf.sub(1, held));
          const naive = tf.mul(tf.expandDims(logW, 2), score);
          const variate = tf.sub(path, tf.mul(tf.expandDims(control, 2), score)); // of mean 0
          const eta = scale === "leaveOneOut" ? bestOnOthers(naive, variate) : scale;
          return { slope: tf.mean(tf.add(naive, tf.mul(eta, variate)), 0) as Tensor2D };
        });
        const value = bound.value(logW);
        const climbed = tf.add(tf.sum(tf.mul(slope, logits)), tf.sum(value));
        return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
      });
    },
  );
}

/** log p − log q where the bits are relaxed: Σ z l − log(1 + eˡ), as of bits. */
function relaxedWeight(logP: Tensor2D, relaxed: Tensor3D, logits: Tensor): Tensor {
  return tf.sub(logP, tf.sum(tf.sub(tf.mul(relaxed, logits), tf.softplus(logits)), 2));
}

/** c of each draw, `[K, B]`, and its slope in that draw, from one evaluation. */
function valuesAndSlopes(
  c: (at: Tensor3D) => Tensor,
  at: Tensor3D,
): { readonly control: Tensor; readonly slope: Tensor } {
  let kept: Tensor | undefined;
  const total = ({ at }: { readonly at: Tensor3D }): Tensor => {
    kept = tf.keep(c(at));
    return tf.sum(kept);
  };
  try {
    const { gradient } = valueAndGradient(total, { at });
    return { control: tf.clone(kept as Tensor), slope: gradient.at };
  } finally {
    kept?.dispose();
  }
}

/** η_k = −Σ_{j≠k} ⟨a_j, d_j⟩ / Σ_{j≠k} ⟨d_j, d_j⟩, `[K, 1, 1]`: the least variance of a + η d, since E d = 0. */
function bestOnOthers(naive: Tensor, variate: Tensor): Tensor {
  const onOthers = (product: Tensor): Tensor => {
    const each = tf.sum(product, [1, 2], true);
    return tf.sub(tf.sum(each, 0, true), each);
  };
  return tf.neg(tf.divNoNan(onOthers(tf.mul(naive, variate)), onOthers(tf.square(variate))));
}
