import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { leaves } from "../../src/engine/parameters.js";
import { tf } from "../../src/engine/tf.js";
import { flatten, norm, unflatten } from "../../src/optimize/flatten.js";
import { backends, expectNoLeak, read } from "../engine/support.js";

describe.each(backends)("records as vectors on %s", (backend) => {
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  it("go there and back", () => {
    const record = { w: tf.tensor2d([[1, 2]]), net: [{ b: tf.tensor1d([3]) }, { b: tf.scalar(4) }] };
    const vector = flatten(record);
    expect(read(tf.clone(vector))).toEqual([1, 2, 3, 4]);
    const back = unflatten(vector, record);
    expect(leaves(back).map(({ path, tensor }) => [path, tensor.shape, read(tensor)])).toEqual([
      ["w", [1, 2], [1, 2]],
      ["net.0.b", [1], [3]],
      ["net.1.b", [], [4]],
    ]);
  });

  it("have a norm that neither overflows nor underflows", () => {
    const normOf = (...values: number[]): number => {
      const record = { a: tf.tensor1d(values.slice(0, 1)), b: tf.tensor1d(values.slice(1)) };
      expectNoLeak(() => norm(record));
      return read(norm(record))[0]!;
    };
    expect(normOf(3, -4, 0)).toBeCloseTo(5, 5);
    expect(normOf(0, 0, 0)).toBe(0);
    expect(normOf(3e30, 4e30) / 5e30).toBeCloseTo(1, 5);
    expect(normOf(3e-30, 4e-30) / 5e-30).toBeCloseTo(1, 5);
    expect(normOf(1, Number.NaN)).toBeNaN();
    expect(normOf(1, Number.POSITIVE_INFINITY)).not.toSatisfy(Number.isFinite);
  });
});
