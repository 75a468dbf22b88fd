import { choleskyFactor, choleskyInverse, choleskySolve } from "../diagnostics/choleskyFactor.js";
import { breathe } from "../engine/interrupt.js";
import type { Key } from "../engine/random.js";
import { type CurvedSum, checkPoint, type FiniteSum } from "../models/finiteSum.js";
import type { Schedule } from "../optimize/optimizer.js";
import { shuffledRows } from "../optimize/shuffledRows.js";
import { checkRate } from "./checkRate.js";
import { expectedCurvature, type HessianEstimate } from "./expectedCurvature.js";
import { type GaussianExpectation, gaussianNodes } from "./gaussianNodes.js";
import { denseGaussian, diagonalGaussian, type LocalGaussian } from "./localGaussian.js";

/** One point of the trace of {@link variationalOnlineNewton}: a row of a table. */
export type VonPoint = {
  /** How many steps had been taken. */
  readonly step: number;
  /** The estimate of the ELBO by the next step's minibatch and points; exact for all data and enough quadrature nodes. */
  readonly bound: number;
  /** Length of the ELBO's gradient in m, estimated alike, in standard deviations of q: √(gᵀ Λ⁻¹ g). */
  readonly gradientNorm: number;
};

/** Options of {@link variationalOnlineNewton}. */
export interface VonOptions {
  /** −log p(y_i | z), a term for each datum, without the prior. */
  readonly terms: FiniteSum & Partial<CurvedSum>;
  /** p(z) = N(mean, I/precision). */
  readonly prior: { readonly mean?: Float64Array; readonly precision: number };
  /** Λ in full (default), or diagonal. */
  readonly covariance?: "full" | "diagonal";
  readonly expectation: GaussianExpectation;
  /** Default `"exact"`, which needs the terms' Hessians. */
  readonly hessian?: HessianEstimate;
  /** ρ_t in (0, 1], for t from 0. */
  readonly rate: Schedule;
  readonly steps: number;
  /** S, 1 to N. Default N. */
  readonly batchSize?: number;
  /** Draws the minibatches; needed where S < N. */
  readonly key?: Key;
  /** m, `[D]`, and the precision of every coordinate. Default: the prior's. */
  readonly start?: { readonly mean: Float64Array; readonly precision: number };
  /**
   * What to do where the expected Hessian is negative in some direction: `"refuse"` (default), an error once Λ is no precision; or `"retract"`, which adds
   * `½ ρ² (Λ − G) Λ⁻¹ (Λ − G)` and so keeps Λ positive definite, at the same fixed points.
   */
  readonly keepPositive?: "refuse" | "retract";
}

/** What {@link variationalOnlineNewton} returns: q, as numbers and as a posterior. */
export interface VonResult extends LocalGaussian {
  /** Λ, `[D · D]` row by row, or its diagonal, `[D]`. */
  readonly precision: Float64Array;
  /** The start and every step, with one estimate for the end. */
  readonly trace: readonly VonPoint[];
}

/**
 * Variational online Newton: natural gradients of a Gaussian `q = N(m, Λ⁻¹)` where the model is not conjugate,
 *
 * `Λ ← (1 − ρ) Λ + ρ G`, `G = P + N/S Σ_i E_q[∇²f_i]`; `m ← m − ρ Λ⁻¹ (P (m − m_0) + N/S Σ_i E_q[∇f_i])` with the new Λ, f_i = −log p(y_i | z) and P the prior's precision.
 *
 * It is the step of size ρ on the ELBO in q's natural parameters, as SVI's is; on a Gaussian target one step with ρ = 1 is exact. With f_i convex and ρ ≤ 1 the precision stays positive definite.
 * With the exact or reparameterised Hessian its fixed points are those of the ELBO's gradient; with Gauss–Newton's m has the zero of the ELBO's gradient and Λ another value.
 *
 * @throws RangeError if an option is out of range, the terms have no Hessian where one is asked for, or Λ is no longer positive definite (the error names the step).
 * Source: Khan, Nielsen, Tangkaratt, Lin, Gal & Srivastava 2018, "Fast and scalable Bayesian deep learning by weight-perturbation in Adam", section 3 and appendix D; the retraction: Lin,
 *   Schmidt & Khan 2020, "Handling the positive-definite constraint in the Bayesian learning rule".
 */
export async function variationalOnlineNewton(options: VonOptions): Promise<VonResult> {
  const where = "variationalOnlineNewton";
  const { terms, prior, covariance = "full", expectation, hessian: estimate = "exact", rate, steps } = options;
  const [N, D] = [terms.size, terms.dimension];
  const { batchSize = N, keepPositive = "refuse", start = { precision: prior.precision } } = options;
  const priorMean = prior.mean ?? new Float64Array(D);
  let mean = Float64Array.from(options.start?.mean ?? priorMean);
  checkPoint(where, terms, mean);
  checkPoint(`${where}: the prior's mean`, terms, priorMean);
  checkOptions(where, { prior: prior.precision, start: start.precision }, steps);
  if (estimate === "exact" && !terms.accumulateHessian)
    throw new RangeError(
      `${where}: "${terms.name}" has no Hessian; give its accumulateHessian, or take hessian: "reparameterised".`,
    );
  if (batchSize !== N && !options.key) throw new RangeError(`${where}: minibatches are drawn; give a key.`);
  const rowsAt = options.key
    ? shuffledRows(options.key, N, batchSize)
    : () => Int32Array.from({ length: N }, (_, i) => i);
  const nodesAt = gaussianNodes(where, expectation, D);
  const algebra = covariance === "full" ? full(D) : diagonal(D);
  let precision = algebra.scaled(start.precision);
  const trace: VonPoint[] = [];
  for (let step = 0; ; step++) {
    await breathe();
    const factor = factorOf(where, algebra, precision, step);
    const here = expectedCurvature({ terms, rows: rowsAt(step), mean, factor, nodes: nodesAt(step), estimate });
    const scale = N / batchSize;
    const gradient = here.gradient.map((g, d) => scale * g + prior.precision * (mean[d] - priorMean[d]));
    const variances = algebra.variances(factor);
    let bound = -scale * here.value - algebra.logDeterminant(factor) / 2 + (D * (Math.log(prior.precision) + 1)) / 2;
    for (let d = 0; d < D; d++) bound -= (prior.precision * ((mean[d] - priorMean[d]) ** 2 + variances[d])) / 2;
    const natural = algebra.solve(factor, gradient);
    const gradientNorm = Math.sqrt(gradient.reduce((sum, g, d) => sum + g * natural[d], 0));
    if (!Number.isFinite(bound) || !Number.isFinite(gradientNorm))
      throw new RangeError(
        `${where}: after ${step} steps the bound is ${bound}; check the data, or take a smaller rate.`,
      );
    trace.push({ step, bound, gradientNorm });
    if (step === steps) break;
    const rho = rate(step);
    checkRate(where, `step ${step}`, rho);
    const target = algebra.scaled(prior.precision).map((value, i) => value + scale * here.hessian[i]);
    if (keepPositive === "retract") {
      const off = precision.map((value, i) => value - target[i]);
      const second = algebra.sandwich(factor, off);
      precision = precision.map((value, i) => value - rho * off[i] + (rho * rho * second[i]) / 2);
      mean = mean.map((m, d) => m - rho * natural[d]); // with the old Λ, the point that the retraction is about
    } else {
      precision = precision.map((value, i) => (1 - rho) * value + rho * target[i]);
      const move = algebra.solve(factorOf(where, algebra, precision, step + 1), gradient);
      mean = mean.map((m, d) => m - rho * move[d]);
    }
  }
  const local = algebra.gaussian(mean, precision);
  return { ...local, precision, trace };
}

/** What is done with a precision, in full or by its diagonal; a factor is L of L Lᵀ, or the roots. */
interface PrecisionAlgebra {
  scaled(value: number): Float64Array;
  factor(precision: Float64Array): Float64Array;
  solve(factor: Float64Array, right: Float64Array): Float64Array;
  variances(factor: Float64Array): Float64Array;
  logDeterminant(factor: Float64Array): number;
  /** `A Λ⁻¹ A` for a symmetric A. */
  sandwich(factor: Float64Array, a: Float64Array): Float64Array;
  gaussian(mean: Float64Array, precision: Float64Array): LocalGaussian;
}

function full(D: number): PrecisionAlgebra {
  const what = "variationalOnlineNewton: the precision";
  return {
    scaled: (value) => Float64Array.from({ length: D * D }, (_, i) => (i % (D + 1) === 0 ? value : 0)),
    factor: (precision) => choleskyFactor(precision, D, what),
    solve: (factor, right) => choleskySolve(factor, D, right),
    variances: (factor) => choleskyInverse(factor, D).filter((_, i) => i % (D + 1) === 0),
    logDeterminant: (factor) => {
      let total = 0;
      for (let d = 0; d < D; d++) total += 2 * Math.log(factor[d * D + d]);
      return total;
    },
    sandwich: (factor, a) => {
      const out = new Float64Array(D * D);
      for (let j = 0; j < D; j++) {
        const column = choleskySolve(factor, D, a.subarray(j * D, (j + 1) * D));
        for (let i = 0; i < D; i++) for (let k = 0; k < D; k++) out[i * D + j] += a[i * D + k] * column[k];
      }
      return out;
    },
    gaussian: (mean, precision) => denseGaussian(mean, precision, what),
  };
}

function diagonal(D: number): PrecisionAlgebra {
  return {
    scaled: (value) => new Float64Array(D).fill(value),
    factor: (precision) => {
      const bad = precision.findIndex((value) => !(value > 0));
      if (bad !== -1) throw new RangeError(`the precision of coordinate ${bad} is ${precision[bad]}`);
      return precision.map(Math.sqrt);
    },
    solve: (factor, right) => right.map((value, d) => value / factor[d] ** 2),
    variances: (factor) => factor.map((root) => root ** -2),
    logDeterminant: (factor) => factor.reduce((total, root) => total + 2 * Math.log(root), 0),
    sandwich: (factor, a) => a.map((value, d) => (value / factor[d]) ** 2),
    gaussian: (mean, precision) =>
      diagonalGaussian(
        mean,
        precision.map((value) => 1 / Math.sqrt(value)),
      ),
  };
}

function factorOf(where: string, algebra: PrecisionAlgebra, precision: Float64Array, step: number): Float64Array {
  try {
    return algebra.factor(precision);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(
      `${where}: after ${step} steps the precision is not positive definite (${error.message}): the expected Hessian is negative in some direction; take keepPositive: "retract", hessian: "gaussNewton", or more data and points at a smaller rate.`,
      { cause: error },
    );
  }
}

function checkOptions(
  where: string,
  precisions: { readonly prior: number; readonly start: number },
  steps: number,
): void {
  for (const [name, value] of Object.entries(precisions)) {
    if (!(value > 0 && value < Infinity))
      throw new RangeError(`${where}: the ${name}'s precision must be positive and finite, not ${value}.`);
  }
  if (!Number.isInteger(steps) || steps < 1)
    throw new RangeError(`${where}: steps must be a positive integer, not ${steps}.`);
}
