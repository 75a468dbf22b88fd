import { type Tensor, type Tensor3D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { type Bijection, checkCount, ending } from "./bijection.js";
import { inversePlaces, lowerPlaces, moveEntries } from "./entries.js";

/**
 * Lower-triangular matrices L with a positive diagonal, the Cholesky factors of covariances: x holds the lower triangle row by row, its diagonal in logarithms, so
 * `log |det| = Σ_d log L_dd`.
 *
 * That is the volume of L's entries. A density of Σ = L Lᵀ needs that step's volume too: `D log 2 + Σ_d (D − d + 1) log L_dd`, d = 1, …, D.
 *
 * @param size - D ≥ 1; x has D (D + 1)/2 entries.
 * @throws Error if D is not a positive integer.
 * Source of the parameters: Pinheiro & Bates 1996, "Unconstrained parametrizations for variance-covariance matrices".
 */
export function lowerCholesky(size: number): Bijection<Tensor3D> {
  checkCount("lowerCholesky: the size", size, 1);
  const count = (size * (size + 1)) / 2;
  const places = lowerPlaces(size, { diagonal: true });
  const diagonalPlaces = Array.from({ length: size }, (_, d) => (d * (d + 3)) / 2);
  return {
    name: "lowerCholesky",
    shape: [size, size],
    unconstrainedShape: [count],
    forward: (x) =>
      tf.tidy(() => {
        const matrix = inMatrix(ending("lowerCholesky: x", x, [count]), places, size);
        const diagonal = tf.eye(size);
        const below = tf.sub(1, diagonal);
        return tf.add(tf.mul(matrix, below), tf.mul(exp(tf.mul(matrix, diagonal)), diagonal));
      }),
    inverse: (y) =>
      tf.tidy(() => {
        const lower = ending("lowerCholesky: y", y, [size, size]);
        const diagonal = tf.eye(size);
        // log 1 where nothing is to be taken the logarithm of.
        const logs = tf.log(tf.add(tf.mul(lower, diagonal), tf.sub(1, diagonal)));
        return fromMatrix(tf.add(tf.mul(lower, tf.sub(1, diagonal)), logs), inversePlaces(places, count));
      }),
    logDeterminant: (x) =>
      tf.tidy(() => tf.sum(moveEntries(ending("lowerCholesky: x", x, [count]), diagonalPlaces), -1)),
  };
}

/** Vectors `[..., n]` as square matrices `[..., D, D]`. @internal */
export function inMatrix(x: Tensor, places: readonly number[], size: number): Tensor {
  return tf.reshape(moveEntries(x, places), [...x.shape.slice(0, -1), size, size]);
}

/** Entries of matrices `[..., D, D]` as vectors. @internal */
export function fromMatrix(matrix: Tensor, places: readonly number[]): Tensor {
  const size = matrix.shape[matrix.rank - 1];
  return moveEntries(tf.reshape(matrix, [...matrix.shape.slice(0, -2), size * size]), places);
}
