import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { sumToShape } from "./sumToShape.js";

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

/**
 * Log-density of independent normals, fused into one differentiable operation:
 * `log N(x; μ, σ) = −½ ((x − μ)/σ)² − log σ − ½ log 2π`, summed over the last `eventRank` dimensions.
 *
 * Differentiable any number of times in x, μ and σ. The density itself is never formed, so far tails stay finite and exact to float32.
 *
 * @param x where to evaluate, `[...]`.
 * @param mean μ; broadcasts against x.
 * @param scale σ > 0; broadcasts against x.
 * @param eventRank how many trailing dimensions to sum: 0 gives every element's log-density, 1 that of diagonal Gaussian vectors.
 * @throws Error if the shapes do not broadcast.
 */
export function normalLogDensity(
  x: Tensor,
  mean: Tensor | number,
  scale: Tensor | number,
  eventRank: number = 0,
): Tensor {
  const shape = broadcastOf("normalLogDensity", { x, mean, scale });
  const first = shape.length - eventRank;
  const axes = shape.slice(first).map((_, i) => first + i);
  const keptShape = shape.map((n, i) => (i < first ? n : 1));
  const size = shape.slice(first).reduce((product, n) => product * n, 1);
  // A number takes no gradient, so it is no input: a standard normal prior costs the gradient in x alone.
  const isInput = (value: Tensor | number): value is Tensor => typeof value !== "number";
  const inputs = [x, mean, scale].filter(isInput);
  const restore = (tensors: readonly Tensor[]): [Tensor, Tensor | number, Tensor | number] => {
    const queue = [...tensors];
    return [queue.shift()!, isInput(mean) ? queue.shift()! : mean, isInput(scale) ? queue.shift()! : scale];
  };

  const fused = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    save(args as Tensor[]);
    const [x, mean, scale] = restore(args as Tensor[]);
    const quadratic = tf.mul(tf.square(tf.div(tf.sub(x, mean), scale)), -0.5);
    if (!isInput(scale)) {
      const constant = -size * (halfLogTwoPi + Math.log(scale));
      return { value: tf.add(axes.length ? tf.sum(quadratic, axes) : quadratic, constant), gradFunc };
    }
    const elements = tf.sub(quadratic, tf.log(scale));
    return { value: tf.sub(axes.length ? tf.sum(elements, axes) : elements, size * halfLogTwoPi), gradFunc };
  });

  function gradFunc(dy: Tensor, saved: Tensor[]): Tensor[] {
    const [x, mean, scale] = restore(saved);
    const z = tf.div(tf.sub(x, mean), scale);
    const perScale = tf.div(tf.reshape(dy, keptShape), scale);
    const dMean = tf.mul(z, perScale);
    const gradients = [sumToShape(tf.neg(dMean), x.shape)];
    if (isInput(mean)) gradients.push(sumToShape(dMean, mean.shape));
    if (isInput(scale)) gradients.push(sumToShape(tf.mul(tf.sub(tf.square(z), 1), perScale), scale.shape));
    return gradients;
  }

  return fused(...inputs);
}
