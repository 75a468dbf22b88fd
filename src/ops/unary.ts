import { type Tensor, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";

/** A faster way back through an elementwise operation than the product with its derivative. */
export interface FusedPullback {
  /** `dy f′(x)` in one go, from x and y = f(x); it runs off the tape. */
  readonly apply: (dy: Tensor, x: Tensor, y: Tensor) => Tensor;
  /** f″(x), on the tape: what differentiating `dy f′(x)` needs. */
  readonly curvature: (x: Tensor) => Tensor;
  /** Whether the running backend has what `apply` calls. */
  readonly available: () => boolean;
}

/**
 * An elementwise operation with its derivative, differentiable as often as the derivative itself is.
 *
 * tfjs saves the *output* of exp, sigmoid and tanh for their gradients, which cuts the tape for second derivatives; here the input is saved,
 * and the output with it so that the way back computes nothing twice.
 *
 * @param value the operation; it runs off the tape, so it may use what has no gradient.
 * @param derivative its derivative as a function of the input x and of y = f(x), which costs nothing.
 * @param fused how to do without the derivative where the backend has a kernel for it.
 */
export function unary(
  value: (x: Tensor) => Tensor,
  derivative: (x: Tensor, y: Tensor) => Tensor,
  fused?: FusedPullback,
): (x: Tensor) => Tensor {
  /** f(x); `known` is its value where that has been computed before. */
  const operation = (x: Tensor, known?: Tensor): Tensor =>
    differentiable(
      [x],
      (save) => {
        const y = known ? tf.clone(known) : value(x);
        save([x, y]);
        return y;
      },
      (dy, [x, y]) => [
        () => (fused?.available() ? pullback(fused, dy, x!, y!) : tf.mul(dy, derivative(x!, operation(x!, y!)))),
      ],
    );
  return (x) => operation(x);
}

/** `dy f′(x)` as one operation, linear in dy. */
function pullback(fused: FusedPullback, dy: Tensor, x: Tensor, y: Tensor): Tensor {
  return differentiable(
    [dy, x],
    (save) => {
      save([dy, x, y]);
      return fused.apply(dy, x, y);
    },
    (ddy, [dy, x, y]) => [() => pullback(fused, ddy, x!, y!), () => tf.mul(tf.mul(ddy, dy!), fused.curvature(x!))],
  );
}
