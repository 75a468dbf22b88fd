import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { type Tensor, type Tensor1D, tf } from "../../src/engine/tf.js";
import { segmentSum } from "../../src/ops/segmentSum.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

describe.each(backends)("segmentSum on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });
  const x = (): Tensor => tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [4, 1, 2]);
  const ids = (): Tensor1D => tf.tensor1d([2, 0, 2, 2], "int32");

  it("adds the rows of each segment up, compiled and eager, and is 0 where there are none", () => {
    expectClose(read(segmentSum(x(), ids(), 4)), [3, 4, 0, 0, 13, 16, 0, 0], 1e-6);
    expectClose(read(segmentSum(x(), tf.zeros([4], "int32") as Tensor1D, 1)), [16, 20], 1e-6);
    const step = compile((given: { x: Tensor }) => segmentSum(given.x, ids(), 3));
    expectClose(read(step({ x: x() })), [3, 4, 0, 0, 13, 16], 1e-6);
    step.dispose();
  });

  it("leaves nothing behind and refuses ids that are not one a row", () => {
    const [rows, own] = [x(), ids()];
    expectNoLeak(() => segmentSum(rows, own, 3));
    expect(() => segmentSum(x(), tf.tensor1d([0], "int32"), 3)).toThrow("4 rows, but there are 1 ids");
  });
});
