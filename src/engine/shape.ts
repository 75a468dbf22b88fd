import type { Tensor } from "./tf.js";

/** The shape that two shapes broadcast to, or `undefined` where they do not. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return undefined;
    shape.push(left === 1 ? right : left);
  }
  return shape;
}

/**
 * The shape that named tensors (or numbers, of shape `[]`) broadcast to.
 *
 * @param owner what the tensors belong to; it opens the error's sentence.
 * @throws Error naming every tensor and its shape if they do not broadcast.
 */
export function broadcastOf(owner: string, tensors: Readonly<Record<string, Tensor | number>>): number[] {
  let shape: number[] | undefined = [];
  for (const tensor of Object.values(tensors)) shape = shape && broadcastShapes(shape, shapeOf(tensor));
  if (shape) return shape;
  const list = Object.entries(tensors).map(([name, tensor]) => `${name} ${formatShape(shapeOf(tensor))}`);
  throw new Error(`${owner}: the shapes ${list.join(" and ")} do not broadcast against each other.`);
}

/**
 * Checks a tensor's shape against a pattern of sizes, `"*"` for any size and a leading `"..."` for any leading dimensions.
 *
 * @param name what the tensor is called in the error.
 * @throws Error with the shape that was given and the shape that is needed.
 */
export function checkShape(name: string, tensor: Tensor, pattern: readonly (number | "*" | "...")[]): void {
  const open = pattern[0] === "...";
  const sizes = open ? pattern.slice(1) : pattern;
  const { shape } = tensor;
  const tail = shape.slice(shape.length - sizes.length);
  const rankFits = open ? shape.length >= sizes.length : shape.length === sizes.length;
  if (rankFits && sizes.every((size, i) => size === "*" || size === tail[i])) return;
  throw new Error(`${name} has the shape ${formatShape(shape)}, but needs ${formatShape(pattern)}.`);
}

/** A shape as a reader writes it: `[2, 3]`. */
export function formatShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(", ")}]`;
}

/** The shape of a tensor, `[]` for a number. */
function shapeOf(value: Tensor | number): readonly number[] {
  return typeof value === "number" ? [] : value.shape;
}
