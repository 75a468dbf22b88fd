import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { Recording, recordInto } from "../../src/engine/recorder.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { matMul } from "../../src/ops/matMul.js";

beforeAll(async () => {
  await ready({ backend: "tensorflow" });
});

/** The matrix products in the graph of a product of ones. */
function kernels(a: readonly number[], b: readonly number[], product: (a: Tensor, b: Tensor) => Tensor): string[] {
  const recording = new Recording("step", [], false);
  tf.tidy(() => {
    const [left, right] = [tf.ones([...a]), tf.ones([...b])];
    for (const tensor of [left, right]) recording.addInput(tensor);
    recordInto(recording, () => product(left, right));
  });
  return recording.graph.nodes.map(({ operation }) => operation).filter((name) => name.includes("MatMul"));
}

describe("a recorded matrix product", () => {
  it("is a plain one where that starts faster or runs as fast, a batched one where several threads pay", () => {
    for (const product of [tf.matMul, (a, b) => matMul(a, b)] as ((a: Tensor, b: Tensor) => Tensor)[]) {
      expect(kernels([100, 50], [50, 50], product)).toEqual(["MatMul"]);
      expect(kernels([1000, 200], [200, 784], product)).toEqual(["MatMul"]);
      expect(kernels([1000, 200], [200, 200], product)).toEqual(["BatchMatMulV2"]);
    }
  });

  it("goes by the sizes of the whole where one right-hand matrix serves a batch, transposed or not", () => {
    expect(kernels([20, 5, 50], [1, 50, 50], (a, b) => tf.matMul(a, b))).toEqual(["MatMul"]);
    expect(kernels([20, 50, 200], [1, 200, 200], (a, b) => tf.matMul(a, b))).toEqual(["BatchMatMulV2"]);
    expect(kernels([200, 1000], [200, 200], (a, b) => tf.matMul(a, b, true))).toEqual(["BatchMatMulV2"]);
    expect(kernels([50, 100], [50, 50], (a, b) => tf.matMul(a, b, true))).toEqual(["MatMul"]);
  });

  it("stays batched where every matrix has its own", () => {
    expect(kernels([2, 3, 4], [2, 4, 5], (a, b) => tf.matMul(a, b))).toEqual(["BatchMatMulV2"]);
  });
});
