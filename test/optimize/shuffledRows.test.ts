import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { shuffledRows } from "../../src/optimize/shuffledRows.js";

describe("shuffledRows", () => {
  it("goes through all rows in a pass, others in other batches the next time", () => {
    const rowsAt = shuffledRows(randomKey(1), 12, 4);
    const passes = [0, 1].map((pass) => [0, 1, 2].map((i) => [...rowsAt(3 * pass + i)]));
    for (const pass of passes) expect(pass.flat().sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
    expect(passes[0]).not.toEqual(passes[1]);
    expect([...shuffledRows(randomKey(1), 12, 4)(4)]).toEqual(passes[1][1]);
    expect([...shuffledRows(randomKey(2), 12, 4)(4)]).not.toEqual(passes[1][1]);
    expect([...shuffledRows(randomKey(1), 12, 12)(5)]).toEqual([...Array(12).keys()]);
  });

  it("gives every row its turn where the last batch would not be full", () => {
    const rowsAt = shuffledRows(randomKey(3), 7, 3);
    const times = new Array(7).fill(0);
    const steps = 4000;
    for (let step = 0; step < steps; step++) for (const row of rowsAt(step)) times[row]++;
    // 2000 passes, each leaving one of seven rows out: a binomial count of 2000 trials with p = 6/7.
    const deviation = Math.sqrt((2000 * 6) / 49);
    for (const count of times) expect(Math.abs(count - 12000 / 7)).toBeLessThan(4 * deviation);
  });

  it("refuses a size out of range", () => {
    expect(() => shuffledRows(randomKey(1), 5, 6)).toThrow("an integer from 1 to the 5 rows of the data, not 6.");
    expect(() => shuffledRows(randomKey(1), 5, 0)).toThrow(/not 0/);
  });
});
