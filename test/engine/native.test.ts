import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { executeNative, executeNativeMultiple } from "../../src/engine/native.js";
import { tf } from "../../src/engine/tf.js";
import { expectNoLeak, read } from "./support.js";

const float32 = { type: "float32" } as const;

describe("operations of libtensorflow", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  test("a float attribute", () => {
    const x = tf.tensor1d([-2, 3]);
    expect(read(executeNative("LeakyRelu", { T: float32, alpha: { float: 0.25 } }, [x]))).toEqual([-0.5, 3]);
    // A whole number stays a float.
    expect(read(executeNative("LeakyRelu", { T: float32, alpha: { float: 1 } }, [x]))).toEqual([-2, 3]);
    x.dispose();
  });

  test("lists of integers and a string", () => {
    const image = tf.tensor4d([1, 7, 3, 2], [1, 2, 2, 1]);
    const attributes = { T: float32, ksize: [1, 2, 2, 1], strides: [1, 1, 1, 1], padding: "VALID" };
    expect(read(executeNative("MaxPool", attributes, [image]))).toEqual([7]);
    expect(read(executeNative("MaxPool", { ...attributes, padding: "SAME" }, [image]))).toEqual([7, 7, 3, 2]);
    image.dispose();
  });

  test("a list of floats", () => {
    const range = executeNative("Bucketize", { T: float32, boundaries: { float: [0, 1.5] } }, [tf.scalar(1)]);
    expect(read(range)).toEqual([1]);
  });

  test("a shape", () => {
    const x = tf.ones([2, 3]);
    const ensure = (shape: readonly number[]): tf.Tensor =>
      executeNative("EnsureShape", { T: float32, shape: { shape } }, [x]);
    const y = ensure([2, 3]);
    expect(y.shape).toEqual([2, 3]);
    expect(() => ensure([3, 2])).toThrow(/not compatible with expected shape \[3,2\]/);
    tf.dispose([x, y]);
  });

  test("several outputs, seen by tidy", () => {
    const x = tf.tensor1d([3, 9, 4]);
    const two = tf.scalar(2, "int32");
    const top = (): tf.Tensor[] => executeNativeMultiple("TopKV2", { T: float32, sorted: true }, [x, two], 2);
    const [values, indices] = top();
    expect(read(values!)).toEqual([9, 4]);
    expect(read(indices!)).toEqual([1, 2]);
    expectNoLeak(top);
    const before = tf.memory().numTensors;
    tf.tidy(() => void top());
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, two]);
  });
});
