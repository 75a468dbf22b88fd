import { executeNative, isNative } from "../engine/native.js";
import { type Computation, executePortable } from "../engine/portable.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";
import { lowerTriangle } from "./lowerTriangle.js";
import { matMul } from "./matMul.js";

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
  return solve(lower, right, transposed);
}

/** The solution as one operation; `known` is its value where that has been computed before. */
function solve(lower: Tensor, right: Tensor, transposed: boolean, known?: Tensor): Tensor {
  return differentiable(
    [lower, right],
    (save) => {
      const solution = known ? tf.clone(known) : forward(lower, right, transposed);
      save([lower, right, solution]);
      return solution;
    },
    (dy, saved) => {
      const [lower, right, known] = saved as [Tensor, Tensor, Tensor];
      const dRight = solve(lower, dy, !transposed);
      return [
        () => {
          const solution = solve(lower, right, transposed, known);
          const [left, other] = transposed ? [solution, dRight] : [dRight, solution];
          return tf.neg(lowerTriangle(matMul(left, other, { transposeB: true })));
        },
        () => tf.clone(dRight),
      ];
    },
  );
}

function forward(lower: Tensor, right: Tensor, transposed: boolean): Tensor {
  if (isNative()) {
    const attributes = { lower: true, adjoint: transposed, T: { type: "float32" } } as const;
    return executeNative("MatrixTriangularSolve", attributes, [lower, right]);
  }
  const size = lower.shape[lower.rank - 1]!;
  const columns = right.shape[right.rank - 1]!;
  const compute: Computation = ([l, b]) => substitute(l!, b!, size, columns, transposed);
  return executePortable(compute, [lower, right], right.shape);
}

function substitute(
  l: Float32Array,
  b: Float32Array,
  size: number,
  columns: number,
  transposed: boolean,
): Float32Array {
  const x = Float64Array.from(b);
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
  return Float32Array.from(x);
}
