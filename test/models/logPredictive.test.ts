import { beforeAll, describe, expect, it } from "vitest";
import { mean, variance } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { foldIn, normal, randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { logisticRegression } from "../../src/models/logisticRegression.js";
import { logPredictive } from "../../src/models/logPredictive.js";
import type { RegressionModel } from "../../src/models/regressionModel.js";

beforeAll(async () => {
  await ready();
});

const model = logisticRegression({ inputs: 2, priorScale: 1 });
const data = [
  [1, 1, 0.5],
  [0, 1, -1.2],
  [1, 1, 2],
];

describe("logPredictive", () => {
  it("is the log of the mean likelihood, row by row, however the draws are cut into passes", async () => {
    const points = [
      [0.3, -0.8],
      [2, 1],
      [-60, 40],
    ];
    const exact = data.map(([y, ...x]) =>
      Math.log(mean(points.map((z) => 1 / (1 + Math.exp((y === 1 ? -1 : 1) * (x[0] * z[0] + x[1] * z[1])))))),
    );
    const before = tf.memory().numTensors;
    const [draws, rows] = [tf.tensor2d(points), tf.tensor2d(data)];
    const whole = await logPredictive({ model, draws, rows });
    // A model that says it has a million classes is taken one draw at a time.
    const single = await logPredictive({ model: { ...model, classes: 1_000_000 }, draws, rows });
    tf.dispose([draws, rows]);
    expect(tf.memory().numTensors).toBe(before);
    for (const found of [whole, single]) {
      found.perDatum.forEach((value, i) => {
        expect(value).toBeCloseTo(exact[i], 5);
      });
      expect(found.value).toBeCloseTo(mean(exact), 5);
      expect(found.n).toBe(3);
    }
  });

  it("survives likelihoods that are 0 in any float", async () => {
    const flat: RegressionModel = {
      ...model,
      logLikelihood: (z) => tf.sub(tf.slice(z, [0, 0], [-1, 1]), 2_000) as Tensor2D,
    };
    const draws = tf.tensor2d([
      [Math.log(1), 0],
      [Math.log(3), 0],
    ]);
    const { value } = await logPredictive({ model: flat, draws, rows: tf.zeros([1, 3]) });
    expect(value).toBeCloseTo(Math.log(2) - 2_000, 3);
  });

  it("has a standard error that is its deviation over repetitions", async () => {
    const rows = tf.tensor2d(data);
    const found = await Promise.all(
      Array.from({ length: 200 }, (_, r) =>
        logPredictive({ model, draws: normal(foldIn(randomKey(1), r), [400, 2]) as Tensor2D, rows }),
      ),
    );
    const ratio =
      mean(found.map(({ standardError }) => standardError ** 2)) / variance(found.map(({ value }) => value));
    expect(Math.abs(ratio - 1)).toBeLessThan(4 * Math.sqrt(2 / 199)); // s.e. of a variance of 200 normals
  });

  it("refuses too few draws, no rows, shapes that do not fit and rows without density", async () => {
    const rows = tf.tensor2d(data);
    await expect(logPredictive({ model, draws: tf.zeros([1, 2]), rows })).rejects.toThrow("at least two draws, not 1.");
    await expect(logPredictive({ model, draws: tf.zeros([2, 2]), rows: tf.zeros([0, 3]) })).rejects.toThrow("no rows");
    await expect(logPredictive({ model, draws: tf.zeros([2, 3]), rows })).rejects.toThrow("logPredictive: draws");
    await expect(
      logPredictive({
        model,
        draws: tf.tensor2d([
          [NaN, 0],
          [NaN, 0],
        ]),
        rows,
      }),
    ).rejects.toThrow("the log predictive of row 0 is NaN");
  });
});
