import {
  type Key,
  type Mlp,
  type MlpParameters,
  mlp,
  normalLogDensity,
  type Tensor,
  type Tensor1D,
  tf,
} from "marginalia";
import type { Sizes } from "./workload.js";

/** q(z) = ∫ N(z; μ(ε), diag σ²) N(ε; 0, I) dε with μ a perceptron: ε in 3 dimensions, z in 2. */
export type SemiImplicit = {
  readonly net: MlpParameters;
  /** log σ, `[2]`. */
  readonly logScale: Tensor1D;
};

/** μ: 3-width-width-2, ReLU. */
export function meanNet({ width }: Sizes): Mlp {
  return mlp({ sizes: [3, width, width, 2], activation: "relu" });
}

export function initSemiImplicit(sizes: Sizes, key: Key): { parameters: SemiImplicit; data: Record<string, never> } {
  return { parameters: { net: meanNet(sizes).init(key), logScale: tf.fill([2], Math.log(0.5)) as Tensor1D }, data: {} };
}

/** The target, up to a constant: z₂ ~ N(0, 2²), z₁ | z₂ ~ N(z₂²/4, 1); z is `[S, 2]`. */
export function banana(z: Tensor): Tensor {
  const [z1, z2] = tf.split(z, 2, 1);
  const bend = tf.sub(z1, tf.mul(tf.square(z2), 0.25));
  return tf.squeeze(tf.add(normalLogDensity(bend, 0, 1), normalLogDensity(z2, 0, 2)), [1]);
}
