import { choleskyFactor, choleskyInverse, choleskySolve, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { breathe } from "../engine/interrupt.js";
import type { LogDensity } from "../samplers/slope.js";
import { denseCurvature, laplace, startOf } from "./laplace.js";
import { denseGaussian, type LocalGaussian } from "./localGaussian.js";
import { dot } from "./mode.js";
import { numericSlope, type SlopeOf } from "./numericSlope.js";

/** Options of {@link deltaMethod}. */
export interface DeltaMethodOptions {
  /** Positions `[..., D]` to log-densities `[...]`, once differentiable. */
  readonly logDensity: LogDensity;
  /** D. */
  readonly dimension: number;
  /** Where the search for the mode starts, `[D]`; the mean is sought from the mode. Default 0. */
  readonly start?: ArrayLike<number>;
  /** Default 100. */
  readonly maxSteps?: number;
}

/** What {@link deltaMethod} finds. */
export interface DeltaMethodFit extends LocalGaussian {
  /** The objective at its maximum, which estimates log ∫ f; no bound. */
  readonly logEvidence: number;
  /** Length of the objective's gradient, in standard deviations. */
  readonly gradientNorm: number;
  readonly steps: number;
  readonly converged: boolean;
}

/**
 * Delta-method variational inference: the Gaussian N(μ, Σ) that maximises the ELBO with log f replaced by its second-order expansion about μ,
 *
 * `E_q[log f] ≈ log f(μ) + ½ tr(∇² log f(μ) Σ)`, whose best Σ is `Λ(μ)⁻¹`, `Λ = −∇² log f`, which leaves `log f(μ) − ½ log |Λ(μ)| + (D/2) log 2π` to maximise over μ.
 *
 * Unlike Laplace's, its mean moves off the mode to where the density is wider: the gradient has the third derivatives `½ ∇ tr(∇² log f Σ)` besides, taken here as second
 * differences of the gradient along the columns of Σ's Cholesky factor. An expansion is no bound, so neither is the objective; on a Gaussian it is exact.
 *
 * @throws Error if the start has another length than D, or as `laplace`, from whose mode it starts.
 * Source: Wang & Blei 2013, "Variational inference in nonconjugate models", JMLR 14 (delta-method variational inference).
 */
export async function deltaMethod(options: DeltaMethodOptions): Promise<DeltaMethodFit> {
  const { logDensity, dimension: D, maxSteps = 100 } = options;
  const slope = numericSlope(logDensity, D);
  const mode = await laplace({ logDensity, dimension: D, start: startOf("deltaMethod", D, options.start) });
  let here = at(slope, mode.mean);
  let steps = 0;
  for (; steps < maxSteps && here.length > 1e-5; steps++) {
    await breathe();
    let better: Here | undefined;
    for (let size = 1; size > 1e-3 && !better; size /= 2) {
      const moved = here.point.map((x, d) => x + size * here.step[d]);
      const there = tryAt(slope, moved);
      // Rounding hides gains of the objective near the top; there a shorter gradient decides.
      if (there && (there.objective > here.objective + 1e-4 || there.length < here.length)) better = there;
    }
    if (!better) break;
    here = better;
  }
  return {
    ...denseGaussian(here.point, here.precision, "deltaMethod: the curvature"),
    logEvidence: here.objective,
    gradientNorm: here.length,
    steps,
    converged: here.length < 0.01,
  };
}

interface Here {
  readonly point: Float64Array;
  readonly precision: Float64Array;
  readonly objective: number;
  /** Σ times the objective's gradient. */
  readonly step: Float64Array;
  /** The gradient's length in standard deviations. */
  readonly length: number;
}

function tryAt(slope: SlopeOf, point: Float64Array): Here | undefined {
  try {
    return at(slope, point);
  } catch (error) {
    if (error instanceof Error) return undefined; // no downward curvature there
    throw error;
  }
}

function at(slope: SlopeOf, point: Float64Array): Here {
  const D = point.length;
  const precision = denseCurvature(slope, point);
  const factor = choleskyFactor(precision, D, "The curvature");
  const { values, gradients } = slope(point);
  const third = thirdOrder(slope, point, gradients, choleskyFactor(choleskyInverse(factor, D), D, "The covariance"));
  const gradient = gradients.map((g, d) => g + third[d]);
  const step = choleskySolve(factor, D, gradient);
  const objective = values[0] - logDeterminant(factor, D) / 2 + (D / 2) * Math.log(2 * Math.PI);
  return { point, precision, objective, step, length: Math.sqrt(Math.max(0, dot(gradient, step))) };
}

/** Width of the second differences, in standard deviations. */
const width = 0.4;

/** ½ ∇ tr(∇² log f Σ) = ½ Σ_s ∂²g/∂l_s², l_s the columns of Σ's Cholesky factor: second differences with Richardson's combination. */
function thirdOrder(slope: SlopeOf, point: Float64Array, gradient: Float64Array, lower: Float64Array): Float64Array {
  const D = point.length;
  const shifts = [width, -width, 2 * width, -2 * width];
  const points = new Float64Array(4 * D * D);
  for (let s = 0; s < D; s++) {
    shifts.forEach((shift, i) => {
      for (let d = 0; d < D; d++) points[(4 * s + i) * D + d] = point[d] + shift * lower[d * D + s];
    });
  }
  const { gradients } = slope(points);
  const out = new Float64Array(D);
  for (let s = 0; s < D; s++) {
    for (let d = 0; d < D; d++) {
      const second = (i: number, h: number): number =>
        (gradients[(4 * s + i) * D + d] + gradients[(4 * s + i + 1) * D + d] - 2 * gradient[d]) / h ** 2;
      out[d] += (4 * second(0, width) - second(2, 2 * width)) / 3 / 2;
    }
  }
  return out;
}
