import { formatShape } from "../engine/shape.js";
import { type Scalar, type Tensor, type Tensor2D, tf } from "../engine/tf.js";

/** β ≥ 0, what multiplies log p(z) − log q(z | x): a number, or a scalar tensor that a compiled step is fed anew at every step. */
export type KlWeight = number | Scalar;

/** What has, or may have, a {@link KlWeight}. */
export interface KlWeighted {
  /** β, where it is not 1: log w = `logP` − β `logQ`, with β log p(z) in `logP` already. */
  readonly klWeight?: KlWeight;
}

/** @throws Error if β is a number that is negative or not finite, or a tensor that is no scalar. */
export function checkKlWeight(name: string, klWeight: KlWeight | undefined): void {
  if (klWeight === undefined) return;
  if (typeof klWeight !== "number") {
    if (klWeight.rank === 0) return;
    throw new Error(
      `${name}: klWeight must be a number or a scalar tensor, not one of shape ${formatShape(klWeight.shape)}.`,
    );
  }
  if (!(Number.isFinite(klWeight) && klWeight >= 0)) {
    throw new Error(`${name}: klWeight must be a finite number ≥ 0, not ${klWeight}; 1 gives the bound itself.`);
  }
}

/** log p(x | z) + β log p(z), from log p(x, z) and log p(z). At β = 1 it is log p(x, z) to the bit. */
export function withWeightedPrior(logJoint: Tensor, logPrior: Tensor, klWeight: KlWeight): Tensor {
  return tf.add(logJoint, tf.mul(tf.sub(klWeight, 1), logPrior));
}

/** β times a tensor, of the problem's β: the tensor itself where it has none. */
export function timesKlWeight<T extends Tensor>({ klWeight }: KlWeighted, tensor: T): T {
  return klWeight === undefined ? tensor : (tf.mul(klWeight, tensor) as T);
}

/** log w = log p(x | z) + β (log p(z) − log q(z | x)), `[K, B]`, from the problem's `logP` and `logQ`. */
export function logWeightsOf(problem: KlWeighted, logP: Tensor2D, logQ: Tensor): Tensor2D {
  return tf.sub(logP, timesKlWeight(problem, logQ)) as Tensor2D;
}

/** @throws Error if the problem has a β, for what needs the weights p(x, z)/q(z | x) themselves. */
export function refuseKlWeight(name: string, problem: KlWeighted): void {
  if (problem.klWeight === undefined) return;
  throw new Error(
    `${name}: this problem weighs log p(z) − log q(z | x) by a klWeight, so its weights are not p(x, z)/q(z | x); make it without one.`,
  );
}
