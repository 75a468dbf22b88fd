import { inForce } from "./inForce.js";
import { tf } from "./tf.js";
import { tidied } from "./values.js";

/**
 * Runs `compute` on a gradient tape of its own, as if nothing around it were being differentiated.
 *
 * It may take gradients, however deep inside another derivative it runs, and what it returns is a constant to that derivative. The outer tape
 * records and keeps nothing of it, so hundreds of inner gradients cost no memory there. All but the result is disposed.
 */
export function onOwnTape<T extends object>(compute: () => T): T {
  const { state } = tf.engine();
  const outer = { activeTape: state.activeTape, gradientDepth: state.gradientDepth, kernelDepth: state.kernelDepth };
  // kernelDepth is positive inside a custom gradient, which would keep the own tape from recording.
  Object.assign(state, { activeTape: [], gradientDepth: 0, kernelDepth: 0 });
  const restore = (): void => {
    Object.assign(state, outer);
  };
  return inForce(restore, () => {
    try {
      return tidied(compute);
    } catch (error) {
      // A derivative that threw leaves what its tape saved for the way back.
      for (const { saved } of state.activeTape ?? []) for (const tensor of saved ?? []) tensor.dispose();
      throw error;
    }
  });
}
