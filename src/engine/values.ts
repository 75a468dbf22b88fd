import { type Tensor, type Tensor2D, tf } from "./tf.js";

/** The numbers of the tensor that `compute` returns; every tensor made on the way is disposed. */
export function valuesOf(compute: () => Tensor): Float32Array {
  const tensor = tf.tidy(compute);
  try {
    return tensor.dataSync<"float32">();
  } finally {
    tensor.dispose();
  }
}

/**
 * Checks that a matrix of data, one datum a row, holds finite numbers alone; it reads them all.
 *
 * @param name what the data are called in the error.
 * @throws Error naming row and column of the first number that is not finite.
 */
export function checkFiniteRows(name: string, x: Tensor2D): void {
  const values = x.dataSync();
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad === -1) return;
  const [row, column] = [Math.floor(bad / x.shape[1]), bad % x.shape[1]];
  throw new Error(`${name}[${row}, ${column}] is ${values[bad]}; remove or impute such rows first.`);
}

/** `tf.tidy` for a record of tensors, typed as what it returns. */
export function tidied<T extends object>(compute: () => T): T {
  return tf.tidy(compute as () => TensorContainer) as T;
}

type TensorContainer = Parameters<typeof tf.dispose>[0];
