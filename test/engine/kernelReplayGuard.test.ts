import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { CompileError } from "../../src/engine/compileError.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { recordKernels } from "../../src/engine/kernelReplay.js";
import { isRecordingKernels } from "../../src/engine/kernelReplayRecorder.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { held, kernelBackends, type TensorStep } from "./kernelReplaySupport.js";

const vector = (): Tensor => tf.tensor1d([0.5, 2, 3]);
const readsValue = /^compile: the step reads a tensor's value/;

const refused: readonly { name: string; step: TensorStep; message: RegExp }[] = [
  { name: "reads an input", step: ([x]) => [tf.mul(x!, x!.dataSync()[0]!)], message: readsValue },
  { name: "reads what it computed", step: ([x]) => (tf.sum(x!).dataSync()[0]! > 0 ? [x!] : []), message: readsValue },
  {
    name: "reads and swallows the error",
    step: ([x]) => {
      try {
        return [tf.mul(x!, x!.dataSync()[0]!)];
      } catch {
        return [tf.exp(x!)];
      }
    },
    message: readsValue,
  },
  {
    name: "reads within a gradient",
    step: ([x]) => {
      const { value, gradient } = valueAndGradient(({ x }) => tf.sum(tf.mul(tf.exp(x), x.dataSync()[0]!)), { x: x! });
      return [value, gradient.x];
    },
    message: readsValue,
  },
  {
    name: "reads asynchronously",
    step: ([x]) => {
      void x!.data();
      return [tf.exp(x!)];
    },
    message: readsValue,
  },
  {
    name: "draws with tf.randomNormal",
    step: ([x]) => [tf.add(x!, tf.randomNormal([3]))],
    message: /random number of JavaScript.*draw with normal\(key, shape\)/,
  },
  { name: "uses Math.random", step: ([x]) => [tf.mul(x!, Math.random())], message: /random number of JavaScript/ },
  { name: "has an output of any size", step: ([x]) => [tf.unique(x!).values], message: /the shape of what .*Unique/ },
];

describe.each(kernelBackends)("what a recording refuses on %s", (backend) => {
  beforeAll(() => ready({ backend }));

  test.each(refused)("a step that $name", ({ step, message }) => {
    const x = vector();
    const before = held();
    const { random } = Math;
    const kernels = tf.getKernelsForBackend(backend).map(({ kernelFunc }) => kernelFunc);
    const record = () => recordKernels(step, { inputs: [x], keys: [] });
    expect(record).toThrow(CompileError);
    expect(record).toThrow(message);
    expect(held()).toEqual(before);
    expect(tf.getKernelsForBackend(backend).map(({ kernelFunc }) => kernelFunc)).toEqual(kernels);
    expect(Math.random).toBe(random);
    expect(isRecordingKernels()).toBe(false);
    expect(x.dataSync()[0]).toBe(0.5);
    x.dispose();
  });

  test("a step that uses a variable", () => {
    const variable = tf.variable(vector());
    const step: TensorStep = ([x]) => [tf.mul(x!, tf.exp(variable))];
    const x = vector();
    expect(() => recordKernels(step, { inputs: [x], keys: [] })).toThrow(/uses a tf.Variable/);
    tf.dispose([variable, x]);
  });

  test("the error of a read stands at the line that reads", () => {
    const x = vector();
    let error: Error | undefined;
    try {
      recordKernels(
        function readingStep([x]) {
          const first = x!.dataSync()[0]!;
          return [tf.mul(x!, first)];
        },
        { inputs: [x], keys: [] },
      );
    } catch (thrown) {
      error = thrown as Error;
    }
    expect(error?.stack).toMatch(/readingStep .*kernelReplayGuard\.test\.ts/);
    x.dispose();
  });

  test("it permits to read what is the same at every call", () => {
    const [x, captured] = [vector(), vector()];
    const step: TensorStep = ([x]) => {
      const product = tf.mul(x!, captured);
      return [tf.mul(product, captured.dataSync()[1]! * tf.exp(captured).dataSync()[0]!)];
    };
    const recording = recordKernels(step, { inputs: [x], keys: [] });
    expect(recording.outputs[0]!.dataSync()[1]).toBeCloseTo(8 * Math.exp(0.5), 5);
    tf.dispose([x, captured, ...recording.outputs]);
    recording.dispose();
  });

  test("a replay with other shapes, after dispose, or inside another recording says so", () => {
    const x = vector();
    const recording = recordKernels(([x]) => [tf.exp(x!)], { inputs: [x], keys: [] });
    expect(() => recording.replay([], [])).toThrow("recorded with 1 tensors, not with 0");
    expect(() => recording.replay([tf.scalar(1)], [])).toThrow("recorded as float32 [3], not as float32 []");
    expect(() => recording.replay([tf.cast(x, "int32")], [])).toThrow("not as int32 [3]");
    const nested: TensorStep = (inputs) => {
      expect(isRecordingKernels()).toBe(true);
      return recording.replay(inputs, []);
    };
    expect(() => recordKernels(nested, { inputs: [x], keys: [] })).toThrow("cannot hold the replay of another");
    recording.dispose();
    expect(() => recording.replay([x], [])).toThrow("has been disposed");
    tf.dispose([x, ...recording.outputs]);
  });
});
