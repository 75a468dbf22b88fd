import { type Tensor, tf } from "../engine/tf.js";
import type { Bijection } from "./bijection.js";

/**
 * Bijections one after another, f = f_n ∘ … ∘ f_1: log-determinants add, each at the point where its own map is applied.
 *
 * @throws Error if there is none, or one does not take what the one before gives.
 */
export function chained(maps: readonly Bijection[]): Bijection {
  const [first, ...rest] = maps;
  if (!first) throw new Error("chained: there is no map; give at least one.");
  rest.forEach(({ name, unconstrainedShape }, i) => {
    const before = maps[i]!;
    if (`${unconstrainedShape}` === `${before.shape}`) return;
    throw new Error(
      `chained: ${name} takes the shape [${unconstrainedShape}], but ${before.name} before it gives [${before.shape}]; put maps of equal shapes next to each other.`,
    );
  });
  const last = maps[maps.length - 1]!;
  return {
    name: `chained (${maps.map(({ name }) => name).join(", ")})`,
    shape: last.shape,
    unconstrainedShape: first.unconstrainedShape,
    forward: (x) => tf.tidy(() => maps.reduce((at, map) => map.forward(at), x)),
    inverse: (y) => tf.tidy(() => maps.reduceRight((at, map) => map.inverse(at), y)),
    logDeterminant: (x) =>
      tf.tidy(() => {
        let total: Tensor = first.logDeterminant(x);
        let at = x;
        rest.forEach((map, i) => {
          at = maps[i]!.forward(at);
          total = tf.add(total, map.logDeterminant(at));
        });
        return total;
      }),
  };
}
