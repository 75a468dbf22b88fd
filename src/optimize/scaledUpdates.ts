import { leaves, mapParameters } from "../engine/parameters.js";
import { type Tensor, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { Optimizer } from "./optimizer.js";

/** Options of {@link scaledUpdates}. */
export interface ScaledUpdatesOptions {
  readonly optimizer: Optimizer;
  /**
   * By the path of a parameter, or of a record that holds several (`"theta.decoder"`, `"phi.q.conditional.logScale"`): what multiplies its updates; 0 keeps it as it
   * is. Of two paths of which one holds the other, the longer counts. Parameters that no path names keep a factor of 1.
   */
  readonly factors: Readonly<Record<string, number>>;
}

/**
 * An optimizer that moves some parameters by another step size than the rest: θ_i ← θ_i + c_i (θ′_i − θ_i), where θ′ is what the given one makes of θ.
 *
 * ```ts
 * scaledUpdates({ optimizer: adam({ learningRate: 0.01 }), factors: { "phi.q.conditional.logScale": 0.2 } }); // σ moves by 0.002
 * ```
 *
 * The schedule scales all of them alike. For an update in proportion to the step size, as Adam's and plain gradient steps are, a factor c is a step size of c ρ_t.
 *
 * @throws Error if there are no factors or one is negative or not finite; when it starts, if a path names no parameter.
 */
export function scaledUpdates({ optimizer, factors }: ScaledUpdatesOptions): Optimizer {
  const paths = Object.keys(factors).sort((a, b) => b.length - a.length);
  if (paths.length === 0) throw new Error("scaledUpdates: give at least one factor, by the path of its parameter.");
  for (const [path, factor] of Object.entries(factors)) {
    if (!(factor >= 0 && factor < Infinity))
      throw new Error(`scaledUpdates: the factor of "${path}" must be finite and not negative, not ${factor}.`);
  }
  const holds = (path: string, leaf: string): boolean => leaf === path || leaf.startsWith(`${path}.`);
  return {
    ...optimizer,
    settings: { ...optimizer.settings, ...prefixed(factors) },
    init: (parameters) => {
      const known = leaves(parameters).map((leaf) => leaf.path);
      const unknown = paths.find((path) => !known.some((leaf) => holds(path, leaf)));
      if (unknown !== undefined)
        throw new Error(`scaledUpdates: there is no parameter "${unknown}"; there are ${known.join(", ")}.`);
      return optimizer.init(parameters);
    },
    step: ({ parameters, ...inputs }) =>
      tidied(() => {
        const next = optimizer.step({ parameters, ...inputs });
        const before = new Map(leaves(parameters).map(({ path, tensor }) => [path, tensor]));
        const scaled = mapParameters(next.parameters, (after, leaf): Tensor => {
          const path = paths.find((candidate) => holds(candidate, leaf));
          if (path === undefined || factors[path] === 1) return after;
          const old = before.get(leaf)!;
          return factors[path] === 0 ? tf.clone(old) : tf.add(old, tf.mul(factors[path], tf.sub(after, old)));
        });
        return { parameters: scaled, state: next.state };
      }),
  };
}

function prefixed(factors: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(factors).map(([path, factor]) => [`factor of ${path}`, factor]));
}
