/**
 * Lower-triangular L with `L Lᵀ = A` in Float64, for the small matrices of conjugate models; what is differentiable is `ops/cholesky.ts`.
 *
 * @param matrix - A, `[n · n]` row by row, symmetric positive definite; only its lower triangle is read.
 * @param what - what A is, for the error.
 * @returns L, `[n · n]`, zero above the diagonal.
 * @throws RangeError if A is not positive definite to working precision.
 */
export function choleskyFactor(matrix: Float64Array, n: number, what: string): Float64Array {
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let value = matrix[i * n + j];
      for (let k = 0; k < j; k++) value -= factor[i * n + k] * factor[j * n + k];
      if (i > j) {
        factor[i * n + j] = value / factor[j * n + j];
        continue;
      }
      // A pivot lost to rounding is some 1e-16 of the diagonal: what is left of a singular matrix must not pass for a positive one.
      if (!(value > 1e-15 * Math.abs(matrix[i * n + i])))
        throw new RangeError(`${what} must be positive definite, but its pivot ${i} is ${value}.`);
      factor[i * n + i] = Math.sqrt(value);
    }
  }
  return factor;
}

/** `log |A| = 2 Σ_i log L_ii` from A's Cholesky factor. */
export function logDeterminant(factor: Float64Array, n: number): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += Math.log(factor[i * n + i]);
  return 2 * total;
}

/**
 * `A⁻¹ b` from A's Cholesky factor.
 *
 * @param right - b, `[n]`.
 */
export function choleskySolve(factor: Float64Array, n: number, right: Float64Array): Float64Array {
  const x = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= factor[i * n + k] * x[k];
    x[i] /= factor[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= factor[k * n + i] * x[k];
    x[i] /= factor[i * n + i];
  }
  return x;
}

/** `A⁻¹`, `[n · n]`, exactly symmetric, from A's Cholesky factor. */
export function choleskyInverse(factor: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const column = choleskySolve(
      factor,
      n,
      Float64Array.from({ length: n }, (_, i) => Number(i === j)),
    );
    for (let i = j; i < n; i++) {
      inverse[i * n + j] = column[i];
      inverse[j * n + i] = column[i];
    }
  }
  return inverse;
}
