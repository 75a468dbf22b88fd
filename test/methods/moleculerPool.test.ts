import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Corpus, selectDocuments } from "../../src/data/ldaC.js";
import { ldaCBatches } from "../../src/data/ldaCBatches.js";
import { writeSimulatedCorpus } from "../../src/data/writeSimulatedCorpus.js";
import { randomKey } from "../../src/engine/random.js";
import { distributedVariationalInference } from "../../src/methods/distributedVariationalInference.js";
import { batchesInParts, corpusInParts } from "../../src/methods/minibatchParts.js";
import { type MoleculerBroker, moleculerPool, moleculerStatistics } from "../../src/methods/moleculerPool.js";
import { outOfCoreVariationalInference } from "../../src/methods/outOfCoreVariationalInference.js";
import { packArrays, unpackArrays } from "../../src/methods/packedArrays.js";
import { type LocalMap, localPool } from "../../src/methods/statisticsPool.js";
import type { LdaGlobal } from "../../src/models/latentDirichletAllocation.js";
import { readPair } from "../../src/optimize/checkpointFiles.js";
import { data, distributed, key, localMap, model, start } from "./statisticsPools.js";

type Broker = MoleculerBroker & {
  start(): Promise<void>;
  stop(): Promise<void>;
  createService(schema: object): unknown;
};
const { ServiceBroker } = createRequire(import.meta.url)("moleculer") as {
  ServiceBroker: new (options: object) => Broker;
};
const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const { brokerOptions } = (await import(pathToFileURL(join(examples, "cluster.mjs")).href)) as {
  brokerOptions: (cluster: object, name: string) => object;
};

const folder = mkdtempSync(join(tmpdir(), "marginalia-cluster-"));
const corpus = join(folder, "corpus.ldac");
const workers: ChildProcess[] = [];
let cluster = {};
let broker: Broker;
beforeAll(async () => {
  const ports = await freePorts(3);
  const nodes = {
    leader: `127.0.0.1:${ports[0]}`,
    "worker-1": `127.0.0.1:${ports[1]}`,
    "worker-2": `127.0.0.1:${ports[2]}`,
  };
  cluster = { namespace: "test", nodes, model: { topics: 3, vocabulary: 30, alpha: 0.3, eta: 0.4 } };
  writeFileSync(join(folder, "cluster.json"), JSON.stringify(cluster));
  await writeSimulatedCorpus(corpus, { key: randomKey(1), documents: 400, vocabulary: 30, topics: 3, length: 15 });
  await Promise.all(["worker-1", "worker-2"].map(startWorker));
  broker = new ServiceBroker(brokerOptions(cluster, "leader"));
  await broker.start();
}, 60_000);
afterAll(async () => {
  for (const worker of workers) worker.kill("SIGKILL");
  await broker?.stop();
  rmSync(folder, { recursive: true });
});

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A process of the example's worker, once it says that it is ready. */
async function startWorker(name: string): Promise<void> {
  const worker = spawn(process.execPath, [join(examples, "worker.mjs"), join(folder, "cluster.json"), name]);
  workers.push(worker);
  let errors = "";
  worker.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    worker.stdout.once("data", () => resolve());
    worker.once("close", () => reject(new Error(`The worker ended: ${errors}`)));
  });
}

const map: LocalMap<LdaGlobal, Corpus> = (global, corpus) => model.local(global, corpus);
const minibatches = batchesInParts(data, { key, batchSize: 30, parts: 3 });
const { pool: _, minibatches: __, ...run } = distributed(localPool(localMap));

describe("moleculerPool, with two processes", () => {
  it("gives a run the bits of one process, synchronous and stale", async () => {
    const pool = await moleculerPool<LdaGlobal, Corpus>(broker);
    for (const staleness of [0, 2]) {
      const here = await distributedVariationalInference({ ...run, minibatches, staleness, pool: localPool(map) });
      const there = await distributedVariationalInference({ ...run, minibatches, staleness, pool });
      expect(there.global).toEqual(here.global);
      expect(there.trace.map(({ bound }) => bound)).toEqual(here.trace.map(({ bound }) => bound));
    }
    await pool.close();
    await expect(pool.map(start, data.all)).rejects.toThrow("moleculerPool: the pool is closed; open another.");
  });

  it("names the worker that fails, and why", async () => {
    const pool = await moleculerPool<LdaGlobal, Corpus>(broker);
    const empty = selectDocuments(data.all, new Int32Array(0));
    await expect(pool.map(start, empty)).rejects.toThrow(
      /^moleculerPool: worker "worker-[12]" failed: .*the batch has no documents; give it at least one\.$/,
    );
    await pool.close();
    await expect(moleculerPool(broker, { service: "none", startSeconds: 0.2 })).rejects.toThrow(
      'no worker offered the service "none" within 0.2 s; start one, with the namespace and the transporter of this broker.',
    );
    await expect(moleculerPool(broker, { taskSeconds: 0 })).rejects.toThrow(
      "taskSeconds must be positive and finite, not 0.",
    );
  });

  it("goes on to the same bits when a worker is killed, and ends in a sentence, its checkpoint good, when all are", async () => {
    const pool = await moleculerPool<LdaGlobal, Corpus>(broker, { taskSeconds: 20 });
    const here = await distributedVariationalInference({ ...run, minibatches, pool: localPool(map) });
    const onProgress = ({ step }: { readonly step: number }): void => {
      if (step === 5) workers[0].kill("SIGKILL");
    };
    const there = await distributedVariationalInference({ ...run, minibatches, pool, onProgress });
    expect(there.global).toEqual(here.global);
    const stream = await ldaCBatches({ path: corpus, vocabulary: 30, batchSize: 20 });
    const split = (batch: Corpus): Corpus[] => corpusInParts(batch, 2);
    const outOfCore = { model, stream, rate: run.rate, start, traceEvery: 1 };
    const checkpoint = { path: join(folder, "run"), every: { steps: 1 } };
    const last = await moleculerPool<LdaGlobal, Corpus>(broker, { taskSeconds: 20 });
    await expect(
      outOfCoreVariationalInference({
        ...outOfCore,
        checkpoint,
        workers: { pool: last, split },
        onProgress: ({ step }) => {
          if (step === 4) workers[1].kill("SIGKILL");
        },
      }),
    ).rejects.toThrow(/^moleculerPool: (a worker|worker ".*") failed: /);
    const step = (await readPair(checkpoint.path))!.record.step as number;
    expect(step).toBeGreaterThanOrEqual(4);
    expect(step).toBeLessThan(stream.batches);
    const whole = await outOfCoreVariationalInference({ ...outOfCore, workers: { pool: localPool(map), split } });
    const seen: number[] = [];
    const resumed = await outOfCoreVariationalInference({
      ...outOfCore,
      checkpoint,
      workers: { pool: localPool(map), split },
      onProgress: (point) => void seen.push(point.step),
    });
    expect(seen[0]).toBe(step + 1);
    expect(resumed.global).toEqual(whole.global);
    await expect(distributedVariationalInference({ ...run, minibatches, pool })).rejects.toThrow(
      /^moleculerPool: (a worker|worker ".*") failed: /,
    );
  }, 60_000);

  it("offers the service of a source or of a map", async () => {
    const service = await moleculerStatistics(localMap, "mine");
    expect(service.name).toBe("mine");
    const parameters = packArrays({ global: start, batch: Int32Array.of(0, 1) });
    const { statistics, bound } = localMap(start, Int32Array.of(0, 1));
    expect(unpackArrays(service.actions.map.handler({ params: parameters }))).toEqual({ statistics, bound });
    const missing = { module: "no-such-package", settings: {} };
    await expect(moleculerStatistics(missing)).rejects.toThrow("The module no-such-package gives no statistics");
  });
});

describe("packArrays", () => {
  it("carries every bit through JSON", () => {
    const value = {
      a: Float64Array.of(0.1, -0, NaN, 5e-324),
      b: [Int32Array.of(-7), Float32Array.of(0.1), Uint8Array.of(255)],
      c: { nothing: null, text: "x", yes: true, numbers: [1.5, -0, Infinity, NaN] },
      part: Float64Array.of(1, 2, 3).subarray(1, 2),
    };
    const back = unpackArrays(JSON.parse(JSON.stringify(packArrays(value))));
    expect(back).toEqual(value);
  });

  it("refuses what it could not carry", () => {
    expect(() => packArrays({ when: new Date() })).toThrow("A Date cannot be sent");
    expect(() => packArrays([() => 0])).toThrow("A function cannot be sent");
  });
});
