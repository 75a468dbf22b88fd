import { leaves, type Tensor, tf } from "marginalia";
import type { AdamState } from "marginalia";
import { readStart, type Start, stepKey } from "./start.js";
import { variants } from "./variants.js";
import type { State } from "./workload.js";

/** A workload under way. */
export interface Session {
  /** Takes one step and returns its milliseconds. */
  step(): number;
  /** The loss of the last step. */
  loss(): number;
  /** The gradient of the loss at the start, by parameter; to be asked for after the first step. */
  firstGradient(): { readonly [path: string]: Tensor };
  dispose(): void;
}

export function openSession(file: string, variant: string): Session {
  const { workload, sizes, data, state: start }: Start = readStart(file);
  const step = variants[variant](workload.step(sizes));
  let state: State = start;
  let loss: Tensor = tf.scalar(Number.NaN);
  let steps = 0;
  return {
    step: () => {
      const begin = performance.now();
      const next = step({ state, data, key: stepKey(steps++) });
      tf.dispose([loss, state as unknown as Tensor]);
      ({ state, loss } = next);
      return performance.now() - begin;
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
      step.dispose?.();
      tf.dispose([loss, state as unknown as Tensor, data as unknown as Tensor]);
    },
  };
}
