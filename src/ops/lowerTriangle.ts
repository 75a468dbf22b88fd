import { type Tensor, tf } from "../engine/tf.js";

/** The lower triangle (with the diagonal) of matrices `[..., D, D]`; zeros above. Differentiable. */
export function lowerTriangle(matrix: Tensor): Tensor {
  return tf.tidy(() =>
    tf.mul(
      matrix,
      mask(matrix, (i, j) => (i >= j ? 1 : 0)),
    ),
  );
}

/** The diagonals `[..., D]` of matrices `[..., D, D]`. Differentiable. */
export function diagonal(matrix: Tensor): Tensor {
  return tf.tidy(() =>
    tf.sum(
      tf.mul(
        matrix,
        mask(matrix, (i, j) => (i === j ? 1 : 0)),
      ),
      -1,
    ),
  );
}

/** The lower triangle with its diagonal halved: Φ in the gradient of the Cholesky factor. Differentiable. */
export function halvedLowerTriangle(matrix: Tensor): Tensor {
  return tf.tidy(() =>
    tf.mul(
      matrix,
      mask(matrix, (i, j) => (i > j ? 1 : i === j ? 0.5 : 0)),
    ),
  );
}

function mask(matrix: Tensor, entry: (i: number, j: number) => number): Tensor {
  const size = matrix.shape[matrix.rank - 1]!;
  return tf.tensor2d(
    Float32Array.from({ length: size * size }, (_, k) => entry(Math.floor(k / size), k % size)),
    [size, size],
  );
}
