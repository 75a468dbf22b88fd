import { mapParameters, type Parameters } from "../engine/parameters.js";
import { split } from "../engine/random.js";
import { type Scalar, type Tensor, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { HierarchicalParameters, HierarchicalProblem } from "../marginals/hierarchicalProblem.js";
import { logWeight, sampleHierarchy } from "../marginals/marginal.js";
import { logWeightsOf, timesKlWeight } from "../models/klWeight.js";
import { checkSamples } from "../models/problem.js";
import { logMeanExp } from "../ops/logMeanExp.js";
import { logSumExp } from "../ops/logSumExp.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient, unbiased } from "./declared.js";

/**
 * The doubly reparameterised gradient of a bound over a hierarchical q: τ's score is replaced by a path of lower variance, for every bound.
 *
 * With w_mk the weights of z_m's ψ_k, w̃_mk = w_mk / Σ_j w_mj, and the bound's c_m = ∂L/∂log ŵ_m and d_m = ∂²L/∂(log ŵ_m)², the gradient in all that τ's
 * law of ψ_mk depends on (η, and z_m) is
 *
 * Σ_m [ c_m w̃_m0 ∇ log τ(ψ_m0 | z_m) − Σ_{k≥1} (c_m + d_m) w̃_mk² (∂ log w_mk / ∂ψ_mk) ∇ψ_mk ].
 *
 * ψ_m0 comes from q, not from τ, so its score stays. For the ELBO c + d is 1/M; for IWAE it is W̃_m (2 − W̃_m). The rest of φ's gradient, and θ's, is the pathwise
 * one. With a problem's `klWeight` β the sum is multiplied by β, and c + d becomes c + β d. It looks at the problem's `hierarchy`, `marginal` and `logP`, not at its `logQ`.
 * Unbiased for every bound; at the exact τ the second term vanishes draw by draw. The conditionals are evaluated twice, p(x, z) once.
 *
 * @throws Error if the problem has no marginal's estimate of log q, if q or τ is not reparameterised, if τ is q(ψ | x) itself, or
 * if q(ψ | x) has no density.
 * Source: Tucker et al. 2019, "Doubly reparameterized gradient estimators"; Sobolev & Vetrov 2019, section 6 (for τ). The terms of ψ_0 and of M > 1 are
 * derived here: c w̃ has the derivative c w̃ (1 − w̃) − β d w̃² in log w.
 */
export const iwhviDoublyReparameterised: DeclaredGradient = declareGradient(
  "iwhviDoublyReparameterised",
  () => unbiased,
  ({ problem: given, bound, theta, phi, samples, key }) => {
    checkSamples(samples);
    const problem = hierarchicalOf(given);
    const { marginal, x } = problem;
    const { q, tau: eta } = phi as unknown as HierarchicalParameters<Parameters, Parameters>;
    return tidied(() => {
      const [draw, estimate] = split(key);
      const hierarchy = problem.hierarchy(q);
      const { z, psi: psi0, conditional } = sampleHierarchy(hierarchy, draw, samples);
      const { mixing } = hierarchy;
      if (!(mixing.reparameterised && conditional.reparameterised && marginal.reverse.reparameterised)) {
        throw new Error(
          "iwhviDoublyReparameterised: no gradient flows through the draws of this q or its τ into their parameters, so their gradient would be wrong.",
        );
      }
      const tau = marginal.reverse.given(eta, { hierarchy, z, x });
      if (tau.isMixing) {
        throw new Error(
          "iwhviDoublyReparameterised: τ is q(ψ | x) itself, which has no parameters of its own; use reparameterised.",
        );
      }
      const own = logWeight({ z, psi: tf.expandDims(psi0, 0), mixing, tau, conditional });
      const logP = problem.logP(theta, { z, psi: psi0 });
      if (marginal.samples === 0) return surrogateOf(own);

      const psi = tau.sample(estimate, marginal.samples);
      // τ with everything held fixed that its law depends on.
      const heldTau = marginal.reverse.given(mapParameters(eta, stopGradient), {
        hierarchy: problem.hierarchy(mapParameters(q, stopGradient)),
        z: stopGradient(z),
        x,
      });
      const factor = stopGradient(() => {
        const fresh = logWeight({ z, psi, mixing, tau, conditional: hierarchy.conditional(psi) });
        const logW = tf.concat([own, fresh], 0);
        const logBar = logWeightsOf(problem, logP, logMeanExp(logW, 0));
        const [c, d] = [bound.weights(logBar), bound.curvature(logBar)];
        const normalised = tf.exp(tf.sub(fresh, logSumExp(logW, 0, true)));
        return tf.mul(normalised, tf.expandDims(tf.divNoNan(tf.add(c, timesKlWeight(problem, d)), c), 0));
      });
      // The surrogate hands −β c w̃ ∂log w/∂ψ to the path; times w̃ (c + β d)/c that is −β (c + β d) w̃².
      const path = scalePath(psi, tf.expandDims(factor, 3));
      const fresh = logWeight({ z, psi: path, mixing, tau: heldTau, conditional: hierarchy.conditional(path) });
      return surrogateOf(tf.concat([own, fresh], 0));

      function surrogateOf(logW: Tensor): { value: ReturnType<typeof bound.value>; surrogate: Scalar } {
        const value = bound.value(logWeightsOf(problem, logP, logMeanExp(logW, 0)));
        return { value, surrogate: tf.mul(problem.scale, tf.sum(value)) as Scalar };
      }
    });
  },
  "a hierarchical q and τ, both with a path",
);

/** The value of ψ, with the gradient that flows through it multiplied. */
function scalePath(psi: Tensor, factor: Tensor): Tensor {
  const held = stopGradient(psi);
  return tf.add(held, tf.mul(factor, tf.sub(psi, held)));
}

function hierarchicalOf(problem: object): HierarchicalProblem<Parameters, Parameters, Parameters> {
  if ("marginal" in problem && "hierarchy" in problem) return problem as ReturnType<typeof hierarchicalOf>;
  throw new Error(
    "iwhviDoublyReparameterised: log q of this problem is no marginal's estimate; make the problem with hierarchicalProblem or its kin, or use reparameterised.",
  );
}
