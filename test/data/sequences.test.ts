import { describe, expect, it } from "vitest";
import { selectSequences, sequencesOf } from "../../src/data/sequences.js";

describe("sequences", () => {
  const sequences = sequencesOf(
    [
      [1, 2, 3, 4],
      [5, 6],
      [7, 8, 9, 10, 11, 12],
    ],
    2,
  );

  it("lie one after another, and are taken in the order that is asked for", () => {
    expect(sequences).toMatchObject({ size: 3, columns: 2, offsets: Int32Array.of(0, 2, 3, 6) });
    expect(selectSequences(sequences, Int32Array.of(2, 0))).toEqual({
      size: 2,
      columns: 2,
      offsets: Int32Array.of(0, 3, 5),
      values: Float64Array.of(7, 8, 9, 10, 11, 12, 1, 2, 3, 4),
    });
  });

  it("are refused where they are malformed", () => {
    expect(() => sequencesOf([])).toThrow("there are no sequences; give at least one.");
    expect(() => sequencesOf([[1, 2], []])).toThrow(
      "sequence 1 must be at least one observation of 1 numbers each, not 0",
    );
    expect(() => sequencesOf([[1, 2, 3]], 2)).toThrow("of 2 numbers each, not 3 numbers.");
    expect(() => sequencesOf([[1, 2]], 0)).toThrow("columns must be a positive integer, not 0.");
    expect(() =>
      sequencesOf(
        [
          [1, 2],
          [3, 4, 5, Infinity],
        ],
        2,
      ),
    ).toThrow("observation 1 of sequence 1 has Infinity in column 1; give finite numbers.");
  });
});
