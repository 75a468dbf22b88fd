import { expect } from "vitest";
import type { BackendName } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { recordKernels } from "../../src/engine/kernelReplay.js";
import { foldIn, type Key, randomKey } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import type { Operation } from "../ops/support.js";

/** The backends that run kernels one by one. */
export const kernelBackends: readonly BackendName[] = ["wasm", "cpu"];

/** A pure function of tensors and keys. */
export type TensorStep = (inputs: readonly Tensor[], keys: readonly Key[]) => readonly Tensor[];

/** Shape, dtype and bytes of a tensor, so that −0 and 0 are told apart. */
export function bits(tensor: Tensor): string {
  const { buffer, byteOffset, byteLength } = tensor.dataSync();
  return `${tensor.dtype} [${tensor.shape}] ${Buffer.from(buffer, byteOffset, byteLength).toString("hex")}`;
}

/** How many tensors there are, how many data they share, and how many the backend holds. */
export function held(): object {
  const { numTensors, numDataBuffers } = tf.memory();
  return { numTensors, numDataBuffers, inBackend: tf.backend().numDataIds() };
}

/**
 * Records a step, and expects of the recorded run and of six replays with other inputs and keys the bits that the step itself returns, and
 * that nothing is left behind.
 *
 * @param inputsAt the inputs of call i, new tensors.
 */
export function expectSameBits(step: TensorStep, inputsAt: (i: number) => Tensor[]): void {
  const before = held();
  const calls = Array.from({ length: 6 }, (_, i) => ({ inputs: inputsAt(i), keys: [foldIn(randomKey(1), i)] }));
  const eager = calls.map(({ inputs, keys }) => {
    const outputs = tf.tidy(() => step(inputs, keys).map((tensor) => tf.clone(tensor)));
    const result = outputs.map(bits);
    tf.dispose(outputs);
    return result;
  });
  // Else a replay that repeats what was recorded would pass.
  expect(new Set(eager.map((result) => result.join())).size).toBe(calls.length);
  const recording = recordKernels(step, calls[0]!);
  expect(recording.outputs.map(bits)).toEqual(eager[0]);
  tf.dispose(recording.outputs);
  for (const [i, { inputs, keys }] of calls.entries()) {
    const outputs = recording.replay(inputs, keys);
    expect(outputs.map(bits)).toEqual(eager[i]);
    tf.dispose(outputs);
  }
  recording.dispose();
  tf.dispose(calls.map(({ inputs }) => inputs));
  expect(held()).toEqual(before);
}

/** A step that returns f, and the gradient of the sum of its squares in the inputs that `moving` counts (by default all). */
export function withGradient(f: Operation, moving = Number.POSITIVE_INFINITY): TensorStep {
  return (inputs) => {
    const { gradient } = valueAndGradient(({ x }) => tf.sum(tf.square(f(...x, ...inputs.slice(x.length)))), {
      x: inputs.slice(0, moving),
    });
    return [f(...inputs), ...gradient.x];
  };
}

/** The tensors, shifted a little from call to call. */
export function shifted(make: () => Tensor[], moving = Number.POSITIVE_INFINITY): (i: number) => Tensor[] {
  return (i) => tf.tidy(() => make().map((tensor, at) => (at < moving ? tf.add(tensor, 0.03 * i) : tensor)));
}
