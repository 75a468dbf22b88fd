import { type Tensor, tf } from "./tf.js";

/**
 * Runs `compute` off the gradient tape: its result is a constant to everything that differentiates, and it may use operations that have no
 * gradient (comparisons, argMax). Its intermediate tensors are disposed.
 */
export function offTape<T extends Tensor>(compute: () => T): T {
  // A custom gradient with no inputs: the tape records a node that leads nowhere, and nothing of what runs inside.
  const constant = tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }));
  return constant() as T;
}
