import { sum } from "../diagnostics/moments.js";
import { logIntegral, type Quadrature } from "../diagnostics/quadrature.js";
import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { checkFiniteRows, valuesOf } from "../engine/values.js";
import type { GridModel } from "../models/logEvidence.js";
import type { ConditionalPosterior } from "../models/problem.js";
import {
  exactIwae,
  exactLogTilt,
  type LaplaceTransformOptions,
  type WeightDistribution,
} from "./exactImportanceWeighted.js";

/** How many log-likelihoods one pass computes, and how many latents it decodes: 50 MB a tensor for 28×28 images. */
const [valuesAtOnce, latentsAtOnce] = [1 << 22, 1 << 14];

/** Nodes that q gives less than this are left out of the law of its weights, where they could only underflow. */
const negligible = 1e-20;

/** The posterior of one datum's latent, and what resampling from q makes of it, as probabilities of the nodes of a quadrature rule. */
export interface GridPosterior {
  /** log p(x). */
  readonly logEvidence: number;
  /** log p(x | z_g), `[G]`. */
  readonly logLikelihood: Float64Array;
  /** p(z_g | x) times the volume of the node, `[G]`, which sum to 1. */
  readonly posterior: Float64Array;
  /**
   * q_EW(z_g | x) times the volume of the node, `[G]`: the law of one draw by sampling-importance-resampling from k proposals. k = 1 is q itself.
   *
   * @throws RangeError if k is no positive integer, or if q's probabilities do not sum to 1 within 1e-6: widen or refine the rule.
   */
  resampled(k: number): Float64Array;
  /**
   * L_k, the expectation of the IWAE bound.
   *
   * @throws RangeError as `resampled`.
   */
  bound(k: number): number;
  /** KL(· ‖ p(z | x)) of probabilities of the nodes, `[G]`. */
  divergence(probabilities: Float64Array): number;
  /** E[f(z)] under probabilities of the nodes, from the values of f at them, `[G]`. A node of probability 0 is not read. */
  expectation(probabilities: Float64Array, values: Float64Array): number;
}

/** Options of {@link gridPosterior}. */
export interface GridPosteriorOptions<Theta extends Parameters, Phi extends Parameters>
  extends LaplaceTransformOptions {
  readonly model: GridModel<Theta>;
  readonly family: ConditionalPosterior<Phi>;
  readonly theta: Theta;
  readonly phi: Phi;
  /** Data, `[B, P]`, B ≥ 1. */
  readonly x: Tensor2D;
  /** Nodes and volumes; they must cover and resolve the posterior of every datum, and q too where `resampled` or `bound` is asked for. */
  readonly rule: Quadrature;
}

/**
 * Exact inference by quadrature, datum by datum: with p(x, z_g) and q(z_g | x) on the nodes of a rule, all that k importance weights make
 * is a sum over the nodes ({@link exactIwae}, {@link exactLogTilt}).
 *
 * p(z_g | x) = N(z_g; 0, I) p(x | z_g) v_g / Σ_h …, with volumes v_g. What a rule leaves out or blurs shows when it is refined: compare two.
 *
 * @returns one value a datum, numbers only. Memory is 24 G bytes a datum.
 * @throws Error if the data are empty or the dimensions of model, family and rule differ.
 */
export async function gridPosterior<Theta extends Parameters, Phi extends Parameters>(
  options: GridPosteriorOptions<Theta, Phi>,
): Promise<GridPosterior[]> {
  const { model, family, theta, phi, x, rule, ...laplace } = options;
  checkShape("gridPosterior: x", x, ["*", "*"]);
  const batch = x.shape[0];
  if (batch === 0) throw new Error("gridPosterior: the data are empty; give them at least one row.");
  const { dimension } = rule;
  if (model.dimension !== dimension || family.dimension !== dimension) {
    throw new Error(
      `gridPosterior: the rule has ${dimension} dimensions, the model ${model.dimension}, the family ${family.dimension}; make them equal.`,
    );
  }
  checkFiniteRows("gridPosterior: x", x);
  const size = rule.logWeights.length;
  const logLikelihoods = Array.from({ length: batch }, () => new Float64Array(size));
  const logProposals = Array.from({ length: batch }, () => new Float64Array(size));
  const chunk = Math.max(1, Math.min(latentsAtOnce, Math.floor(valuesAtOnce / batch)));
  for (let start = 0; start < size; start += chunk) {
    const count = Math.min(chunk, size - start);
    const nodes = Float32Array.from(rule.points.subarray(start * dimension, (start + count) * dimension));
    const matrix = (compute: (z: Tensor2D) => Tensor2D): Float32Array =>
      valuesOf(() => compute(tf.tensor2d(nodes, [count, dimension])));
    const transpose = (values: Float32Array, rows: Float64Array[]): void => {
      for (let g = 0; g < count; g++) for (let b = 0; b < batch; b++) rows[b][start + g] = values[g * batch + b];
    };
    transpose(
      matrix((z) => model.logLikelihoodMatrix(theta, z, x)),
      logLikelihoods,
    );
    transpose(
      matrix((z) => logProposalMatrix(family, phi, z, x)),
      logProposals,
    );
    await breathe();
  }
  const logPrior = Float64Array.from({ length: size }, (_, g) => {
    let squares = 0;
    for (let d = 0; d < dimension; d++) squares += rule.points[g * dimension + d] ** 2;
    return -0.5 * (squares + dimension * Math.log(2 * Math.PI));
  });
  return logLikelihoods.map((logLikelihood, b) =>
    posteriorOf({ rule, logPrior, logLikelihood, logProposal: logProposals[b], laplace }),
  );
}

/** log q(z_g | x_b), `[G, B]`. */
function logProposalMatrix<Phi extends Parameters>(
  family: ConditionalPosterior<Phi>,
  phi: Phi,
  z: Tensor2D,
  x: Tensor2D,
): Tensor2D {
  const [count, dimension] = z.shape;
  const everywhere = tf.broadcastTo(tf.expandDims(z, 1), [count, x.shape[0], dimension]) as Tensor3D;
  return family.distribution(phi, x).logProb(everywhere) as Tensor2D;
}

function posteriorOf(given: {
  readonly rule: Quadrature;
  readonly logPrior: Float64Array;
  readonly logLikelihood: Float64Array;
  readonly logProposal: Float64Array;
  readonly laplace: LaplaceTransformOptions;
}): GridPosterior {
  const { rule, logPrior, logLikelihood, logProposal, laplace } = given;
  const logJoint = logLikelihood.map((value, g) => value + logPrior[g]);
  const logEvidence = logIntegral(rule, logJoint);
  const logPosterior = logJoint.map((value, g) => value + rule.logWeights[g] - logEvidence);
  const proposal = logProposal.map((value, g) => Math.exp(value + rule.logWeights[g]));
  const visited = Uint32Array.from(proposal.keys()).filter((g) => proposal[g] >= negligible);
  const weights: WeightDistribution = {
    logWeights: Float64Array.from(visited, (g) => logJoint[g] - logProposal[g]),
    probabilities: Float64Array.from(visited, (g) => proposal[g]),
  };
  return {
    logEvidence,
    logLikelihood,
    posterior: logPosterior.map((value) => Math.exp(value)),
    resampled: (k) => {
      const resampled = new Float64Array(proposal.length);
      exactLogTilt(weights, k, weights.logWeights, laplace).forEach((tilt, i) => {
        resampled[visited[i]] = weights.probabilities[i] * Math.exp(tilt);
      });
      return resampled;
    },
    bound: (k) => exactIwae(weights, k, laplace),
    divergence: (probabilities) =>
      sum(probabilities.map((p, g) => (p === 0 ? 0 : p * (Math.log(p) - logPosterior[g])))),
    expectation: (probabilities, values) => sum(probabilities.map((p, g) => (p === 0 ? 0 : p * values[g]))),
  };
}
