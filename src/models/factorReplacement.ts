import type { Parameters } from "../engine/parameters.js";
import { type Tensor3D, tf } from "../engine/tf.js";
import { where } from "../ops/where.js";
import type { FactorisedProblem } from "./factorisedProblem.js";

/** A problem whose factors each have one coordinate of z, N = D, and that can exchange each of them by itself. */
export interface ReplaceableProblem<Theta extends Parameters, Phi extends Parameters>
  extends FactorisedProblem<Theta, Phi> {
  /**
   * The terms of log p(x, z) that hold z_n, with z_n replaced by proposed_n and every other coordinate as in z, `[K, B, D]`: D exchanges for each draw, none of which
   * sees another's.
   *
   * @param z `[K, B, D]`, as `proposed`.
   */
  replaced(theta: Theta, phi: Phi, z: Tensor3D, proposed: Tensor3D): Tensor3D;
}

/**
 * A factorised problem that exchanges whole sets of coordinates at once, of which no two share a term of log p:
 *
 * log p_n(x, z_−n, z′_n) = log p_n(x, z^(c)), n ∈ c, with z^(c)_m = z′_m for m ∈ c and z_m elsewhere.
 *
 * It takes one evaluation of the factors for each set. A model that knows what an exchange changes may do with less, and then gives `replaced` itself.
 *
 * @param options.sets which coordinates go together; every one stands in exactly one set. That no two of a set share a term is the caller's word.
 * @throws Error if the sets are no partition of 0, …, D − 1.
 */
export function withIndependentSets<Theta extends Parameters, Phi extends Parameters>(options: {
  readonly problem: FactorisedProblem<Theta, Phi>;
  readonly sets: readonly (readonly number[])[];
}): ReplaceableProblem<Theta, Phi> {
  const { problem, sets } = options;
  const all = sets.flat();
  const dimension = all.length;
  const known = new Set(all);
  if (dimension === 0 || known.size !== dimension || all.some((n) => !Number.isInteger(n) || n < 0 || n >= dimension)) {
    throw new Error(
      `withIndependentSets: the sets must hold each of the coordinates 0, …, D − 1 once, but hold ${dimension} numbers, ${known.size} of them different; give every coordinate one set.`,
    );
  }
  const member = sets.map((set) => {
    const row = new Array<number>(dimension).fill(0);
    for (const n of set) row[n] = 1;
    return row;
  });
  return {
    ...problem,
    replaced: (theta, phi, z, proposed) =>
      tf.tidy(() => {
        const [K, B, D] = z.shape;
        if (D !== dimension)
          throw new Error(`withIndependentSets: the sets are for D = ${dimension} coordinates, but z has ${D}.`);
        const inSet = tf.cast(tf.reshape(tf.tensor2d(member), [-1, 1, 1, D]), "bool"); // [C, 1, 1, D]
        const exchanged = where(inSet, tf.expandDims(proposed, 0), tf.expandDims(z, 0)); // [C, K, B, D]
        const { logP } = problem.factors(theta, phi, tf.reshape(exchanged, [-1, B, D]) as Tensor3D);
        const each = tf.reshape(logP, [sets.length, K, B, D]);
        return tf.sum(where(inSet, each, tf.zerosLike(each)), 0) as Tensor3D;
      }),
  };
}
