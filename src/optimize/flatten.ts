import { executeNative, isNative } from "../engine/native.js";
import { leaves, mapParameters, type Parameters } from "../engine/parameters.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../engine/tf.js";

/** All numbers of a record in one vector: what is done to each number then costs one operation, not one a tensor. */
export function flatten(parameters: Parameters): Tensor1D {
  return tf.concat(leaves(parameters).map(({ tensor }) => tf.reshape(tensor, [-1]))) as Tensor1D;
}

/** The record of the given structure whose numbers are those of the vector. */
export function unflatten<P extends Parameters>(vector: Tensor1D, like: P): P {
  const parts = tf.split(
    vector,
    leaves(like).map(({ tensor }) => tensor.size),
  );
  let next = 0;
  return mapParameters(like, (tensor) => tf.reshape(parts[next++]!, tensor.shape));
}

/**
 * The Euclidean norm of a record, ‖g‖₂ = m √Σ (g_i / m)² with m = max |g_i|, which neither overflows nor underflows: it is finite
 * exactly where every number is (and the norm itself fits float32).
 */
export function norm(parameters: Parameters): Scalar {
  return tf.tidy(() => {
    const vector = flatten(parameters);
    const largest = tf.maximum(tf.max(vector), tf.neg(tf.min(vector)));
    const scaled = tf.div(vector, tf.maximum(largest, smallest));
    return tf.mul(largest, tf.sqrt(sumOfSquares(scaled))) as Scalar;
  });
}

/** Σ x², on libtensorflow in one pass that writes nothing. */
function sumOfSquares(vector: Tensor): Tensor {
  return isNative()
    ? tf.mul(2, executeNative("L2Loss", { T: { type: "float32" } }, [vector]))
    : tf.sum(tf.square(vector));
}

/** The smallest normal float32, which keeps the quotient finite where all numbers are zero. */
const smallest = 2 ** -126;
