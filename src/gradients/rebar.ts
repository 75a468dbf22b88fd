import { elbo } from "../bounds/elbo.js";
import { valueAndGradient } from "../engine/gradient.js";
import { onOwnTape } from "../engine/ownTape.js";
import { split } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { checkSamples } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient, unbiased } from "./declared.js";
import { discreteOf } from "./discreteLatents.js";
import { checkTemperature } from "./gumbelSoftmax.js";
import { relaxationOf } from "./relaxation.js";

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
 * REBAR: the score function's gradient of the ELBO for discrete latents, less what a relaxation of them explains of it. For bits, with
 * f(b) = log p(x, b; θ) − log q(b; φ), z = l + logistic noise, b = 1[z > 0] and c(z) = f(σ(z/τ)),
 *
 * ∂L/∂l = E [f(b) − η c(z̃)] ∂ log q(b)/∂l + η ∂c(z)/∂l − η ∂c(z̃)/∂l,  z̃ | b = s log(1 + e^λ (1 + e^(s l))), s = 2b − 1, λ logistic;
 *
 * for one-hot categories z = log p + Gumbel noise, b its largest, c(z) = f(softmax(z/τ)), and z̃_b = m, z̃_i = −log(e^(−m) + E_i/p_i), m Gumbel, E exponential.
 *
 * z̃ is drawn from z's law given b. The two noises are coupled so that z̃ = z, though its derivative, σ(s l)(1 − e^(−|z|)) or 1 − e^(z_i − m), is not z's, which is 1: so c
 * is evaluated once, and log p 2K times in all. It needs a log p that can be evaluated, and differentiated, between the states.
 *
 * Unbiased for the ELBO, whatever τ and η; with `"leaveOneOut"`, where η has a mean. Its denominator is a sum of B N (K − 1) squares of continuous numbers, near whose zero η grows as the inverse root: of one
 * (one bit, K = 2) it has no mean, of two infinite variance.
 *
 * @throws Error for another bound, if the temperature is a number that is not positive, if the scale is a number that is not finite, if the scale is
 *   `"leaveOneOut"` and K < 2, or if the problem's q is not declared to be Bernoulli or categorical.
 * Source: Tucker et al. 2017, "REBAR: Low-variance, unbiased gradient estimates for discrete latent variable models", with appendix C for categories.
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
        ? { ...unbiased, ...(scale === "leaveOneOut" && { provided: enoughNoises }) }
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
      const problem = discreteOf("rebar", given);
      return tidied(() => {
        const [draw, estimate] = split(key);
        const logits = problem.logits(phi);
        const relaxation = relaxationOf(logits);
        const l = stopGradient(logits as Tensor);
        const noisy = stopGradient(() => relaxation.noisy(l, draw, samples));
        const state = stopGradient(() => relaxation.harden(noisy));
        const logQ = stopGradient(() => problem.logQ(phi, state, estimate));
        const logW = tf.sub(problem.logP(theta, state), logQ) as Tensor2D;
        const { slope } = onOwnTape(() => {
          const { control, slope: inNoisy } = valuesAndSlopes((at) => {
            const relaxed = relaxation.relax(at, temperature);
            return tf.sub(problem.logP(theta, relaxed), relaxation.logQ(relaxed, l));
          }, noisy);
          const score = relaxation.score(state, l);
          const perDraw = [samples, l.shape[0], ...l.shape.slice(1).map(() => 1)];
          const naive = tf.mul(tf.reshape(logW, perDraw), score);
          const path = relaxation.pathOutsideState(inNoisy, noisy, l);
          const variate = tf.sub(path, tf.mul(tf.reshape(control, perDraw), score)); // of mean 0
          const eta = scale === "leaveOneOut" ? bestOnOthers(naive, variate) : scale;
          return { slope: tf.mean(tf.add(naive, tf.mul(eta, variate)), 0) };
        });
        const value = bound.value(logW);
        const climbed = tf.add(tf.sum(tf.mul(slope, logits)), tf.sum(value));
        return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
      });
    },
    "bits or categories, log p between the states too",
  );
}

const enoughNoises =
  "with B N (K − 1) ≥ 3: the scale that is found on the other draws has no mean for one bit with K = 2, and no finite variance where B N (K − 1) = 2.";

/** c of each draw, `[K, B]`, and its slope in that draw, from one evaluation. */
function valuesAndSlopes(c: (at: Tensor) => Tensor, at: Tensor): { readonly control: Tensor; readonly slope: Tensor } {
  let kept: Tensor | undefined;
  const total = ({ at }: { readonly at: Tensor }): Tensor => {
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

/** η_k = −Σ_{j≠k} ⟨a_j, d_j⟩ / Σ_{j≠k} ⟨d_j, d_j⟩, `[K, 1, …]`: the least variance of a + η d, since E d = 0. */
function bestOnOthers(naive: Tensor, variate: Tensor): Tensor {
  const onOthers = (product: Tensor): Tensor => {
    const each = tf.sum(
      product,
      product.shape.slice(1).map((_, i) => i + 1),
      true,
    );
    return tf.sub(tf.sum(each, 0, true), each);
  };
  return tf.neg(tf.divNoNan(onOthers(tf.mul(naive, variate)), onOthers(tf.square(variate))));
}
