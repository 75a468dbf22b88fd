import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { ConditionalHierarchicalPosterior, Hierarchy } from "../families/hierarchicalFamily.js";
import { refuseKlWeight } from "../models/klWeight.js";
import type { Problem } from "../models/problem.js";
import type { Target } from "./hierarchicalProblem.js";
import { type HierarchicalDraws, sampleHierarchy } from "./marginal.js";

/**
 * Chaney's "variant of the ELBO" for λ ~ q(λ | α), z ~ q(z | λ), **as written and no bound on log p(x)**:
 *
 * L(α) = E_{q(z, λ)}[log p(x, z) − log q(z | λ) − log q(λ | α)] = ELBO[q(z)] + E_{q(z)} H(q(λ | z)).
 *
 * The ELBO of q(z) = ∫ q(z | λ) q(λ | α) dλ lacks the second term, an entropy of λ alone: it may lift L(α) above log p(x) or push it below the ELBO, and it
 * changes with λ's units. The mended bound has log r(λ | z) beside it (`hierarchicalProblem` with `hvm`), a density in the same units, and is below the ELBO for every r.
 *
 * A draw is the pair (z, λ), whose log q is exact, so that every gradient of a `Problem` applies: with `scoreFunction({ minusOne: true })` and `elbo` it is the paper's estimator,
 *
 * (1/S) Σ_s ∇_α log q(λ_s | α) (log p(x, z_s) − log q(z_s | λ_s) − log q(λ_s | α) − 1),
 *
 * where q(z | λ) has no parameters of its own (`parameterConditional`); those that it has are scored too.
 *
 * @param options.target the model's half of any problem.
 * @param options.family q, for instance `hierarchical({ mixing, conditional })`; λ is its ψ.
 * @param options.x data `[B, P]` that q looks at; leave out where it does not.
 * @throws Error if the target has a klWeight; when evaluated, if q(λ | α) has no density or the draws do not have the target's batch size.
 * Source: Chaney 2015, section 2.
 */
export function hierarchicalSamplingProblem<Theta extends Parameters, Phi extends Parameters>(options: {
  readonly target: Target<Theta>;
  readonly family: ConditionalHierarchicalPosterior<Phi>;
  readonly x?: Tensor2D;
}): Problem<Theta, Phi, HierarchicalDraws> {
  const { target, family, x } = options;
  refuseKlWeight("hierarchicalSamplingProblem", target);
  // A family that is no amortised one ignores x.
  const hierarchy = (phi: Phi): Hierarchy => family.hierarchy(phi, x as Tensor2D);
  const draw = (q: Hierarchy, key: Key, samples: number): ReturnType<typeof sampleHierarchy> => {
    const draws = sampleHierarchy(q, key, samples);
    const expected = [samples, target.batchSize, family.dimension];
    if (`${draws.z.shape}` === `${expected}`) return draws;
    throw new Error(
      `hierarchicalSamplingProblem: q's draws have the shape ${formatShape(draws.z.shape)}, but need ${formatShape(expected)}.`,
    );
  };
  return {
    batchSize: target.batchSize,
    scale: target.scale,
    logP: (theta, { z }) => target.logP(theta, z),
    sample: (phi, key, samples) =>
      tidied(() => {
        const { z, psi } = draw(hierarchy(phi), key, samples);
        return { z, psi };
      }),
    logQ: (phi, { z, psi }) =>
      tf.tidy(() => {
        const q = hierarchy(phi);
        return jointLogDensity(q, { z, psi }, q.conditional(psi));
      }),
    sampleWithLogQ: (phi, key, samples) =>
      tidied(() => {
        const q = hierarchy(phi);
        const { z, psi, conditional } = draw(q, split(key)[0], samples);
        const reparameterised = q.mixing.reparameterised && conditional.reparameterised;
        return { z: { z, psi }, logQ: jointLogDensity(q, { z, psi }, conditional), reparameterised };
      }),
  };
}

/**
 * log q(z | ψ, x) + log q(ψ | x), `[M, B]`.
 *
 * @throws Error if q(ψ | x) has no density.
 * @internal
 */
export function jointLogDensity(
  { mixing }: Hierarchy,
  { z, psi }: HierarchicalDraws,
  conditional: { logProb(z: Tensor): Tensor },
): Tensor2D {
  if (mixing.logProb) return tf.add(conditional.logProb(z), mixing.logProb(psi)) as Tensor2D;
  throw new Error(
    "The score of a hierarchical q needs the density of q(ψ | x), and this one is a sampler without one; write ψ as a function of noise (implicitMixing).",
  );
}
