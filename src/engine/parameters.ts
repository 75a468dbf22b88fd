import { type Tensor, tf } from "./tf.js";

/** What may stand in a parameter record: a tensor, a nested record, or a list of either. */
export type Parameter = Tensor | Parameters | readonly Parameter[];

/**
 * Parameters of a model or a family: a plain nested record of tensors, for instance
 * `{ encoder: { weights: [w1, w2], biases: [b1, b2] }, logScale }`.
 *
 * Declare your own as a `type` (an `interface` has no index signature, so it is not assignable to this); every function of the library
 * gives back the very type that it was given.
 */
export interface Parameters {
  readonly [name: string]: Parameter;
}

/** One tensor of a parameter record and where it stands, for instance `"encoder.weights.0"`. */
export interface Leaf {
  readonly path: string;
  readonly tensor: Tensor;
}

/**
 * The tensors of a parameter record with their paths, depth first in the order of the record's keys.
 *
 * @throws Error if a leaf is not a tensor.
 */
export function leaves(parameters: Parameters): Leaf[] {
  const found: Leaf[] = [];
  walk(parameters, "", (tensor, path) => {
    found.push({ path, tensor });
    return tensor;
  });
  return found;
}

/**
 * A record of the same structure whose every tensor is `change(tensor, path)`.
 *
 * @throws Error if a leaf is not a tensor.
 */
export function mapParameters<P extends Parameters>(
  parameters: P,
  change: (tensor: Tensor, path: string) => Tensor,
): P {
  return walk(parameters, "", change) as P;
}

/** A record of the same structure that holds the given tensors, in the order of {@link leaves}. */
export function withTensors<P extends Parameters>(like: P, tensors: readonly Tensor[]): P {
  let next = 0;
  return mapParameters(like, () => tensors[next++] as Tensor);
}

/** A deep copy whose tensors live and are disposed independently of the original's (the values are shared until then). */
export function cloneParameters<P extends Parameters>(parameters: P): P {
  return mapParameters(parameters, (tensor) => tf.clone(tensor));
}

/** Disposes every tensor of the record. */
export function disposeParameters(parameters: Parameters): void {
  for (const { tensor } of leaves(parameters)) tensor.dispose();
}

/** How many numbers the record holds. */
export function countParameters(parameters: Parameters): number {
  return leaves(parameters).reduce((total, { tensor }) => total + tensor.size, 0);
}

function walk(node: Parameter, path: string, change: (tensor: Tensor, path: string) => Tensor): Parameter {
  if (isTensor(node)) return change(node, path);
  const below = (name: string | number): string => (path === "" ? String(name) : `${path}.${name}`);
  if (Array.isArray(node)) return node.map((child, i) => walk(child, below(i), change));
  if (typeof node !== "object" || node === null) {
    throw new Error(`Parameter "${path}" is not a tensor but ${node === null ? "null" : `a ${typeof node}`}.`);
  }
  return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, walk(child, below(name), change)]));
}

function isTensor(node: Parameter): node is Tensor {
  return node instanceof tf.Tensor;
}
