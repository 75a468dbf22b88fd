import { elbo } from "../bounds/elbo.js";
import { onOwnTape } from "../engine/ownTape.js";
import type { Parameters } from "../engine/parameters.js";
import { split } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { ReplaceableProblem } from "../models/factorReplacement.js";
import { refuseKlWeight } from "../models/klWeight.js";
import { checkSamples, type Problem } from "../models/problem.js";
import { bestWeight } from "./bestWeight.js";
import { type DeclaredGradient, declareGradient, unbiased } from "./declared.js";
import { type FactorDraws, factorDraws, mixtureLogDensity, proposalsOf } from "./factorDraws.js";
import { heldParameters } from "./held.js";
import { membersOf } from "./membersOf.js";
import { enoughDraws } from "./scoreControlVariate.js";

/** Options of {@link overdispersedFactors}. */
export interface OverdispersedFactorsOptions {
  /** τ_1, …, τ_J ≥ 1, for a problem that does not learn its own. Default `[1, 3]`; `[1]` draws from q. */
  readonly dispersions?: readonly number[];
  /** M: how many draws of the other coordinates the K draws of each share, K/M to each. Default 1, as in the paper. */
  readonly contexts?: number;
  /** Whether scores are taken off, by the best weights from K further draws. Default true, as in the paper. */
  readonly controlVariate?: boolean;
}

/**
 * Overdispersed black-box inference, one coordinate of z at a time: z_n comes from wider members of q_n's own exponential family, the rest of its Markov blanket from q,
 *
 * ∂L/∂λ_n = E (1/K) Σ_k w_kn h_kn [log p_n(x, z′_kn, z_−n) − log q_n(z′_kn) − a_n],  h = ∂ log q_n(z′_kn)/∂λ_n,  w = q_n / r_n,  r_n = (1/J) Σ_j r_nj,
 *
 * with z′_kn ~ r_nj, K/J from each, and z_−n from M draws of q. Each weight is of one coordinate, so that none degrades with D. For every λ_n, a_n = Cov(f, h)/Var(h) of
 * the weighted f and h, over K further draws in the same contexts: that costs a second K evaluations of the blankets. Where the problem is one of `withFactorDispersions`,
 * τ moves along −½ ∂/∂τ_n of the second moment of what is left of f, ½ E_r[Σ_λ |f − a h|² ∂ log r_n/∂τ_n].
 *
 * Unbiased for the ELBO, whatever τ, if q is a product. For continuous z_n the weights a_n have a mean from K = 3 on, and a finite variance from K = 4 on (see `scoreControlVariate`). What K draws cannot take away is the variance over the contexts, Var(E[f | z_−n])/M. The value is the ELBO's estimate
 * from the M contexts.
 *
 * @throws Error for another bound; if K is no multiple of M J, or below 2 with a control variate; if the problem cannot replace its factors one by one, or a law of its q is in
 *   none of the families of `exponentialMembers`; or if it weighs its KL term.
 * Source: Ruiz, Titsias & Blei 2016, "Overdispersed black-box variational inference", algorithm 1 (M = 1).
 */
export function overdispersedFactors(options: OverdispersedFactorsOptions = {}): DeclaredGradient {
  const { dispersions = [1, 3], contexts = 1, controlVariate = true } = options;
  const name = "overdispersedFactors";
  if (dispersions.length === 0 || dispersions.some((tau) => !(tau >= 1 && Number.isFinite(tau))))
    throw new Error(`${name}: dispersions must be one or more finite numbers ≥ 1, not [${dispersions.join(", ")}].`);
  if (!Number.isInteger(contexts) || contexts < 1)
    throw new Error(`${name}: contexts must be a positive integer, not ${contexts}.`);
  const shown = [
    `τ = ${dispersions.join(", ")}`,
    ...(contexts === 1 ? [] : [`${contexts} contexts`]),
    ...(controlVariate ? [] : ["no control variate"]),
  ];
  return declareGradient(
    `${name} (${shown.join(", ")})`,
    (bound) =>
      bound === elbo
        ? { ...unbiased, ...(controlVariate && { provided: enoughDraws }) }
        : {
            verdict: "refused",
            why: "a bound other than the ELBO is no sum over factors, so no term drops out of a factor's signal; use scoreFunction({ baseline: vimco }), or bound: elbo.",
          },
    ({ problem: given, theta, phi, samples, key }) => {
      checkSamples(samples);
      refuseKlWeight(name, given);
      const problem = replaceable(name, given);
      return tidied(() => {
        const held = heldParameters(phi);
        const members = membersOf(name, problem, held);
        const learned = learnedDispersions(problem, phi);
        const tau = learned ?? tf.tensor2d([...dispersions], [dispersions.length, 1]);
        checkDraws(name, { samples, proposals: tau.shape[0] as number, contexts, controlVariate });
        const [context, main, further] = split(key, 3);
        const { z, logQ, draws, slopes, squares } = onOwnTape(() => {
          const z = problem.sample(held, context, contexts);
          const at = { problem, theta, phi: held, members, tau, samples, contexts: z };
          const draws = factorDraws({ ...at, key: main });
          const others = controlVariate ? factorDraws({ ...at, key: further }) : undefined;
          const left = draws.map((own, i) => remainders(own, others?.[i]));
          return {
            z,
            logQ: problem.logQ(held, z, context),
            draws,
            slopes: left.map((parts) => parts.map((part) => tf.mean(part, 0))),
            squares: left.map((parts) => tf.addN(parts.map(tf.square))),
          };
        });
        const value = tf.mean(tf.sub(problem.logP(theta, z), logQ), 0) as Tensor1D;
        // Σ_n g_n λ_n with g held: the coordinates carry it on to φ.
        const along = membersOf(name, problem, phi).flatMap(({ coordinates }, i) =>
          coordinates.map((coordinate, c) => tf.sum(tf.mul(slopes[i][c], coordinate))),
        );
        // ½ E_r[|f − a h|² log r] with all but τ held, whose derivative in τ is minus half that of the second moment.
        const moments = !learned
          ? []
          : proposalsOf(members, tau).map((laws, i) =>
              tf.mul(0.5 / samples, tf.sum(tf.mul(squares[i], mixtureLogDensity(laws, draws[i].x)))),
            );
        const climbed = tf.addN([tf.sum(value), ...along, ...moments]);
        return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
      });
    },
    "q such a product, coordinates replaceable one by one",
  );
}

/** f − a h for each coordinate of φ, `[K, B, n]`, with a the best weight for further draws, `[B, n]`; f where there are none. */
function remainders({ signals, scores }: FactorDraws, further: FactorDraws | undefined): Tensor[] {
  if (!further) return signals;
  return signals.map((f, i) => tf.sub(f, tf.mul(bestWeight(further.signals[i], further.scores[i]), scores[i])));
}

function replaceable<Theta extends Parameters, Phi extends Parameters, Z>(
  name: string,
  problem: Problem<Theta, Phi, Z>,
): ReplaceableProblem<Theta, Phi> {
  if ("replaced" in problem) return problem as unknown as ReplaceableProblem<Theta, Phi>;
  throw new Error(
    `${name}: this problem cannot replace one coordinate at a time; declare which coordinates share no term by withIndependentSets({ problem, sets }), or use overdispersed.`,
  );
}

function learnedDispersions<Theta extends Parameters, Phi extends Parameters>(
  problem: ReplaceableProblem<Theta, Phi>,
  phi: Phi,
): Tensor | undefined {
  if (!("factorDispersions" in problem)) return undefined;
  const { factorDispersions } = problem as unknown as { factorDispersions(of: unknown): Tensor };
  return factorDispersions(phi.dispersion);
}

function checkDraws(
  name: string,
  how: {
    readonly samples: number;
    readonly proposals: number;
    readonly contexts: number;
    readonly controlVariate: boolean;
  },
): void {
  const { samples, proposals, contexts, controlVariate } = how;
  if (samples % (proposals * contexts) !== 0)
    throw new Error(
      `${name}: each of ${contexts} contexts takes as many draws from each of ${proposals} proposals, so K must be a multiple of ${proposals * contexts}, not ${samples}.`,
    );
  if (controlVariate && samples < 2)
    throw new Error(
      `${name}: a control variate's weight is a ratio of variances over draws, and needs K ≥ 2; draw more, or set controlVariate: false.`,
    );
}
