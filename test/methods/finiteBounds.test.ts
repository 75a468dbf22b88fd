import { describe, expect, it } from "vitest";
import type { BatchStream } from "../../src/data/batchStream.js";
import { randomKey } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { distributedVariationalInference } from "../../src/methods/distributedVariationalInference.js";
import { batchesInParts } from "../../src/methods/minibatchParts.js";
import { outOfCoreVariationalInference } from "../../src/methods/outOfCoreVariationalInference.js";
import { populationVariationalInference } from "../../src/methods/populationVariationalInference.js";
import { localPool } from "../../src/methods/statisticsPool.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { svrgVariationalInference } from "../../src/methods/svrgVariationalInference.js";
import { type Rows, rowsDataset } from "../../src/models/conjugateModel.js";
import type { MixtureGlobal } from "../../src/models/gaussianMixture.js";
import { constant } from "../../src/optimize/schedules.js";
import { mixture, threeClusters } from "./conjugate.js";

const points = threeClusters(1, 12);
const data = rowsDataset(points);
const start = mixture.start(randomKey(1), points);
const key = randomKey(2);
const rate = constant(0.1);

describe.each([NaN, Infinity])("a bound of %f beside finite statistics", (bound) => {
  const model = {
    ...mixture,
    local: (global: MixtureGlobal, batch: Rows) => ({ ...mixture.local(global, batch), bound }),
  };
  const minibatches = { model, data, batchSize: 4, rate, steps: 3, start, key };
  const stream: BatchStream<Rows> = {
    name: "points",
    total: 12,
    batchSize: 12,
    batches: 1,
    identity: {},
    async *open() {
      yield { batch: points, size: 12, next: { byte: 1, line: 1, documents: 12 } };
    },
  };
  it.each<[string, () => Promise<unknown>]>([
    ["cavi: after 0 updates", () => cavi({ model, data: points, start })],
    ["stochasticVariationalInference: step 0", () => stochasticVariationalInference(minibatches)],
    ["svrgVariationalInference: after 0 steps", () => svrgVariationalInference(minibatches)],
    [
      "populationVariationalInference: batch 1",
      () => populationVariationalInference({ model, batches: [points], population: 12, rate, start }),
    ],
    ["outOfCoreVariationalInference: step 0", () => outOfCoreVariationalInference({ model, stream, rate, start })],
    [
      "distributedVariationalInference: step 0",
      () =>
        distributedVariationalInference({
          model,
          pool: localPool((global: MixtureGlobal, batch: Rows) => model.local(global, batch)),
          minibatches: batchesInParts(data, { key, batchSize: 4, parts: 1 }),
          total: 12,
          rate,
          steps: 2,
          start,
        }),
    ],
  ])("is refused by %s", async (where, run) => {
    await expect(run()).rejects.toThrow(`${where}: the bound is ${bound}; check the data and the prior.`);
  });
});
