/** A fit of its own process, to be killed: it prints every step that it has saved, and at the end its result, bit by bit. */
import { elbo } from "../../../src/bounds/elbo.js";
import { ready } from "../../../src/engine/backend.js";
import { leaves } from "../../../src/engine/parameters.js";
import { randomKey, uniform } from "../../../src/engine/random.js";
import { type Tensor2D, tf } from "../../../src/engine/tf.js";
import { fullRankGaussian } from "../../../src/families/fullRankGaussian.js";
import { posteriorProblem } from "../../../src/models/problem.js";
import { normalLogDensity } from "../../../src/ops/normalLogDensity.js";
import { adam } from "../../../src/optimize/adam.js";
import { exponentialAveraging } from "../../../src/optimize/averaging.js";
import { fit as fitProblem } from "../../../src/optimize/fit.js";
import { minibatches } from "../../../src/optimize/minibatches.js";

const [path, steps] = process.argv.slice(2) as [string, string];
await ready({ backend: "cpu" });
const family = fullRankGaussian({ dimension: 2 });
const { phi, average, trace } = await fitProblem({
  problem: ({ x, scale }) =>
    posteriorProblem({
      family,
      x,
      scale,
      logPrior: (z) => normalLogDensity(z, 0, 1, 1),
      logLikelihood: (z, x) => tf.sum(normalLogDensity(z, x, 1), 2) as Tensor2D,
    }),
  batches: minibatches({ data: uniform(randomKey(1), [24, 2]) as Tensor2D, size: 1, key: randomKey(2) }),
  init: { phi: family.init(randomKey(3)) },
  bound: elbo,
  samples: 4,
  optimizer: adam({ learningRate: 0.05 }),
  averaging: exponentialAveraging({ decay: 0.9 }),
  steps: Number(steps),
  traceEvery: 3,
  key: randomKey(4),
  checkpoint: { path, every: { steps: 1 } },
  progressEvery: 0,
  onProgress: ({ step }) => void process.stdout.write(`${step}\n`),
});
const bits = leaves({ phi, average: average! }).map(({ path, tensor }) => {
  const data = tensor.dataSync<"float32">();
  return `${path} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")}`;
});
const rows = trace.map(({ step, value, gradientNorm }) => [step, value, gradientNorm]);
process.stdout.write(`${JSON.stringify({ bits, rows })}\n`);
