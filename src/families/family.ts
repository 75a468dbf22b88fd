import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import type { ConditionalPosterior, Posterior } from "../models/problem.js";

/** A variational family that does not look at data: parameters φ to q(z; φ), batch `[B]`, event `[D]`. */
export interface Family<Phi extends Parameters> extends Posterior<Phi> {
  /** Parameters to start from. */
  init(key: Key): Phi;
}

/** An amortised family: parameters φ and data x `[B, P]` to q(z | x; φ), batch `[B]`, event `[D]`. */
export interface ConditionalFamily<Phi extends Parameters> extends ConditionalPosterior<Phi> {
  /** Parameters to start from. */
  init(key: Key): Phi;
}

/** @throws Error unless the named size is a positive integer. */
export function checkSize(name: string, size: number): void {
  if (!Number.isInteger(size) || size < 1) throw new Error(`${name} must be a positive integer, not ${size}.`);
}

/** @throws Error unless the named number is positive and finite. */
export function checkPositiveNumber(name: string, value: number): void {
  if (!(value > 0 && value < Number.POSITIVE_INFINITY))
    throw new Error(`${name} must be positive and finite, not ${value}.`);
}
