import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor3D, tf } from "../../src/engine/tf.js";
import { type GammaNormalSeries, gammaNormalSeries } from "../../src/models/gammaNormalSeries.js";
import { seriesPredictive } from "../../src/models/seriesPredictive.js";
import { read } from "../engine/support.js";

let labs: Tensor3D;
let series: GammaNormalSeries;
const D = 5; // log x, two offsets, two weights

// One patient, one visit, two labs, of which the second is held out.
beforeAll(async () => {
  await ready();
  labs = tf.tensor3d([0.3, 1.4], [1, 1, 2]);
  series = gammaNormalSeries({ states: 1, noise: 0.5, labs, seen: tf.tensor3d([1, 0], [1, 1, 2]) });
});

describe("seriesPredictive", () => {
  test("is exact where the draws are: x = 1, w = .5 and offsets N(0, 1)", async () => {
    // l₂ = .5 + o₂ + .5 ε ~ N(.5, 1.25), whatever the first lab's offset does.
    const S = 300_000; // more than one pass
    const offsets = read(normal(randomKey(1), [S, 2]));
    const draws = new Float32Array(S * D);
    for (let s = 0; s < S; s++) draws.set([0, offsets[2 * s]!, offsets[2 * s + 1]!, 3, 0.5], s * D);
    const before = tf.memory().numTensors;
    const found = await seriesPredictive({ series, draws });
    expect(tf.memory().numTensors).toBe(before);
    const exact = -0.5 * (0.9 ** 2 / 1.25) - 0.5 * Math.log(2 * Math.PI * 1.25);
    expect(found.standardError).toBeLessThan(0.003);
    expect(Math.abs(found.value - exact)).toBeLessThan(4 * found.standardError);
    expect(found.perDatum.length).toBe(1);
    expect(found.n).toBe(S);
    const chains = await seriesPredictive({ series, draws: draws.subarray(0, 4000 * D), chains: 4 });
    expect(chains.n).toBeGreaterThan(2000);
    expect(chains.n).not.toBe(4000);
  });

  test("says what is wrong with its input", async () => {
    const whole = gammaNormalSeries({ states: 1, labs });
    await expect(seriesPredictive({ series: whole, draws: new Float32Array(2 * D) })).rejects.toThrow(
      "the series saw all its labs",
    );
    for (const length of [0, 7])
      await expect(seriesPredictive({ series, draws: new Float32Array(length) })).rejects.toThrow(
        `${length} numbers are no rows of the series' 5 unknowns`,
      );
    await expect(seriesPredictive({ series, draws: new Float32Array(D) })).rejects.toThrow("at least 2");
  });
});
