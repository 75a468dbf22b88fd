import { choleskyFactor, choleskySolve } from "../diagnostics/choleskyFactor.js";
import { breathe } from "../engine/interrupt.js";
import type { Key } from "../engine/random.js";
import type { LogDensity } from "../samplers/slope.js";
import { curvatureRows } from "./curvature.js";
import { denseGaussian, diagonalGaussian, type LocalGaussian, spikedGaussian } from "./localGaussian.js";
import { lowRankCurvature } from "./lowRankCurvature.js";
import { dot, findMode } from "./mode.js";
import { numericSlope, type SlopeOf } from "./numericSlope.js";

/** Options of {@link laplace}. */
export interface LaplaceApproximationOptions {
  /** Positions `[..., D]` to log-densities `[...]`, once differentiable: what `unconstrained` gives. */
  readonly logDensity: LogDensity;
  /** D. */
  readonly dimension: number;
  /** Where the search for the mode starts, `[D]`. Default 0. */
  readonly start?: ArrayLike<number>;
  /** How much of the curvature to keep: all D² of it (default), its diagonal, or what exceeds a given diagonal in few directions. */
  readonly curvature?: "dense" | "diagonal" | LowRankCurvatureOptions;
  /** Steps of the search at most, a positive integer. Default 500. */
  readonly maxSteps?: number;
}

/** A curvature kept as a diagonal and R directions. */
export interface LowRankCurvatureOptions {
  /** R. */
  readonly rank: number;
  /** d, `[D]`, positive: the precision that the directions add to, usually the prior's. */
  readonly diagonal: ArrayLike<number>;
  /** For the random search of the directions. */
  readonly key: Key;
}

/** Laplace's approximation. */
export interface LaplaceApproximation extends LocalGaussian {
  /** `log f(ẑ) + (D/2) log 2π − ½ log |Λ|`: exact for a Gaussian, otherwise neither above nor below log ∫ f by rule. */
  readonly logEvidence: number;
  /** log f at the mode. */
  readonly logDensityAtMode: number;
  /** Length of the gradient at the mode, in standard deviations: `√(gᵀ Λ⁻¹ g)`. */
  readonly gradientNorm: number;
  /** Gradients evaluated in sequence to find it. */
  readonly steps: number;
  /** Whether the gradient at the end is below 0.01 standard deviations. */
  readonly converged: boolean;
}

/**
 * Laplace's method: the Gaussian with the mode ẑ of a density f for mean and the inverse of its curvature there, `Λ = −∇² log f(ẑ)`, for covariance; and
 * `log ∫ f ≈ log f(ẑ) + (D/2) log 2π − ½ log |Λ|`.
 *
 * It sees one mode and its curvature and nothing else, so its evidence is no bound, and it depends on the coordinates: a positive unknown has another mode in τ than in log τ.
 * The mode is sought by L-BFGS and then by Newton steps; the curvature is made of differences of gradients, so a log-density that can be differentiated once is enough. All
 * but the gradients is Float64.
 *
 * @throws Error if the start has another length than D or no finite density, if `maxSteps` is not a positive integer, if no mode is found within the steps, or if the density has
 *   no downward curvature in some direction there (it is no mode, as an improper or unbounded density has none, or one flatter than any Gaussian's).
 * Source: Zhang, Bütepage, Kjellström & Mandt 2018, "Advances in variational inference", section 5.1; MacKay 2003, "Information theory, inference, and learning algorithms", chapter 27.
 */
export async function laplace(options: LaplaceApproximationOptions): Promise<LaplaceApproximation> {
  const { logDensity, dimension: D, curvature = "dense", maxSteps = 500 } = options;
  const start = startOf("laplace", D, options.start);
  checkSteps("laplace", maxSteps);
  if (typeof curvature === "object") checkLowRank(curvature, D);
  const slope = numericSlope(logDensity, D);
  let { point, steps, logDensity: height, gradient } = await findMode({ slope, start, maxSteps });
  let local = around(slope, point, curvature);
  /** The length of a gradient in standard deviations, and the Newton step that goes with it. */
  const newton = (g: Float64Array): { readonly step: Float64Array; readonly length: number } => {
    const step = local.solve(g);
    return { step, length: Math.sqrt(Math.max(0, dot(g, step))) };
  };
  let { step, length } = newton(gradient);
  for (let refinement = 0; refinement < 10 && length > 1e-6; refinement++) {
    await breathe();
    const moved = point.map((x, d) => x + step[d]);
    const { values, gradients } = slope(moved);
    const better = Number.isFinite(values[0]) && newton(gradients).length < length;
    if (!better) break; // rounding is reached, or the density is far from quadratic here
    [point, height, gradient] = [moved, values[0], gradients];
    local = around(slope, point, curvature);
    ({ step, length } = newton(gradient));
    steps++;
  }
  if (!(length < 0.5)) {
    throw new Error(
      `laplace: no mode was found in ${steps} steps; the gradient is still ${length.toPrecision(2)} standard deviations long. Give another start, or more maxSteps.`,
    );
  }
  return {
    ...local.gaussian,
    logEvidence: height + local.gaussian.logVolume,
    logDensityAtMode: height,
    gradientNorm: length,
    steps,
    converged: length < 0.01,
  };
}

/** The Gaussian at a point, and what Λ⁻¹ makes of a vector. */
function around(
  slope: SlopeOf,
  point: Float64Array,
  curvature: NonNullable<LaplaceApproximationOptions["curvature"]>,
): { readonly gaussian: LocalGaussian; readonly solve: (right: Float64Array) => Float64Array } {
  const D = point.length;
  try {
    if (curvature === "dense") {
      const precision = denseCurvature(slope, point);
      const factor = choleskyFactor(precision, D, "The curvature");
      return {
        gaussian: denseGaussian(point, precision, "The curvature"),
        solve: (right) => choleskySolve(factor, D, right),
      };
    }
    if (curvature === "diagonal") {
      const scales = curvatureRows(slope, point, () => undefined);
      return { gaussian: diagonalGaussian(point, scales), solve: (right) => right.map((g, d) => g * scales[d] ** 2) };
    }
    const { rank, key } = curvature;
    const diagonal = Float64Array.from(curvature.diagonal);
    const { values, directions } = lowRankCurvature({ slope, point, diagonal, rank, key });
    if (!(values[values.length - 1] > -1)) throw new RangeError("a direction has no downward curvature.");
    return {
      gaussian: spikedGaussian(point, { diagonal, directions, values }),
      solve: (right) => {
        const scaled = right.map((g, d) => g / Math.sqrt(diagonal[d]));
        const out = Float64Array.from(scaled);
        values.forEach((value, r) => {
          const direction = directions.subarray(r * D, (r + 1) * D);
          const share = (1 / (1 + value) - 1) * dot(direction, scaled);
          for (let d = 0; d < D; d++) out[d] += share * direction[d];
        });
        return out.map((g, d) => g / Math.sqrt(diagonal[d]));
      },
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`laplace: no Gaussian fits here. ${error.message}`);
  }
}

/** Λ = −∇² log f, `[D · D]`, made symmetric. @internal */
export function denseCurvature(slope: SlopeOf, point: Float64Array): Float64Array {
  const D = point.length;
  const rows = new Float64Array(D * D);
  curvatureRows(slope, point, (d, row) => rows.set(row, d * D));
  return rows.map((value, k) => (value + rows[(k % D) * D + Math.floor(k / D)]) / 2);
}

/** @throws Error unless the start has D finite numbers. @internal */
export function startOf(name: string, D: number, start: ArrayLike<number> | undefined): Float64Array {
  if (!Number.isInteger(D) || D < 1) throw new Error(`${name}: dimension must be a positive integer, not ${D}.`);
  const numbers = start ? Float64Array.from(start) : new Float64Array(D);
  if (numbers.length === D && numbers.every(Number.isFinite)) return numbers;
  throw new Error(`${name}: start must hold ${D} finite numbers, one for each dimension, not ${numbers.length}.`);
}

/** @throws Error unless the steps are a positive integer. @internal */
export function checkSteps(name: string, maxSteps: number): void {
  if (!Number.isInteger(maxSteps) || maxSteps < 1)
    throw new Error(`${name}: maxSteps must be a positive integer, not ${maxSteps}.`);
}

function checkLowRank({ rank, diagonal }: LowRankCurvatureOptions, D: number): void {
  if (!Number.isInteger(rank) || rank < 1 || rank > D)
    throw new Error(`laplace: the rank must be an integer from 1 to ${D}, not ${rank}.`);
  if (diagonal.length !== D || !Array.from(diagonal).every((d) => d > 0 && d < Infinity))
    throw new Error(`laplace: the diagonal must hold ${D} positive numbers, one for each dimension.`);
}
