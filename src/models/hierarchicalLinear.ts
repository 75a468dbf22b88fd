import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { matMul } from "../ops/matMul.js";
import { normalLogDensity } from "../ops/normalLogDensity.js";
import type { Bijection } from "../transforms/bijection.js";
import { positive } from "../transforms/positive.js";
import { real } from "../transforms/real.js";
import type { UnconstrainedOptions } from "../transforms/unconstrained.js";

/** Options of {@link hierarchicalLinear}. */
export interface HierarchicalLinearOptions {
  /** Rows (y, x, group), `[N, 3]`, the groups numbered from 0. They are read here once and stay the caller's. */
  readonly rows: Tensor2D;
}

/** The unknowns of {@link hierarchicalLinear}. */
export type HierarchicalLinearSupports = {
  /** Mean of the groups' intercepts. */
  readonly mu: Bijection<Tensor1D>;
  /** Their standard deviation. */
  readonly tau: Bijection<Tensor1D>;
  /** The common slope. */
  readonly slope: Bijection<Tensor1D>;
  /** Standard deviation of a row. */
  readonly sigma: Bijection<Tensor1D>;
  /** The groups' intercepts, `[K, J]`. */
  readonly intercepts: Bijection<Tensor2D>;
};

/**
 * Linear regression with an intercept for each group: α_j ~ N(μ, τ²), y_n ~ N(α_{g(n)} + β x_n, σ²), with μ, β ~ N(0, 5²) and τ, σ ~ half-normal(0, 1), and every constant.
 *
 * The intercepts are centred, which suits groups with many rows.
 *
 * Source: Gelman & Hill 2007, "Data analysis using regression and multilevel/hierarchical models", chapter 12.
 *
 * @throws Error if the rows are no `[N, 3]` with N ≥ 1 and finite numbers, or a group is not an integer of at least 0 or has no row.
 */
export function hierarchicalLinear({
  rows,
}: HierarchicalLinearOptions): UnconstrainedOptions<HierarchicalLinearSupports> {
  checkShape("hierarchicalLinear: rows", rows, ["*", 3]);
  const n = rows.shape[0];
  if (n === 0) throw new Error("hierarchicalLinear: there are no rows; give it at least one.");
  const values = rows.dataSync();
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw new Error(
      `hierarchicalLinear: rows[${Math.floor(bad / 3)}, ${bad % 3}] is ${values[bad]}; remove or impute such rows.`,
    );
  const column = (c: number): Float32Array => Float32Array.from({ length: n }, (_, i) => values[3 * i + c]);
  const [y, x, groups] = [column(0), column(1), column(2)];
  const wrong = groups.findIndex((group) => !(Number.isInteger(group) && group >= 0));
  if (wrong !== -1)
    throw new Error(
      `hierarchicalLinear: the group of row ${wrong} is ${groups[wrong]}, but must be an integer from 0 on.`,
    );
  const J = groups.reduce((most, group) => Math.max(most, group), 0) + 1;
  const empty = Array.from({ length: J }, (_, j) => j).find((j) => !groups.includes(j));
  if (empty !== undefined)
    throw new Error(`hierarchicalLinear: group ${empty} of ${J} has no row; number them without gaps.`);
  const memberships = Float32Array.from({ length: J * n }, (_, i) => Number(groups[i % n] === Math.floor(i / n)));
  return {
    supports: { mu: real(), tau: positive(), slope: real(), sigma: positive(), intercepts: real([J]) },
    logJoint: ({ mu, tau, slope, sigma, intercepts }) =>
      tf.tidy(() => {
        const own = matMul(intercepts, tf.tensor2d(memberships, [J, n]));
        const mean = tf.add(own, tf.mul(tf.expandDims(slope, 1), tf.tensor2d(x, [1, n])));
        const terms: Tensor[] = [
          normalLogDensity(mu, 0, 5),
          normalLogDensity(slope, 0, 5),
          halfNormal(tau),
          halfNormal(sigma),
          normalLogDensity(intercepts, tf.expandDims(mu, 1), tf.expandDims(tau, 1), 1),
          normalLogDensity(tf.tensor2d(y, [1, n]), mean, tf.expandDims(sigma, 1), 1),
        ];
        return terms.reduce((sum, term) => tf.add(sum, term));
      }),
  };
}

/** log of twice N(x; 0, 1). */
function halfNormal(x: Tensor1D): Tensor {
  return tf.add(normalLogDensity(x, 0, 1), Math.LN2);
}
