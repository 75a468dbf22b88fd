import { inForce } from "./inForce.js";
import type { Tensor } from "./tf.js";
import type { Words } from "./threefry.js";

/** A draw as a function of its key and of the tensors that it depends on. */
export type Redraw = (key: { readonly words: Words }, inputs: readonly Tensor[]) => Tensor;

/**
 * What a recorder of a step is told about random keys. Keys are data and their derivation does not depend on data, so whoever replays the
 * step derives the same tree from another root and feeds its seeds.
 */
export interface KeyTrace {
  /** `child` has the words threefry(parent, counter). */
  derived(parent: object, child: object, counter: Words): void;
  /** `tensor`, int32 `[2]`, holds the words of `key`: the seed of a native draw. */
  seeded(key: object, tensor: Tensor): void;
  /**
   * `tensor` was drawn in JavaScript, from `key` and the values of `inputs`; `redraw` makes the same draw from another key and other inputs
   * of their shapes.
   */
  drawn?(key: object, tensor: Tensor, redraw: Redraw, inputs: readonly Tensor[]): void;
  /** The function `by` made numbers of JavaScript from `key`, which a replay cannot follow. */
  opened?(key: object, by: string): void;
}

let active: KeyTrace | undefined;

/** The recorder that listens now, if one does. */
export function keyTrace(): KeyTrace | undefined {
  return active;
}

/** Runs `step` with a recorder listening. */
export function withKeyTrace<T>(trace: KeyTrace, step: () => T): T {
  const outer = active;
  active = trace;
  return inForce(() => {
    active = outer;
  }, step);
}
