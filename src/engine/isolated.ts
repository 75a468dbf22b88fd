import { tf } from "./tf.js";

/**
 * Runs `compute` out of sight of any derivative that is being taken: its result is a constant to that, and derivatives taken inside have a
 * tape of their own.
 */
export function isolated<T>(compute: () => T): T {
  const { state } = tf.engine();
  const { activeTape, gradientDepth } = state;
  Object.assign(state, { activeTape: null, gradientDepth: 0 });
  try {
    return compute();
  } finally {
    Object.assign(state, { activeTape, gradientDepth });
  }
}
