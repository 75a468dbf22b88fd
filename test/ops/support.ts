import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Scalar, type Tensor, tf } from "../../src/engine/tf.js";
import { read } from "../engine/support.js";

/** A function of several tensors. */
export type Operation = (...inputs: Tensor[]) => Tensor;

/** Fixed weights that are all different, so that a gradient in the wrong place shows. */
function weights(shape: readonly number[]): Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.cos(1 + 2 * i)),
    [...shape],
  );
}

/** Σ w ∘ f(inputs): what the gradients below differentiate. */
function weighted(f: Operation, inputs: readonly Tensor[]): Scalar {
  const y = f(...inputs);
  return tf.sum(tf.mul(y, weights(y.shape)));
}

/** ∂/∂(input which) of Σ w ∘ f, by automatic differentiation. */
export function gradientOf(f: Operation, inputs: readonly Tensor[], which: number): Tensor {
  return tf.tidy(() => {
    const others = [...inputs];
    const { gradient } = valueAndGradient(
      ({ x }) => {
        others[which] = x;
        return weighted(f, others);
      },
      { x: inputs[which]! },
    );
    return gradient.x;
  });
}

/**
 * The same by central differences of the float32 operation, each difference divided by the step that float32 really took.
 * Good to about 1e-3 of the largest value.
 */
export function differenceQuotient(f: Operation, inputs: readonly Tensor[], which: number, step = 2 ** -7): number[] {
  const at = Array.from(inputs[which]!.dataSync());
  return at.map((_, i) => {
    const evaluate = (shift: number): number => {
      const moved = Float32Array.from(at);
      moved[i]! += shift;
      const x = tf.tensor(moved, inputs[which]!.shape);
      const [value] = read(
        tf.tidy(() =>
          weighted(
            f,
            inputs.map((input, j) => (j === which ? x : input)),
          ),
        ),
      );
      x.dispose();
      return value!;
    };
    // Richardson: the error of the plain quotient is O(step²), of this O(step⁴).
    const wide = (evaluate(step) - evaluate(-step)) / (2 * step);
    const narrow = (evaluate(step / 2) - evaluate(-step / 2)) / step;
    return (4 * narrow - wide) / 3;
  });
}
