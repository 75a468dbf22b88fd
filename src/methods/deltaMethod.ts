import { choleskyFactor, choleskyInverse, choleskySolve, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { breathe } from "../engine/interrupt.js";
import type { LogDensity } from "../samplers/slope.js";
import { checkSteps, denseCurvature, laplace, startOf } from "./laplace.js";
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
  /** Steps from the mode at most, a positive integer. Default 100. */
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
 * No step lowers the objective beyond float32's rounding, so from the mode it climbs to the maximum next to it; of a mode that by symmetry is a saddle of the objective it knows nothing.
 *
 * @throws Error if the start has another length than D, if `maxSteps` is not a positive integer, or as `laplace`, from whose mode it starts.
 * Source: Wang & Blei 2013, "Variational inference in nonconjugate models", JMLR 14 (delta-method variational inference).
 */
export async function deltaMethod(options: DeltaMethodOptions): Promise<DeltaMethodFit> {
  const { logDensity, dimension: D, maxSteps = 100 } = options;
  const start = startOf("deltaMethod", D, options.start);
  checkSteps("deltaMethod", maxSteps);
  const slope = numericSlope(logDensity, D);
  const mode = await laplace({ logDensity, dimension: D, start });
  let here = at(slope, mode.mean);
  let steps = 0;
  for (; steps < maxSteps && here.length > 1e-5; steps++) {
    await breathe();
    let better: Here | undefined;
    for (let size = 1; size > 1e-3 && !better; size /= 2) {
      const moved = here.point.map((x, d) => x + size * here.step[d]);
      const there = tryAt(slope, moved);
      if (there && rises(here, there, size)) better = there;
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

/** Log-densities are float32 sums, so this share of an objective's size is rounding. */
const rounding = 2 ** -21;

/** Whether a step of this size brings a share of what the slope promises. Near the top rounding hides that; there the gradient must shorten, and the objective not fall beyond it. */
function rises(here: Here, there: Here, size: number): boolean {
  if (!Number.isFinite(there.length)) return false;
  const gain = there.objective - here.objective;
  const slack = rounding * Math.max(1, Math.abs(here.objective));
  if (gain > slack) return gain >= 1e-4 * size * here.length ** 2;
  return gain >= -slack && there.length < here.length;
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

/** ½ ∇ tr(∇² log f Σ) = ½ Σ_s ∂²g/∂l_s², l_s the columns of Σ's Cholesky factor. */
function thirdOrder(slope: SlopeOf, point: Float64Array, gradient: Float64Array, lower: Float64Array): Float64Array {
  const D = point.length;
  const columns = lower.map((_, k) => lower[(k % D) * D + Math.floor(k / D)]);
  const seconds = bend(slope, point, gradient, columns, { lower, step: width });
  const out = new Float64Array(D);
  seconds.forEach((value, k) => {
    out[k % D] += value / 2;
  });
  return out;
}

/**
 * ∂²g along directions `[n · D]`, row by row: second differences with Richardson's combination of h and 2h. Where the two disagree by more than a tenth, and by more than a fiftieth of
 * a standard deviation, the step is cut to a quarter, twice at most.
 */
function bend(
  slope: SlopeOf,
  point: Float64Array,
  gradient: Float64Array,
  directions: Float64Array,
  { lower, step }: { readonly lower: Float64Array; readonly step: number },
): Float64Array {
  const D = point.length;
  const n = directions.length / D;
  const shifts = [step, -step, 2 * step, -2 * step];
  const points = new Float64Array(4 * n * D);
  for (let s = 0; s < n; s++) {
    shifts.forEach((shift, i) => {
      for (let d = 0; d < D; d++) points[(4 * s + i) * D + d] = point[d] + shift * directions[s * D + d];
    });
  }
  const { gradients } = slope(points);
  const out = new Float64Array(n * D);
  for (let s = 0; s < n; s++) {
    const [near, far] = [0, 2].map((i) =>
      gradient.map((g, d) => {
        const [up, down] = [0, 1].map((sign) => gradients[(4 * s + i + sign) * D + d]);
        return (up + down - 2 * g) / (i === 0 ? step : 2 * step) ** 2;
      }),
    );
    const row = out.subarray(s * D, (s + 1) * D);
    row.set(near.map((value, d) => (4 * value - far[d]) / 3));
    const apart = inDeviations(
      near.map((value, d) => value - far[d]),
      lower,
    );
    if (!(apart < Math.max(0.1 * inDeviations(near, lower), 0.02)) && step > width / 10)
      row.set(bend(slope, point, gradient, directions.slice(s * D, (s + 1) * D), { lower, step: step / 4 }));
  }
  return out;
}

/** √(gᵀ Σ g) = |Lᵀ g|. */
function inDeviations(g: Float64Array, lower: Float64Array): number {
  const D = g.length;
  let total = 0;
  for (let s = 0; s < D; s++) {
    let along = 0;
    for (let d = s; d < D; d++) along += lower[d * D + s] * g[d];
    total += along ** 2;
  }
  return Math.sqrt(total);
}
