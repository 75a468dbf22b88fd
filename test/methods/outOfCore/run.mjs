/** A run over a file in a process of its own, to be killed or weighed: it prints every step that it has taken, and at the end its result, bit by bit. */
import { writeFileSync } from "node:fs";
import { ldaCBatches } from "../../../dist/data/ldaCBatches.js";
import { randomKey } from "../../../dist/engine/random.js";
import { outOfCoreVariationalInference } from "../../../dist/methods/outOfCoreVariationalInference.js";
import { latentDirichletAllocation } from "../../../dist/models/latentDirichletAllocation.js";
import { robbinsMonro } from "../../../dist/optimize/robbinsMonro.js";

const [path, vocabulary, batchSize, checkpoint] = process.argv.slice(2);
const model = latentDirichletAllocation({ topics: 4, vocabulary: Number(vocabulary), alpha: 0.2, eta: 0.1 });
let kept = 0;
const { global, trace } = await outOfCoreVariationalInference({
  model,
  stream: await ldaCBatches({ path, vocabulary: Number(vocabulary), batchSize: Number(batchSize) }),
  rate: robbinsMonro({ kappa: 0.7, tau: 10 }),
  start: model.start(randomKey(2)),
  ...(checkpoint && { checkpoint: { path: checkpoint, every: { steps: 1 } } }),
  traceEvery: checkpoint ? 1 : 10,
  onProgress: ({ step }) => {
    writeFileSync(1, `${step}\n`); // at once, so that a kill loses none
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    kept = Math.max(kept, heapUsed + external);
  },
});
const bits = Buffer.from(global.topics.buffer).toString("base64");
const rows = trace.map(({ step, seen, size, rate, bound }) => [step, seen, size, rate, bound]);
writeFileSync(1, `${JSON.stringify({ bits, rows, kept })}\n`);
