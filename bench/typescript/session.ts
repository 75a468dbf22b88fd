import type { AdamState } from "marginalia";
import { leaves, type Tensor, tf } from "marginalia";
import { readStart, type Start } from "./start.js";
import { variants } from "./variants.js";
import type { State } from "./workload.js";

/** A workload under way. */
export interface Session {
  /** Takes one step, or a call's many, and returns the milliseconds of one. */
  step(): number;
  /** The loss of the last step. */
  loss(): number;
  /** The gradient of the loss at the start, by parameter; to be asked for after the first step. */
  firstGradient(): { readonly [path: string]: Tensor };
  dispose(): void;
}

export function openSession(file: string, variant: string): Session {
  const { workload, sizes, data, state: start }: Start = readStart(file);
  const way = variants[variant](workload.step(sizes), data);
  let state: State = start;
  let loss: Tensor = tf.scalar(Number.NaN);
  let calls = 0;
  return {
    step: () => {
      const begin = performance.now();
      const next = way.advance(state, calls++);
      tf.dispose([loss, state as unknown as Tensor]);
      ({ state, loss } = next);
      return (performance.now() - begin) / way.steps;
    },
    loss: () => loss.dataSync()[0],
    firstGradient: () => {
      // Adam's first moment after one step is (1 − β₁) g, all parameters in one vector.
      const { mean } = state.optimizer as AdamState;
      const list = leaves(state.parameters);
      return tf.tidy(() => {
        const parts = tf.split(
          tf.mul(mean, (workload.gradientSign ?? 1) * 10) as tf.Tensor1D,
          list.map(({ tensor }) => tensor.size),
        );
        return Object.fromEntries(list.map(({ path, tensor }, i) => [path, tf.reshape(parts[i], tensor.shape)]));
      });
    },
    dispose: () => {
      way.dispose();
      tf.dispose([loss, state as unknown as Tensor, data as unknown as Tensor]);
    },
  };
}
