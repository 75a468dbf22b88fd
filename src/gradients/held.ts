import { leaves, mapParameters, type Parameters } from "../engine/parameters.js";
import { type Tensor, tf } from "../engine/tf.js";
import { stopGradient } from "../ops/stopGradient.js";

/** A record whose every tensor is a constant to what differentiates. */
export function heldParameters<P extends Parameters>(parameters: P): P {
  return mapParameters(parameters, stopGradient);
}

/**
 * Σ ⟨v, θ⟩ over the tensors of two records of one structure, with v held: a scalar whose gradient in θ is v.
 *
 * It makes a surrogate of a gradient that was put together by hand.
 */
export function heldAlong<P extends Parameters>(direction: P, parameters: P): Tensor {
  const along = leaves(parameters).map(({ tensor }) => tensor);
  return leaves(direction).reduce<Tensor>(
    (sum, { tensor }, i) => tf.add(sum, tf.sum(tf.mul(stopGradient(tensor), along[i]))),
    tf.scalar(0),
  );
}

/**
 * The draws as a record of tensors: `{ z }` where they are one tensor, themselves where they are a record.
 *
 * @throws Error if a part of them is no tensor.
 */
export function drawsAsRecord<Z>(z: Z): { readonly record: Parameters; restore(record: Parameters): Z } {
  if (z instanceof tf.Tensor) return { record: { z }, restore: ({ z }) => z as Z };
  return { record: mapParameters(z as Parameters, (tensor) => tensor), restore: (record) => record as Z };
}

/** Draw k alone, with K = 1. */
export function sliceDraws<Z>(z: Z, k: number): Z {
  const { record, restore } = drawsAsRecord(z);
  return restore(mapParameters(record, (tensor) => tf.slice(tensor, k, 1)));
}
