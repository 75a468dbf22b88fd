import { broadcastOf, formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { lowerTriangle } from "../ops/lowerTriangle.js";
import { triangularSolve } from "../ops/triangularSolve.js";
import { fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { Independent } from "./independent.js";
import { MultivariateNormal } from "./multivariateNormal.js";
import { Normal } from "./normal.js";
import { whiten } from "./triangularScale.js";

/**
 * The Kullback–Leibler divergence `KL(p ‖ q) = E_p[log p(x) − log q(x)]` in closed form, in nats.
 *
 * For two {@link Normal}s `log(σ_q/σ_p) + (σ_p² + (μ_p − μ_q)²)/(2σ_q²) − ½`, for two `Independent`s of them its sum over the event, and for
 * two {@link MultivariateNormal}s `½ (|L_q⁻¹ L_p|² + |L_q⁻¹ (μ_p − μ_q)|² − D) + log |L_q| − log |L_p|`. Batches broadcast.
 *
 * @returns the divergence for every element of the batch.
 * @throws Error for any other pair, and if the event shapes differ.
 */
export function klDivergence(p: Distribution, q: Distribution): Tensor {
  if (`${p.eventShape}` !== `${q.eventShape}`) {
    throw new Error(
      `klDivergence: the event shapes ${formatShape(p.eventShape)} and ${formatShape(q.eventShape)} differ.`,
    );
  }
  if (p instanceof Normal && q instanceof Normal) return betweenNormals(p, q);
  if (p instanceof MultivariateNormal && q instanceof MultivariateNormal) return betweenMultivariateNormals(p, q);
  if (p instanceof Independent && q instanceof Independent && p.eventRank === q.eventRank) {
    return tf.tidy(() => {
      const perDimension = klDivergence(p.base, q.base);
      const axes = Array.from({ length: p.eventRank }, (_, i) => perDimension.rank - 1 - i);
      return axes.length ? tf.sum(perDimension, axes) : perDimension;
    });
  }
  throw new Error(
    `klDivergence: no closed form for ${p.constructor.name} against ${q.constructor.name}; average p.logProb − q.logProb over samples of p.`,
  );
}

function betweenNormals(p: Normal, q: Normal): Tensor {
  const shape = broadcastOf("klDivergence", {
    "p.mean": p.parameters.mean,
    "p.scale": p.parameters.scale,
    "q.mean": q.parameters.mean,
    "q.scale": q.parameters.scale,
  });
  return tf.tidy(() => {
    const ratio = tf.div(fill(p.parameters.scale, shape), q.parameters.scale);
    const shift = tf.div(tf.sub(fill(p.parameters.mean, shape), q.parameters.mean), q.parameters.scale);
    const quadratic = tf.mul(tf.add(tf.square(ratio), tf.sub(tf.square(shift), 1)), 0.5);
    return tf.sub(quadratic, tf.log(ratio));
  });
}

function betweenMultivariateNormals(p: MultivariateNormal, q: MultivariateNormal): Tensor {
  return tf.tidy(() => {
    const size = p.eventShape[0]!;
    const difference = tf.sub(p.mean(), q.mean());
    const batch = difference.shape.slice(0, -1);
    const lowerP = fill(lowerTriangle(p.parameters.scaleTril), [...batch, size, size]);
    const lowerQ = fill(q.parameters.scaleTril, [...batch, size, size]);
    const trace = tf.sum(tf.square(triangularSolve(lowerQ, lowerP)), [-2, -1]);
    const distance = tf.sum(tf.square(whiten(q.parameters.scaleTril, difference)), -1);
    const quadratic = tf.mul(tf.sub(tf.add(trace, distance), size), 0.5);
    return tf.add(quadratic, tf.sub(q.logDeterminant(), p.logDeterminant()));
  });
}
