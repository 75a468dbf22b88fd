// LDA over a corpus of any length on disk, by threads or by a cluster, resumed where it was stopped:
//   node examples/out-of-core.mjs corpus.ldac --topics 20 --vocabulary 1000 --checkpoint runs/lda --threads 2
//   node examples/out-of-core.mjs corpus.ldac --topics 20 --vocabulary 1000 --checkpoint runs/lda --cluster cluster.json --name leader
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  corpusInParts,
  latentDirichletAllocation,
  ldaCBatches,
  ldaStatistics,
  moleculerPool,
  outOfCoreVariationalInference,
  randomKey,
  robbinsMonro,
  threadPool,
} from "marginalia";
import { brokerOptions, readCluster } from "./cluster.mjs";

const text = { type: "string" };
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    topics: { ...text, default: "20" },
    vocabulary: text,
    documents: text,
    batch: { ...text, default: "1000" },
    parts: { ...text, default: "2" },
    passes: { ...text, default: "1" },
    kappa: { ...text, default: "0.7" },
    tau: { ...text, default: "10" },
    threads: { ...text, default: "2" },
    cluster: text,
    name: { ...text, default: "leader" },
    checkpoint: text,
    every: { ...text, default: "60" },
    seed: { ...text, default: "1" },
    out: text,
  },
});
const cluster = values.cluster && readCluster(values.cluster);
const options = cluster?.model ?? {
  topics: Number(values.topics),
  vocabulary: Number(values.vocabulary),
  alpha: 1 / Number(values.topics),
  eta: 1 / Number(values.topics),
};
const model = latentDirichletAllocation(options);
// A run that is resumed has counted and checked before; that the file is the same one is seen from its checkpoint.
const documents = values.documents ?? (values.checkpoint && countedBefore(`${values.checkpoint}.json`));
let told = performance.now();
const stream = await ldaCBatches({
  path: positionals[0],
  vocabulary: options.vocabulary,
  batchSize: Number(values.batch),
  ...(documents && { documents: Number(documents) }),
  onProgress: ({ documents, bytes, total }) => {
    if (bytes < total && performance.now() - told < 5000) return;
    told = performance.now();
    console.log(`checked ${documents} documents, ${Math.round((100 * bytes) / total)} % of the file`);
  },
});

let broker;
let pool;
if (cluster) {
  const { default: moleculer } = await import("moleculer");
  broker = new moleculer.ServiceBroker(brokerOptions(cluster, values.name));
  await broker.start();
  pool = await moleculerPool(broker);
} else {
  pool = await threadPool(ldaStatistics(options), { threads: Number(values.threads) });
}
try {
  const { global } = await outOfCoreVariationalInference({
    model,
    stream,
    passes: Number(values.passes),
    rate: robbinsMonro({ kappa: Number(values.kappa), tau: Number(values.tau) }),
    start: model.start(randomKey(values.seed)),
    workers: { pool, split: (corpus) => corpusInParts(corpus, Number(values.parts)) },
    ...(values.checkpoint && {
      checkpoint: {
        path: values.checkpoint,
        every: { seconds: Number(values.every) },
      },
    }),
    onProgress: ({ seen, total, seconds, left }) =>
      console.log(`${seen} of ${total} documents, ${Math.round(seen / seconds)} a second, ${Math.round(left)} s left`),
  });
  if (values.out) writeFileSync(values.out, global.topics); // λ, Float64, [vocabulary · topics]
} finally {
  await pool.close();
  await broker?.stop();
}

/** What a checkpoint says of the number of documents; nothing where there is none, or a damaged one, of which the library speaks. */
function countedBefore(record) {
  try {
    return JSON.parse(readFileSync(record, "utf8"))?.settings?.documents;
  } catch {
    return undefined;
  }
}
