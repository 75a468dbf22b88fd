import { checkShape, formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { type Bijection, sizeOf } from "./bijection.js";

/** The unknowns of a model by name, each with the set it lives in. */
export type Supports = { readonly [name: string]: Bijection };

/** K values of every unknown, `[K, ...shape]`. */
export type Constrained<S extends Supports> = {
  readonly [Name in keyof S]: S[Name] extends Bijection<infer Draws> ? Draws : Tensor;
};

/** Options of {@link unconstrained}. */
export interface UnconstrainedOptions<S extends Supports> {
  /** log p(x, z), up to a constant, of K values of every unknown: maps each name's `[K, ...shape]` to `[K]`. */
  readonly logJoint: (values: Constrained<S>) => Tensor;
  /** The unknowns and where they live; their order is that of the coordinates. */
  readonly supports: S;
}

/** A model of named, constrained unknowns as a density on ℝᴰ. */
export interface Unconstrained<S extends Supports> {
  /** D. */
  readonly dimension: number;
  /** The coordinates' names, `[D]`: `"mu"`, `"theta[3]"`. */
  readonly names: readonly string[];
  /** log p(x, f(u)) + log |det ∂f/∂u|, `[...]`, for u `[..., D]`: what `densityProblem`, `hmc` and `laplace` take. */
  logDensity(u: Tensor): Tensor;
  /** The unknowns `[K, ...shape]` of u `[K, D]`. */
  constrain(u: Tensor): Constrained<S>;
  /** u `[K, D]` of the unknowns. */
  unconstrain(values: Constrained<S>): Tensor;
}

/**
 * A model stated in its own, constrained unknowns as a density on ℝᴰ, by the bijections of its supports.
 *
 * ```ts
 * const { logDensity, dimension } = unconstrained({
 *   supports: { mu: real(), tau: positive(), theta: real([8]) },
 *   logJoint: ({ mu, tau, theta }) => …,   // mu, tau [K], theta [K, 8] to [K]
 * });
 * ```
 *
 * @throws Error if there is no unknown; from its functions, if a shape does not fit or `logJoint` does not return `[K]`.
 * Source: Kucukelbir, Tran, Ranganath, Gelman & Blei 2017, "Automatic differentiation variational inference", JMLR 18.
 */
export function unconstrained<S extends Supports>(options: UnconstrainedOptions<S>): Unconstrained<S> {
  const { logJoint, supports } = options;
  const entries: readonly [string, Bijection][] = Object.entries(supports);
  if (entries.length === 0) throw new Error("unconstrained: supports is empty; name at least one unknown.");
  const sizes = entries.map(([, support]) => sizeOf(support.unconstrainedShape));
  const dimension = sizes.reduce((total, size) => total + size, 0);
  /** The parts of u `[K, D]` that belong to each unknown, in its own shape. */
  const parts = (u: Tensor): Tensor[] => {
    const pieces = entries.length === 1 ? [u] : tf.split(u, sizes, 1);
    return entries.map(([, { unconstrainedShape }], i) => tf.reshape(pieces[i], [u.shape[0], ...unconstrainedShape]));
  };
  const forward = (pieces: readonly Tensor[]): Constrained<S> =>
    Object.fromEntries(entries.map(([name, support], i) => [name, support.forward(pieces[i])])) as Constrained<S>;
  return {
    dimension,
    names: entries.flatMap(([name, { unconstrainedShape }]) => elementNames(name, unconstrainedShape)),
    logDensity: (u) =>
      tf.tidy(() => {
        checkShape("unconstrained: u", u, ["...", dimension]);
        const leading = u.shape.slice(0, -1);
        const pieces = parts(tf.reshape(u, [-1, dimension]));
        const joint = logJoint(forward(pieces));
        const samples = sizeOf(leading);
        if (joint.rank !== 1 || joint.shape[0] !== samples) {
          throw new Error(
            `logJoint must return one log-density for each of the ${samples} values, ${formatShape([samples])}, but it returned ${formatShape(joint.shape)}; sum over all axes but the first.`,
          );
        }
        const total = entries.reduce<Tensor>((sum, [, support], i) => {
          return support.name === "real" ? sum : tf.add(sum, support.logDeterminant(pieces[i]));
        }, joint);
        return tf.reshape(total, leading);
      }),
    constrain: (u) => {
      checkShape("unconstrained: u", u, ["*", dimension]);
      return tidied(() => forward(parts(u)));
    },
    unconstrain: (values) =>
      tf.tidy(() => {
        const pieces = entries.map(([name, support], i) => {
          const value = (values as Readonly<Record<string, Tensor>>)[name];
          if (!(value instanceof tf.Tensor)) throw new Error(`unconstrain: a value for "${name}" is missing.`);
          return tf.reshape(support.inverse(value), [-1, sizes[i]]);
        });
        return tf.concat(pieces, 1);
      }),
  };
}

/** `name`, `name[2]` or `name[2,1]` for every element of a shape, row by row. @internal */
export function elementNames(name: string, shape: readonly number[]): string[] {
  return Array.from({ length: sizeOf(shape) }, (_, flat) => {
    let left = flat;
    const indices = [...shape].reverse().map((size) => {
      const index = left % size;
      left = Math.floor(left / size);
      return index;
    });
    return shape.length === 0 ? name : `${name}[${indices.reverse().join(",")}]`;
  });
}
