import { leaves, type Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type {
  ConditionalHierarchicalPosterior,
  HierarchicalPosterior,
  Hierarchy,
} from "../families/hierarchicalFamily.js";
import type { KlWeight } from "../models/klWeight.js";
import {
  densityProblem,
  type LatentVariableModel,
  latentVariableProblem,
  type NoParameters,
  type Posterior,
  type Problem,
  posteriorProblem,
} from "../models/problem.js";
import { type HierarchicalDraws, type Marginal, type MarginalInputs, sampleHierarchy } from "./marginal.js";

/** Parameters of a hierarchical q and of its auxiliary τ together: what a fit trains as its φ. */
export type HierarchicalParameters<Phi extends Parameters, Eta extends Parameters> = {
  readonly q: Phi;
  readonly tau: Eta;
};

/** The half of a problem that is about the model: what a hierarchical q is fitted to. Every `Problem` has it. */
export type Target<Theta extends Parameters> = Pick<
  Problem<Theta, Parameters>,
  "batchSize" | "scale" | "logP" | "klWeight"
>;

/** A problem whose log q(z | x) is a marginal's estimate; z comes with its ψ_0. */
export interface HierarchicalProblem<Theta extends Parameters, Phi extends Parameters, Eta extends Parameters>
  extends Problem<Theta, HierarchicalParameters<Phi, Eta>, HierarchicalDraws> {
  readonly marginal: Marginal<Eta>;
  /** The data `[B, P]` that q and τ look at, if they do. */
  readonly x?: Tensor2D;
  /** q at φ, to be made and used inside one `tf.tidy`. */
  hierarchy(phi: Phi): Hierarchy;
}

/**
 * Joins a target with a hierarchical q and an estimate of its log-density: log ŵ_m = log p(x, z_m) − log q̂(z_m | x).
 *
 * q̂ includes ψ_0, the one that z_m was drawn given, so E[p(x, z)/q̂(z | x)] = p(x) exactly, and every bound of log-weights stays a lower bound on log p(x):
 *
 * | bound | with `hvm` | with `sivi` | with `iwhvi` |
 * |---|---|---|---|
 * | `elbo`, M | HVM | SIVI | IWHVI |
 * | `iwae`, M | multisample HVM | multisample SIVI | DIWHVI |
 *
 * M is the number of samples that the bound is given, K the marginal's. p(x, z), with its decoder, is evaluated M times, q(z | ψ, x) M (K + 1) times (its networks K + M times with
 * `sivi({ shared: true })`).
 *
 * @param options.x data `[B, P]` that q and τ look at; leave out where they do not.
 * @throws Error (when evaluated) if the draws do not have the target's batch size.
 * Source: Sobolev & Vetrov 2019, sections 2 (HVM, SIVI), 3.1 (IWHVI) and 4.1 (DIWHVI).
 */
export function hierarchicalProblem<Theta extends Parameters, Phi extends Parameters, Eta extends Parameters>(options: {
  readonly target: Target<Theta>;
  readonly family: ConditionalHierarchicalPosterior<Phi>;
  readonly marginal: Marginal<Eta>;
  readonly x?: Tensor2D;
}): HierarchicalProblem<Theta, Phi, Eta> {
  const { target, family, marginal, x } = options;
  // A family that is no amortised one ignores x.
  const hierarchy = (phi: Phi): Hierarchy => family.hierarchy(phi, x as Tensor2D);
  const draw = (q: Hierarchy, key: Key, samples: number): ReturnType<typeof sampleHierarchy> => {
    const draws = sampleHierarchy(q, key, samples);
    const { shape } = draws.z;
    if (shape.length !== 3 || shape[0] !== samples || shape[1] !== target.batchSize || shape[2] !== family.dimension) {
      throw new Error(
        `hierarchicalProblem: q's draws have the shape ${formatShape(shape)}, but need ${formatShape([samples, target.batchSize, family.dimension])}.`,
      );
    }
    return draws;
  };
  const inputs = (q: Hierarchy, eta: Eta, draws: HierarchicalDraws, key: Key): MarginalInputs<Eta> => {
    return { hierarchy: q, eta, z: draws.z, psi0: draws.psi, x, key };
  };
  return {
    batchSize: target.batchSize,
    scale: target.scale,
    ...(target.klWeight !== undefined && { klWeight: target.klWeight }),
    marginal,
    x,
    hierarchy,
    logP: (theta, { z }) => target.logP(theta, z),
    sample: ({ q }, key, samples) =>
      tidied(() => {
        const { z, psi } = draw(hierarchy(q), key, samples);
        return { z, psi };
      }),
    logQ: ({ q, tau }, draws, key) => tf.tidy(() => marginal.logDensity(inputs(hierarchy(q), tau, draws, key))),
    sampleWithLogQ: ({ q, tau }, key, samples) =>
      tidied(() => {
        // The keys that drawLogWeights would hand to `sample` and `logQ`, so that both ways give the same numbers.
        const [first, second] = split(key);
        const at = hierarchy(q);
        const { z, psi, conditional } = draw(at, first, samples);
        const logQ = marginal.logDensity({ ...inputs(at, tau, { z, psi }, second), conditional });
        const tauIs = marginal.samples === 0 || marginal.reverse.reparameterised;
        // Draws of a q without parameters have nothing to carry a gradient into.
        const qIs = leaves(q).length === 0 || (at.mixing.reparameterised && conditional.reparameterised);
        const reparameterised = qIs && tauIs;
        return { z: { z, psi }, logQ, reparameterised };
      }),
  };
}

/**
 * The problem of a density that the user writes down, for a hierarchical q: `densityProblem` with a marginal's estimate of log q(z).
 *
 * ```ts
 * const family = hierarchical({
 *   mixing: standardNormal({ dimension: 3 }),
 *   conditional: gaussianConditional({ latent: 2, mixing: 3, hidden: [50, 50] }),
 * });
 * const marginal = iwhvi({ reverse: gaussianReverse({ latent: 2, mixing: 3, hidden: [50] }), samples: 5 });
 * const problem = hierarchicalDensityProblem({ logDensity, family, marginal });
 * const { phi } = await fit({
 *   problem, init: { phi: initialParameters(family, marginal, key) }, bound: elbo, samples: 100, optimizer, steps, key,
 * });
 * ```
 *
 * @throws Error as `densityProblem` and {@link hierarchicalProblem}.
 */
export function hierarchicalDensityProblem<Phi extends Parameters, Eta extends Parameters>(options: {
  readonly logDensity: (z: Tensor3D) => Tensor;
  readonly family: HierarchicalPosterior<Phi>;
  readonly marginal: Marginal<Eta>;
  /** B, where the family holds several posteriors at once. Default 1. */
  readonly batchSize?: number;
}): HierarchicalProblem<NoParameters, Phi, Eta> {
  const { family, marginal, ...rest } = options;
  return hierarchicalProblem({ target: densityProblem({ ...rest, family: sizeOf(family) }), family, marginal });
}

/**
 * The problem of one global latent behind a whole data set, for a hierarchical q: `posteriorProblem` with a marginal's estimate of log q(z).
 *
 * @throws Error as `posteriorProblem` and {@link hierarchicalProblem}.
 */
export function hierarchicalPosteriorProblem<Phi extends Parameters, Eta extends Parameters>(options: {
  readonly logPrior: (z: Tensor3D) => Tensor;
  readonly logLikelihood: (z: Tensor3D, x: Tensor2D) => Tensor;
  readonly family: HierarchicalPosterior<Phi>;
  readonly marginal: Marginal<Eta>;
  readonly x: Tensor2D;
  readonly scale: number;
}): HierarchicalProblem<NoParameters, Phi, Eta> {
  const { family, marginal, ...rest } = options;
  return hierarchicalProblem({ target: posteriorProblem({ ...rest, family: sizeOf(family) }), family, marginal });
}

/**
 * The problem of an amortised model with a hierarchical q(z | x): `latentVariableProblem` with a marginal's estimate of log q(z | x). q and τ look at x.
 *
 * With a weight β, log ŵ = log p(x | z) + β (log p(z) − log q̂(z | x)): for training alone. Under the ELBO it is the bound + (1 − β) E[log q̂(z | x) − log p(z)],
 * and a lower bound on log p(x) only for β ≥ 1; under IWAE only at β = 1, as for `latentVariableProblem`. A warm-up feeds β to `fit`'s steps by `schedules`.
 *
 * @param options.klWeight β ≥ 0. Default 1. The model must know its `logPrior`.
 * @throws Error as `latentVariableProblem` and {@link hierarchicalProblem}.
 */
export function hierarchicalLatentVariableProblem<
  Theta extends Parameters,
  Phi extends Parameters,
  Eta extends Parameters,
>(options: {
  readonly model: LatentVariableModel<Theta>;
  readonly family: ConditionalHierarchicalPosterior<Phi>;
  readonly marginal: Marginal<Eta>;
  readonly x: Tensor2D;
  readonly scale: number;
  readonly klWeight?: KlWeight;
}): HierarchicalProblem<Theta, Phi, Eta> {
  const { family, marginal, ...rest } = options;
  const target = latentVariableProblem({ ...rest, family: sizeOf(family) });
  return hierarchicalProblem({ target, family, marginal, x: rest.x });
}

/** Parameters of q and of τ to start from. */
export function initialParameters<Phi extends Parameters, Eta extends Parameters>(
  family: { init(key: Key): Phi },
  marginal: Marginal<Eta>,
  key: Key,
): HierarchicalParameters<Phi, Eta> {
  const [q, tau] = split(key);
  return { q: family.init(q), tau: marginal.reverse.init(tau) };
}

/** A family of that size to a problem of which only the model's half is used. */
function sizeOf(family: { readonly dimension: number }): Posterior<Parameters> {
  return {
    dimension: family.dimension,
    distribution: () => {
      throw new Error("A hierarchical q has no density in closed form.");
    },
  };
}
