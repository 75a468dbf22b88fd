import { type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { meanFieldGamma } from "../../src/families/meanFieldGamma.js";
import { densityProblem, type Problem } from "../../src/models/problem.js";
import { logGamma, polyGamma } from "../../src/ops/gammaFunctions.js";
import { differences } from "./support.js";

/**
 * log p(z) = Σ_d (a_d + θ − 1) log z_d − b_d z_d + r z_1 z_2 with a product of gamma laws as q off its optimum, and the exact gradient of the ELBO:
 * Σ_d (a_d + θ − 1)(ψ(α_d) − log β_d) − b_d m_d + H_d, + r m_1 m_2.
 */
export function gammaCase(shapes: readonly [number, number]) {
  const [a, b, coupling] = [[2.5, 1.5], [1.2, 0.7], -0.3];
  const means = [1.4, 0.8];
  const value = (all: readonly number[]): number => {
    const m = all.slice(2, 4).map(Math.exp);
    return all.slice(0, 2).reduce(
      (sum, logShape, d) => {
        const alpha = Math.exp(logShape);
        const logRate = logShape - Math.log(m[d]!);
        const entropy = alpha - logRate + logGamma(alpha) + (1 - alpha) * polyGamma(0, alpha);
        return sum + (a[d]! + all[4]! - 1) * (polyGamma(0, alpha) - logRate) - b[d]! * m[d]! + entropy;
      },
      coupling * m[0]! * m[1]!,
    );
  };
  const at = [...shapes.map(Math.log), ...means.map(Math.log), 0];
  const slope = differences(value, at);
  const row = (values: readonly number[]): Tensor2D => tf.tensor2d([[...values]]);
  const record = (values: readonly number[]) => ({
    theta: { extra: tf.tensor1d([values[4]!]) as Tensor1D },
    phi: { logConcentration: row(values.slice(0, 2)), logMean: row(values.slice(2, 4)) },
  });
  const problem: Problem<{ extra: Tensor1D }, { logConcentration: Tensor2D; logMean: Tensor2D }> = {
    ...densityProblem({ logDensity: (z) => tf.sum(z, -1), family: meanFieldGamma({ dimension: 2 }) }),
    logP: ({ extra }, z) =>
      tf.tidy(() => {
        const powers = tf.mul(tf.add(tf.sub(tf.tensor1d(a), 1), extra), tf.log(z));
        const own = tf.sum(tf.sub(powers, tf.mul(tf.tensor1d(b), z)), -1);
        const [first, second] = tf.unstack(z, -1);
        return tf.add(own, tf.mul(coupling, tf.mul(first!, second!))) as Tensor2D;
      }),
  };
  return { problem, ...record(at), exact: record(slope), value: value(at) };
}
