import type { Bound } from "../bounds/bound.js";
import { elbo } from "../bounds/elbo.js";
import { valueAndGradient } from "../engine/gradient.js";
import { onOwnTape } from "../engine/ownTape.js";
import { leaves, type Parameters, withTensors } from "../engine/parameters.js";
import { split } from "../engine/random.js";
import { type Scalar, type Tensor, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { bestWeight } from "./bestWeight.js";
import { type DeclaredGradient, declareGradient, type Standing } from "./declared.js";
import { heldAlong, sliceDraws } from "./held.js";
import { climbedBy, type ScoreGradient, type ScoreTerms, scoreFunction } from "./scoreFunction.js";

/** Options of {@link scoreControlVariate}. */
export interface ControlVariateOptions {
  /** The gradient to take the variance out of. Default `scoreFunction()`; `raoBlackwell()` and `learnedBaseline()` compose. */
  readonly of?: ScoreGradient;
  /**
   * Which draws the weights are estimated on: K further ones, which keeps the estimator unbiased and doubles its evaluations of log p, or the very
   * draws that they weigh.
   */
  readonly weights: "heldOut" | "same";
}

/**
 * A score-function gradient of the ELBO less the score itself, with the best weight for each component i of φ:
 *
 * ĝ_i − a_i Σ_k h_ki,  a_i = Cov(f_i, h_i) / Var(h_i),  f_k = signal_k h_k,  h_k = ∇_φ log q(z_k; φ), E h = 0.
 *
 * Where an h_i does not vary its weight is 0. It costs one or two gradients of log q for each of the draws that the weights are estimated on, none of log p.
 * With few draws the weights' own noise can cost more than they save.
 *
 * Unbiased for the ELBO with weights from held-out draws, where these have a mean: for continuous latents the K draws' h_ki come within r of each other with a density that goes as r^(K−2), and a_i grows as 1/r
 * there, so that it has a mean from K = 3 on, and a finite variance from K = 4 on. With weights from the same draws it is biased, by O(1/K).
 *
 * @throws Error for another bound, if K < 2, or as the gradient that it is put on.
 * Source: Ranganath, Gerrish & Blei 2014, section 3.2; Zhang et al. 2018, section 5.2.
 */
export function scoreControlVariate(options: ControlVariateOptions): DeclaredGradient {
  const { of = scoreFunction(), weights: source } = options;
  const standing = (bound: Bound): Standing => {
    if (bound !== elbo) {
      return {
        verdict: "refused",
        why: "for a bound other than the ELBO a sample's signal hangs on all the others, so that one weight a component is not the best; use scoreFunction({ baseline: vimco }).",
      };
    }
    const inner = of.standing(bound);
    if (inner.verdict === "refused") return inner;
    if (source === "heldOut") return inner.verdict === "unbiased" ? { ...inner, provided: enoughDraws } : inner;
    return { verdict: "biased", why: "the control variate's weights are estimated on the draws that they weigh." };
  };
  return declareGradient(
    `scoreControlVariate (${of.name}, ${source})`,
    standing,
    (inputs) => {
      const { problem, phi, samples, key } = inputs;
      if (samples < 2) {
        throw new Error(
          "scoreControlVariate: a weight is a ratio of variances over samples, and needs K ≥ 2; draw more, or use the gradient without it.",
        );
      }
      return tidied(() => {
        const [own, held] = split(key);
        const terms = of.terms({ ...inputs, key: own });
        const correction = onOwnTape(() => {
          const weights = bestWeights(source === "same" ? terms : of.terms({ ...inputs, key: held }), phi);
          const total = valueAndGradient((at) => tf.sum(terms.density(at, terms.z)), phi).gradient;
          const totals = leaves(total).map(({ tensor }) => tensor);
          return withTensors(
            phi,
            weights.map((weight, i) => tf.mul(weight, totals[i])),
          );
        });
        const surrogate = tf.mul(problem.scale, tf.sub(climbedBy(terms), heldAlong(correction, phi)));
        return { value: terms.value, surrogate: surrogate as Scalar };
      });
    },
    of.scope,
  );
}

/** What held-out weights ask of K. */
export const enoughDraws =
  "for continuous latents weights from held-out draws ask for K ≥ 3 to have a mean, and for K ≥ 4 to have a finite variance.";

/** a_i = Cov(f_i, h_i) / Var(h_i) over the draws, a tensor for each of φ's. */
function bestWeights<Phi extends Parameters, Z>({ z, signal, density }: ScoreTerms<Phi, Z>, phi: Phi): Tensor[] {
  const [samples] = signal.shape;
  const perDraw = Array.from({ length: samples }, (_, k) => {
    const draw = sliceDraws(z, k);
    const own = tf.slice(signal, k, 1);
    const tensors = (of: (at: Phi) => Tensor): Tensor[] =>
      leaves(valueAndGradient(of, phi).gradient).map(({ tensor }) => tensor);
    const score = tensors((at) => tf.sum(density(at, draw)));
    // One signal for the whole of a draw multiplies its whole score; several need a derivative of their own.
    const weighted =
      own.size === 1
        ? score.map((h) => tf.mul(tf.reshape(own, []), h))
        : tensors((at) => tf.sum(tf.mul(own, density(at, draw))));
    return { score, weighted };
  });
  return leaves(phi).map((_, i) => {
    const h = tf.stack(perDraw.map(({ score }) => score[i]));
    return bestWeight(tf.stack(perDraw.map(({ weighted }) => weighted[i])), h);
  });
}
