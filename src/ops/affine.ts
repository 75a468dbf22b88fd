import { executeNative, isNative } from "../engine/native.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";
import { matMul } from "./matMul.js";

/**
 * `x W + b` for every row of x, fused into one differentiable operation; differentiable any number of times.
 *
 * @param x `[N, in]`.
 * @param weights W, `[in, out]`.
 * @param bias b, `[out]`.
 * @returns `[N, out]`.
 * @throws Error if the sizes do not fit.
 */
export function affine(x: Tensor2D, weights: Tensor2D, bias: Tensor1D): Tensor2D {
  checkShape("affine: weights", weights, [x.shape[1], "*"]);
  checkShape("affine: bias", bias, [weights.shape[1]]);
  return differentiable(
    [x, weights, bias],
    (save) => {
      save([x, weights]);
      const product = matMul(x, weights);
      // `BiasAdd` is what TensorFlow's graph optimiser recognises to fuse product, bias and activation.
      return isNative() ? executeNative("BiasAdd", { T: { type: "float32" } }, [product, bias]) : tf.add(product, bias);
    },
    (dy, saved) => {
      const [x, weights, d] = [...saved, dy] as [Tensor2D, Tensor2D, Tensor2D];
      return [
        () => matMul(d, weights, { transposeB: true }),
        () => matMul(x, d, { transposeA: true }),
        () => columnSums(d),
      ];
    },
  ) as Tensor2D;
}

/** Σ over rows, `[out]`. */
function columnSums(x: Tensor2D): Tensor1D {
  if (!isNative()) return tf.sum(x, 0);
  return differentiable(
    [x],
    () => executeNative("BiasAddGrad", { T: { type: "float32" } }, [x]),
    (dy) => [() => tf.add(dy, tf.zeros(x.shape))],
  ) as Tensor1D;
}
