import { type Tensor, tf } from "../engine/tf.js";
import { differentiable } from "../ops/differentiable.js";

/**
 * Entries of vectors in new places: out[..., i] = x[..., places[i]], and 0 where places[i] is −1.
 *
 * No entry may go to two places, so that the way back is another such move and needs no sum (the wasm backend has none for `tf.gather`).
 *
 * @param x - `[..., n]`.
 * @returns `[..., places.length]`.
 * @internal
 */
export function moveEntries(x: Tensor, places: readonly number[]): Tensor {
  const n = x.shape[x.rank - 1];
  const back = new Array<number>(n).fill(-1);
  places.forEach((from, to) => {
    if (from >= 0) back[from] = to;
  });
  return differentiable(
    [x],
    () =>
      tf.tidy(() => {
        const rows = tf.pad(tf.reshape(x, [-1, n]), [
          [0, 0],
          [0, 1],
        ]);
        const indices = tf.tensor1d(
          Int32Array.from(places, (from) => (from < 0 ? n : from)),
          "int32",
        );
        return tf.reshape(tf.gather(rows, indices, 1), [...x.shape.slice(0, -1), places.length]);
      }),
    (dy) => [() => moveEntries(dy, back)],
  );
}

/** Where the entries (row by row) of a square matrix's lower triangle stand in a vector, −1 elsewhere. */
export function lowerPlaces(size: number, { diagonal }: { readonly diagonal: boolean }): number[] {
  let next = 0;
  return Array.from({ length: size * size }, (_, k) => {
    const [i, j] = [Math.floor(k / size), k % size];
    return i > j || (diagonal && i === j) ? next++ : -1;
  });
}

/** The move that undoes `places`, of `count` entries. */
export function inversePlaces(places: readonly number[], count: number): number[] {
  const back = new Array<number>(count).fill(-1);
  places.forEach((from, to) => {
    if (from >= 0) back[from] = to;
  });
  return back;
}
