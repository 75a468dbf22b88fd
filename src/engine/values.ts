import { type Tensor, tf } from "./tf.js";

/** The numbers of the tensor that `compute` returns; every tensor made on the way is disposed. */
export function valuesOf(compute: () => Tensor): Float32Array {
  const tensor = tf.tidy(compute);
  try {
    return tensor.dataSync<"float32">();
  } finally {
    tensor.dispose();
  }
}

/** `tf.tidy` for a record of tensors, typed as what it returns. */
export function tidied<T extends object>(compute: () => T): T {
  return tf.tidy(compute as () => TensorContainer) as T;
}

type TensorContainer = Parameters<typeof tf.dispose>[0];
