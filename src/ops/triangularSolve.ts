import { executeNative, isNative } from "../engine/native.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { lowerTriangle } from "./lowerTriangle.js";

/** Options of {@link triangularSolve}. */
export interface TriangularSolveOptions {
  /** Solve with Lᵀ instead of L. */
  readonly transposed?: boolean;
}

/**
 * Solves `L X = B` (or `Lᵀ X = B`) for X by substitution; differentiable any number of times in L and B.
 *
 * Native libtensorflow where it runs, Float64 JavaScript elsewhere. Gradients: `B̄ = L⁻ᵀ X̄` and `L̄ = −tril(B̄ Xᵀ)`.
 *
 * @param lower L `[..., D, D]`; only its lower triangle is read.
 * @param right B `[..., D, N]`, with the leading dimensions of L.
 * @returns X `[..., D, N]`.
 * @throws Error if the shapes do not fit.
 */
export function triangularSolve(lower: Tensor, right: Tensor, options: TriangularSolveOptions = {}): Tensor {
  const transposed = options.transposed ?? false;
  const size = lower.shape[lower.rank - 1] ?? 0;
  checkShape("triangularSolve: lower", lower, ["...", size, size]);
  checkShape("triangularSolve: right", right, [...lower.shape.slice(0, -1), "*"]);
  const solve = tf.customGrad((...inputs) => {
    const [lower, right, save] = inputs as unknown as [Tensor, Tensor, tf.GradSaveFunc];
    save([lower, right]);
    return {
      value: forward(lower, right, transposed),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [lower, right] = saved as [Tensor, Tensor];
        const solution = triangularSolve(lower, right, { transposed });
        const dRight = triangularSolve(lower, dy, { transposed: !transposed });
        const outer = transposed ? tf.matMul(solution, dRight, false, true) : tf.matMul(dRight, solution, false, true);
        return [tf.neg(lowerTriangle(outer)), dRight];
      },
    };
  });
  return solve(lower, right);
}

function forward(lower: Tensor, right: Tensor, transposed: boolean): Tensor {
  if (isNative()) {
    const attributes = { lower: true, adjoint: transposed, T: { type: "float32" } } as const;
    return executeNative("MatrixTriangularSolve", attributes, [lower, right]);
  }
  const size = lower.shape[lower.rank - 1]!;
  const columns = right.shape[right.rank - 1]!;
  const l = lower.dataSync();
  const x = Float64Array.from(right.dataSync());
  for (let matrix = 0; matrix * size * size < l.length; matrix++) {
    const at = (i: number, j: number): number => l[matrix * size * size + i * size + j]!;
    const start = matrix * size * columns;
    for (let step = 0; step < size; step++) {
      const i = transposed ? size - 1 - step : step;
      for (let column = 0; column < columns; column++) {
        let sum = x[start + i * columns + column]!;
        for (let k = 0; k < step; k++) {
          const j = transposed ? size - 1 - k : k;
          sum -= (transposed ? at(j, i) : at(i, j)) * x[start + j * columns + column]!;
        }
        x[start + i * columns + column] = sum / at(i, i);
      }
    }
  }
  return tf.tensor(Float32Array.from(x), right.shape);
}
