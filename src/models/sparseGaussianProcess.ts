import { choleskyFactor, logDeterminant } from "../diagnostics/choleskyFactor.js";
import {
  forwardSolve,
  type GaussianProcessData,
  kernelMatrix,
  type LatentMarginals,
  marginals,
  pointsOf,
  rowsOfInputs,
  sumOfSquares,
} from "./gaussianProcess.js";

/** Options of {@link sparseGaussianProcess}. */
export interface SparseGaussianProcessOptions extends GaussianProcessData {
  /** Z, `[M · D]`, row by row. */
  readonly inducing: ArrayLike<number>;
  /** What is added to the diagonal of K_ZZ, as a share of its mean: the inducing variables are then seen with a little noise, and the bound stays one. Default 1e-10. */
  readonly jitter?: number;
}

/** What M inducing points make of a Gaussian process regression. */
export interface SparseGaussianProcess {
  /** Titsias' collapsed bound, `log N(y; 0, Q + σ² I) − tr(K − Q) / (2σ²)`, at most the exact log-evidence. */
  readonly bound: number;
  /**
   * Titsias' upper bound, `−½ log|Q + σ² I| − ½ yᵀ(Q + (t + σ²) I)⁻¹ y − ½ N log 2π` with t = tr(K − Q), at least the exact log-evidence: with `bound` it holds what is too large to
   * compute between two numbers.
   */
  readonly upperBound: number;
  /** DTC's value, `log N(y; 0, Q + σ² I)`: the evidence of another model, which may lie on either side of the exact one. */
  readonly dtc: number;
  /** tr(K − Q), the prior variance at the inputs that the inducing points leave unexplained. */
  readonly unexplained: number;
  /** q(f(x)) = ∫ p(f(x) | u) q(u) du at points `[n · D]`, with the optimal q(u). */
  predict(points: ArrayLike<number>): LatentMarginals;
}

/**
 * Gaussian process regression through M inducing variables u = f(Z), with the optimal Gaussian q(u) in closed form: in Float64, O(N M²) time and O(N M) memory.
 *
 * `Q = K_XZ K_ZZ⁻¹ K_ZX`; with `L Lᵀ = K_ZZ`, `A = L⁻¹ K_ZX / σ` and `B = I + A Aᵀ`, no N × N matrix is formed. At Z = X the bound is the exact log-evidence.
 *
 * @throws RangeError as `gaussianProcess`; if Z does not fit X, or the jitter is negative or not finite; or if K_ZZ is not positive definite: separate the points, or raise the jitter.
 * Source: Titsias 2009, "Variational learning of inducing variables in sparse Gaussian processes"; for the upper bound, Titsias 2014, "Variational inference for Gaussian and determinantal
 * point processes".
 */
export function sparseGaussianProcess(options: SparseGaussianProcessOptions): SparseGaussianProcess {
  const { kernel, noiseVariance, jitter = 1e-10 } = options;
  const x = rowsOfInputs("sparseGaussianProcess", options);
  const z = pointsOf("sparseGaussianProcess: Z", options.inducing, x[0].length);
  if (!(jitter >= 0 && jitter < Infinity))
    throw new RangeError(`sparseGaussianProcess: jitter must be finite and at least 0, not ${jitter}.`);
  const [n, m] = [x.length, z.length];
  const sigma = Math.sqrt(noiseVariance);
  const prior = kernelMatrix(kernel, z, z);
  const scale = z.reduce((sum, point) => sum + kernel(point, point), 0) / m;
  for (let i = 0; i < m; i++) prior[i * m + i] += jitter * scale;
  const factor = choleskyFactor(prior, m, "sparseGaussianProcess: the covariance at the inducing points");
  const a = forwardSolve(factor, m, kernelMatrix(kernel, z, x), n).map((value) => value / sigma);
  const b = new Float64Array(m * m);
  const projected = new Float64Array(m); // A y / σ
  for (let i = 0; i < m; i++) {
    const row = a.subarray(i * n, (i + 1) * n);
    for (let j = 0; j < n; j++) projected[i] += (row[j] * options.responses[j]) / sigma;
    for (let k = 0; k <= i; k++) {
      const other = a.subarray(k * n, (k + 1) * n);
      let sum = Number(i === k);
      for (let j = 0; j < n; j++) sum += row[j] * other[j];
      b[i * m + k] = sum;
      b[k * m + i] = sum;
    }
  }
  const factorOfB = choleskyFactor(b, m, "sparseGaussianProcess: I + A Aᵀ");
  const c = forwardSolve(factorOfB, m, Float64Array.from(projected), 1);
  const squares = sumOfSquares(Float64Array.from(options.responses)) / noiseVariance;
  const normaliser = n * Math.log(2 * Math.PI * noiseVariance) + logDeterminant(factorOfB, m); // log |2π (Q + σ² I)|
  const dtc = -(normaliser + squares - sumOfSquares(c)) / 2;
  const unexplained = x.reduce((sum, point) => sum + kernel(point, point), 0) - noiseVariance * sumOfSquares(a);
  // yᵀ(Q + s I)⁻¹ y for s = σ² + t, which is no less than σ² and K − Q together. Rounding may have t below 0.
  const ratio = noiseVariance / (noiseVariance + Math.max(0, unexplained));
  const wider = b.map((value, at) => (at % (m + 1) === 0 ? 1 + ratio * (value - 1) : ratio * value));
  const shrunk = forwardSolve(
    choleskyFactor(wider, m, "sparseGaussianProcess: I + A Aᵀ"),
    m,
    Float64Array.from(projected),
    1,
  );
  return {
    dtc,
    unexplained,
    bound: dtc - unexplained / (2 * noiseVariance),
    upperBound: -(normaliser + ratio * (squares - ratio * sumOfSquares(shrunk))) / 2,
    predict: (points) => {
      const at = pointsOf("sparseGaussianProcess", points, x[0].length);
      const v = forwardSolve(factor, m, kernelMatrix(kernel, z, at), at.length);
      const w = forwardSolve(factorOfB, m, Float64Array.from(v), at.length);
      return marginals(kernel, at, (j) => {
        let [mean, explained] = [0, 0];
        for (let i = 0; i < m; i++) {
          mean += w[i * at.length + j] * c[i];
          explained += v[i * at.length + j] ** 2 - w[i * at.length + j] ** 2;
        }
        return { mean, explained };
      });
    },
  };
}
