import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
import { labelledRows } from "../../src/models/labelledRows.js";
import { expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

describe("labelledRows", () => {
  const inputs = () =>
    tf.tensor2d([
      [0.5, 0.25],
      [2, 3],
    ]);

  it("puts the label and a 1 before the inputs", () => {
    const labels = Uint8Array.of(1, 0);
    expect(read(labelledRows({ inputs: inputs(), labels, classes: 2 }))).toEqual([1, 1, 0.5, 0.25, 0, 1, 2, 3]);
    const bare = labelledRows({ inputs: inputs(), labels, classes: 2, intercept: false });
    expect(bare.shape).toEqual([2, 3]);
    expect(read(bare)).toEqual([1, 0.5, 0.25, 0, 2, 3]);
    const x = inputs();
    expectNoLeak(() => labelledRows({ inputs: x, labels, classes: 2 }));
  });

  it("refuses labels that are no classes, or not one a row", () => {
    expect(() => labelledRows({ inputs: inputs(), labels: [0, 2], classes: 2 })).toThrow(
      "labelledRows: the label of row 1 is 2, but must be an integer from 0 to 1.",
    );
    expect(() => labelledRows({ inputs: inputs(), labels: [0.5, 1], classes: 2 })).toThrow("the label of row 0 is 0.5");
    expect(() => labelledRows({ inputs: inputs(), labels: [0], classes: 2 })).toThrow(
      "1 labels for 2 rows; give one label a row.",
    );
    expect(() => labelledRows({ inputs: tf.zeros([0, 2]), labels: [], classes: 2 })).toThrow("there are no rows");
  });
});
