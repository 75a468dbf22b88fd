import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";

/**
 * A smooth one-to-one map y = f(x) from unconstrained numbers x onto a constrained set, with the logarithm of its volume change.
 *
 * A density of y becomes one of x: `log p_x(x) = log p_y(f(x)) + log |det ∂f/∂x|`. Every function takes any leading dimensions, is differentiable any
 * number of times and can be compiled. `Draws` is the type of K values of y, `[K, ...shape]`.
 */
export interface Bijection<Draws extends Tensor = Tensor> {
  readonly name: string;
  /** Shape of one y; `[]` for a number. */
  readonly shape: readonly number[];
  /** Shape of its x. Where y has fewer degrees of freedom than entries, x has just those. */
  readonly unconstrainedShape: readonly number[];
  /** y `[..., ...shape]` of x `[..., ...unconstrainedShape]`. */
  forward(x: Tensor): Tensor;
  /** x of y; its argument must lie inside the set, not on its edge. */
  inverse(y: Tensor): Tensor;
  /** `log |det ∂f/∂x|`, `[...]`, for x `[..., ...unconstrainedShape]`; in y's free entries, where y has more entries than freedom. */
  logDeterminant(x: Tensor): Tensor;
  /** Only for the types: K values of y. */
  readonly draws?: Draws;
}

/** The parts of an elementwise bijection. */
export interface ElementwiseParts {
  readonly name: string;
  readonly shape: readonly number[];
  readonly forward: (x: Tensor) => Tensor;
  readonly inverse: (y: Tensor) => Tensor;
  /** `log |f′(x)|` of every element; nothing where it is 0. */
  readonly logSlope?: (x: Tensor) => Tensor;
}

/** A bijection that maps every number for itself: its log-determinant is the sum of the logarithms of its slopes. @internal */
export function elementwise<Draws extends Tensor>(parts: ElementwiseParts): Bijection<Draws> {
  const { name, shape, logSlope } = parts;
  checkSizes(name, shape);
  return {
    name,
    shape,
    unconstrainedShape: shape,
    forward: (x) => tf.tidy(() => parts.forward(ending(`${name}: x`, x, shape))),
    inverse: (y) => tf.tidy(() => parts.inverse(ending(`${name}: y`, y, shape))),
    logDeterminant: (x) =>
      tf.tidy(() => {
        const leading = ending(`${name}: x`, x, shape).shape.slice(0, x.rank - shape.length);
        if (!logSlope) return tf.zeros(leading);
        const slopes = logSlope(x);
        return shape.length === 0 ? slopes : tf.sum(tf.reshape(slopes, [...leading, sizeOf(shape)]), -1);
      }),
  };
}

/**
 * Passes a tensor on that ends in a shape.
 *
 * @throws Error naming both shapes otherwise.
 * @internal
 */
export function ending(name: string, tensor: Tensor, shape: readonly number[]): Tensor {
  const tail = tensor.shape.slice(Math.max(0, tensor.rank - shape.length));
  if (tensor.rank >= shape.length && shape.every((size, i) => size === tail[i])) return tensor;
  throw new Error(`${name} has the shape ${formatShape(tensor.shape)}, but must end in ${formatShape(shape)}.`);
}

/** The product of a shape's sizes. @internal */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** @throws Error unless every size is a positive integer. */
function checkSizes(name: string, shape: readonly number[]): void {
  if (shape.every((size) => Number.isInteger(size) && size >= 1)) return;
  throw new Error(`${name}: the shape must consist of positive integers, not ${formatShape(shape)}.`);
}

/** @throws Error unless a size is an integer and at least `least`. @internal */
export function checkCount(name: string, size: number, least: number): void {
  if (Number.isInteger(size) && size >= least) return;
  throw new Error(`${name} must be an integer of at least ${least}, not ${size}.`);
}
