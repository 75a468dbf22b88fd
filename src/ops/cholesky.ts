import { executeNative, isNative } from "../engine/native.js";
import { executePortable } from "../engine/portable.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";
import { halvedLowerTriangle } from "./lowerTriangle.js";
import { matMul } from "./matMul.js";
import { triangularSolve } from "./triangularSolve.js";

/**
 * The lower-triangular L with positive diagonal and `L Lᵀ = A`; differentiable any number of times.
 *
 * Native libtensorflow where it runs, Float64 JavaScript elsewhere. The gradient is symmetric,
 * `Ā = ½ L⁻ᵀ (P + Pᵀ) L⁻¹` with `P = Φ(Lᵀ L̄)`, Φ the lower triangle with its diagonal halved (Murray 2016, arXiv:1602.07527, eq. 8–10).
 *
 * @param matrix A `[..., D, D]`, symmetric and positive definite; only its lower triangle is read. One that is not
 * positive definite gives NaN (nothing is read back, so that the operation can be compiled): add jitter to its diagonal.
 * @throws Error if A is not square.
 */
export function cholesky(matrix: Tensor): Tensor {
  const size = matrix.shape[matrix.rank - 1] ?? 0;
  checkShape("cholesky: matrix", matrix, ["...", size, size]);
  return factor(matrix);
}

/** The factor as one operation; `known` is its value where that has been computed before. */
function factor(matrix: Tensor, known?: Tensor): Tensor {
  return differentiable(
    [matrix],
    (save) => {
      const lower = known ? tf.clone(known) : forward(matrix);
      save([matrix, lower]);
      return lower;
    },
    (dy, [matrix, known]) => [
      () => {
        const lower = factor(matrix!, known);
        const p = halvedLowerTriangle(matMul(lower, dy, { transposeA: true }));
        const symmetric = tf.mul(tf.add(p, transpose(p)), 0.5);
        const left = triangularSolve(lower, symmetric, { transposed: true });
        return triangularSolve(lower, transpose(left), { transposed: true });
      },
    ],
  );
}

function transpose(matrix: Tensor): Tensor {
  const axes = matrix.shape.map((_, i) => i);
  return tf.transpose(matrix, [...axes.slice(0, -2), matrix.rank - 1, matrix.rank - 2]);
}

function forward(matrix: Tensor): Tensor {
  if (isNative()) return executeNative("Cholesky", { T: { type: "float32" } }, [matrix]);
  return executePortable(([values]) => factorise(values!, matrix.shape[matrix.rank - 1]!), [matrix], matrix.shape);
}

function factorise(a: Float32Array, size: number): Float32Array {
  const l = new Float64Array(a.length);
  for (let start = 0; start < a.length; start += size * size) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = a[start + i * size + j]!;
        for (let k = 0; k < j; k++) sum -= l[start + i * size + k]! * l[start + j * size + k]!;
        l[start + i * size + j] = i === j ? Math.sqrt(sum) : sum / l[start + j * size + j]!;
      }
    }
  }
  return Float32Array.from(l);
}
