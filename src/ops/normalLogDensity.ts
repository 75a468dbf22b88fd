import { broadcastOf, broadcastShapes } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";
import { sumBroadcast, sumToShape } from "./sumToShape.js";

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

/**
 * Log-density of independent normals, fused into one differentiable operation:
 * `log N(x; μ, σ) = −½ ((x − μ)/σ)² − log σ − ½ log 2π`, summed over the last `eventRank` dimensions.
 *
 * Differentiable any number of times in x, μ and σ. The density itself is never formed, so far tails stay finite and exact to float32.
 * The gradients are made from z = (x − μ)/σ of the way there, and are summed over what broadcasting stretched before they are scaled.
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
  const { length } = broadcastOf("normalLogDensity", { x, mean, scale });
  return normalLogDensityOver(
    Array.from({ length: eventRank }, (_, i) => length - eventRank + i),
    x,
    mean,
    scale,
  );
}

/** {@link normalLogDensity} summed over any axes of the broadcast shape. */
export function normalLogDensityOver(
  axes: readonly number[],
  x: Tensor,
  mean: Tensor | number,
  scale: Tensor | number,
): Tensor {
  const shape = broadcastOf("normalLogDensity", { x, mean, scale });
  const keptShape = shape.map((n, i) => (axes.includes(i) ? 1 : n));
  const at: Arguments = { x, mean, scale };
  return differentiable(
    tensorsOf(at),
    (save) => {
      const z = standardise(at);
      save([...tensorsOf(at), z]);
      const squares = tf.square(z);
      const quadratic = tf.mul(axes.length ? tf.sum(squares, [...axes]) : squares, -0.5);
      return tf.sub(quadratic, logNormaliser(scale, shape, axes));
    },
    (dy, saved) => {
      const { x, mean, scale } = restore(at, saved);
      const z = standardise({ x, mean, scale }, saved[saved.length - 1]);
      const each = tf.reshape(dy, keptShape);
      const pull = tf.mul(each, z);
      const gradients = [() => sumToShape(divide(tf.neg(pull), scale), x.shape)];
      if (isTensor(mean)) gradients.push(() => summedQuotient(pull, scale, mean.shape));
      if (isTensor(scale))
        gradients.push(() => {
          const squares = sumToShape(tf.mul(pull, z), scale.shape);
          return tf.div(tf.sub(squares, sumBroadcast(each, shape, scale.shape)), scale);
        });
      return gradients;
    },
  );
}

interface Arguments {
  readonly x: Tensor;
  readonly mean: Tensor | number;
  readonly scale: Tensor | number;
}

/** z = (x − μ)/σ as one operation; `known` is its value where that has been computed before. */
function standardise(at: Arguments, known?: Tensor): Tensor {
  return differentiable(
    tensorsOf(at),
    (save) => {
      const centred = at.mean === 0 ? at.x : tf.sub(at.x, at.mean);
      const z = known ? tf.clone(known) : divide(centred, at.scale);
      save([...tensorsOf(at), z]);
      return z === at.x ? tf.clone(z) : z;
    },
    (dy, saved) => {
      const { x, mean, scale } = restore(at, saved);
      const perScale = divide(dy, scale);
      const gradients = [() => sumToShape(perScale, x.shape)];
      if (isTensor(mean)) gradients.push(() => sumToShape(tf.neg(perScale), mean.shape));
      if (isTensor(scale)) {
        const z = standardise({ x, mean, scale }, saved[saved.length - 1]);
        gradients.push(() => sumToShape(tf.neg(tf.mul(perScale, z)), scale.shape));
      }
      return gradients;
    },
  );
}

/**
 * Σ over the axes of log σ + ½ log 2π, in the smallest shape that broadcasts to what is left of `shape`: of σ only what it holds is touched.
 */
export function logNormaliser(
  scale: Tensor | number,
  shape: readonly number[],
  axes: readonly number[],
): Tensor | number {
  const size = axes.reduce((product, i) => product * shape[i]!, 1);
  if (!isTensor(scale)) return size * (halfLogTwoPi + Math.log(scale));
  const held = axes.map((i) => i - (shape.length - scale.rank)).filter((i) => i >= 0);
  const copies = size / held.reduce((product, i) => product * scale.shape[i]!, 1);
  const logs = held.length ? tf.sum(tf.log(scale), held) : tf.log(scale);
  return tf.add(copies === 1 ? logs : tf.mul(logs, copies), size * halfLogTwoPi);
}

/** `sumToShape(x / scale, shape)`, summed first where the scale does not vary along what is summed. */
function summedQuotient(x: Tensor, scale: Tensor | number, shape: readonly number[]): Tensor {
  const constant = !isTensor(scale) || `${broadcastShapes(shape, scale.shape)}` === `${shape}`;
  return constant ? divide(sumToShape(x, shape), scale) : sumToShape(tf.div(x, scale), shape);
}

function divide(x: Tensor, scale: Tensor | number): Tensor {
  return scale === 1 ? x : tf.div(x, scale);
}

// A number takes no gradient, so it is no input: a standard normal prior costs the gradient in x alone.
function isTensor(value: Tensor | number): value is Tensor {
  return typeof value !== "number";
}

function tensorsOf({ x, mean, scale }: Arguments): Tensor[] {
  return [x, mean, scale].filter(isTensor);
}

/** The arguments with their tensors taken, in order, from what was saved. */
function restore({ mean, scale }: Arguments, saved: readonly Tensor[]): Arguments {
  const queue = [...saved];
  return {
    x: queue.shift()!,
    mean: isTensor(mean) ? queue.shift()! : mean,
    scale: isTensor(scale) ? queue.shift()! : scale,
  };
}
