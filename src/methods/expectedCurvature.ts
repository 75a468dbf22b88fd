import type { CurvedSum, FiniteSum } from "../models/finiteSum.js";
import type { GaussianNodes } from "./gaussianNodes.js";

/**
 * How the expected Hessian of the terms is taken: `"exact"` from their second derivatives; `"reparameterised"` from their gradients, `E[∇²f] = E[Λ (z − m) ∇f(z)ᵀ]` by Stein's
 * identity; `"gaussNewton"`, `E[Σ_i ∇f_i ∇f_iᵀ]`, which is never negative and is not the Hessian.
 */
export type HessianEstimate = "exact" | "reparameterised" | "gaussNewton";

/** Sums over some terms, expected under q. */
export interface ExpectedTerms {
  /** Σ E[f_i]. */
  readonly value: number;
  /** Σ E[∇f_i], `[D]`. */
  readonly gradient: Float64Array;
  /** Its estimate of Σ E[∇²f_i], `[D · D]`, or the diagonal, `[D]`. */
  readonly hessian: Float64Array;
}

/** The lower factor of a precision `Λ = L Lᵀ`, `[D · D]` row by row; or the roots of a diagonal one, `[D]`. */
export type PrecisionFactor = Float64Array;

/**
 * Expectations of terms, their gradients and curvatures under `q = N(m, Λ⁻¹)`, at the points z = m + L⁻ᵀ ε.
 *
 * @param inputs.rows - numbers of terms.
 * @internal
 */
export function expectedCurvature(inputs: {
  readonly terms: FiniteSum & Partial<CurvedSum>;
  readonly rows: Int32Array;
  readonly mean: Float64Array;
  readonly factor: PrecisionFactor;
  readonly nodes: GaussianNodes;
  readonly estimate: HessianEstimate;
}): ExpectedTerms {
  const { terms, rows, mean, factor, nodes, estimate } = inputs;
  const D = mean.length;
  const full = factor.length === D * D && D > 1;
  const [gradient, hessian] = [new Float64Array(D), new Float64Array(full ? D * D : D)];
  const [slope, curvature] = [new Float64Array(D), new Float64Array(estimate === "exact" ? D * D : 0)];
  const [one, ownSlope] = [new Int32Array(1), new Float64Array(D)];
  let value = 0;
  /** Adds w a bᵀ, or its diagonal. */
  const addOuter = (weight: number, a: Float64Array, b: Float64Array): void => {
    for (let i = 0; i < D; i++) {
      if (full) for (let j = 0; j < D; j++) hessian[i * D + j] += weight * a[i] * b[j];
      else hessian[i] += weight * a[i] * b[i];
    }
  };
  nodes.weights.forEach((weight, s) => {
    const epsilon = nodes.epsilons.subarray(s * D, (s + 1) * D);
    const z = solveTransposed(factor, epsilon);
    for (let d = 0; d < D; d++) z[d] += mean[d];
    slope.fill(0);
    if (estimate === "gaussNewton") {
      for (const row of rows) {
        one[0] = row;
        ownSlope.fill(0);
        value += weight * terms.accumulate(z, one, ownSlope);
        addOuter(weight, ownSlope, ownSlope);
        for (let d = 0; d < D; d++) slope[d] += ownSlope[d];
      }
    } else value += weight * terms.accumulate(z, rows, slope);
    for (let d = 0; d < D; d++) gradient[d] += weight * slope[d];
    if (estimate === "reparameterised") addOuter(weight, times(factor, epsilon), slope); // Λ (z − m) = L ε
    if (estimate === "exact") {
      curvature.fill(0);
      terms.accumulateHessian!(z, rows, curvature);
      for (let i = 0; i < hessian.length; i++) hessian[i] += weight * curvature[full ? i : i * (D + 1)];
    }
  });
  if (full) {
    for (let i = 0; i < D; i++) {
      for (let j = 0; j < i; j++) {
        const average = (hessian[i * D + j] + hessian[j * D + i]) / 2;
        hessian[i * D + j] = average;
        hessian[j * D + i] = average;
      }
    }
  }
  return { value, gradient, hessian };
}

/** L⁻ᵀ ε. */
function solveTransposed(factor: PrecisionFactor, epsilon: Float64Array): Float64Array {
  const D = epsilon.length;
  if (factor.length === D) return epsilon.map((e, d) => e / factor[d]);
  const x = Float64Array.from(epsilon);
  for (let i = D - 1; i >= 0; i--) {
    for (let k = i + 1; k < D; k++) x[i] -= factor[k * D + i] * x[k];
    x[i] /= factor[i * D + i];
  }
  return x;
}

/** L ε. */
function times(factor: PrecisionFactor, epsilon: Float64Array): Float64Array {
  const D = epsilon.length;
  if (factor.length === D) return epsilon.map((e, d) => e * factor[d]);
  return epsilon.map((_, i) => {
    let total = 0;
    for (let j = 0; j <= i; j++) total += factor[i * D + j] * epsilon[j];
    return total;
  });
}
