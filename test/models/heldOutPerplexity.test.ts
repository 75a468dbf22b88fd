import { beforeAll, describe, expect, it } from "vitest";
import { parseLdaC } from "../../src/data/ldaC.js";
import { ready } from "../../src/engine/backend.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { heldOutPerplexity } from "../../src/models/heldOutPerplexity.js";

const held = parseLdaC(new TextEncoder().encode("2 0:3 2:1\n1 1:2\n"), "test.txt");

describe("heldOutPerplexity", () => {
  beforeAll(async () => {
    await ready();
  });

  it("is that of the words' shares, V where all rates are alike", () => {
    expect(heldOutPerplexity(tf.fill([2, 3], 7) as Tensor2D, held)).toBeCloseTo(3, 5);
    const rates = tf.tensor2d([
      [1, 2, 5],
      [3, 3, 6],
    ]);
    const logs = 3 * Math.log(1 / 8) + Math.log(5 / 8) + 2 * Math.log(3 / 12);
    expect(heldOutPerplexity(rates, held)).toBeCloseTo(Math.exp(-logs / 6), 5);
  });

  it("refuses rates of another shape, rates that are not positive, and a corpus without a token", () => {
    expect(() => heldOutPerplexity(tf.ones([2, 2]) as Tensor2D, held)).toThrow("are [2, 2], but the corpus is [2, 3]");
    expect(() =>
      heldOutPerplexity(
        tf.tensor2d([
          [1, 1, 1],
          [1, 0, 1],
        ]),
        held,
      ),
    ).toThrow("rates[1, 1] is 0");
    const none = { ...held, offsets: new Int32Array(3), words: new Int32Array(0), counts: new Float64Array(0) };
    expect(() => heldOutPerplexity(tf.ones([2, 3]) as Tensor2D, none)).toThrow("holds no token");
  });
});
