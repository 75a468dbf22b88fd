import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Corpus } from "../../src/data/ldaC.js";
import { ldaCBatches } from "../../src/data/ldaCBatches.js";
import { writeSimulatedCorpus } from "../../src/data/writeSimulatedCorpus.js";
import { randomKey } from "../../src/engine/random.js";
import { ldaStatistics } from "../../src/methods/ldaStatistics.js";
import { corpusInParts, modelInParts } from "../../src/methods/minibatchParts.js";
import {
  type OutOfCoreOptions,
  outOfCoreVariationalInference,
} from "../../src/methods/outOfCoreVariationalInference.js";
import { simulatedPool } from "../../src/methods/simulatedPool.js";
import { localPool } from "../../src/methods/statisticsPool.js";
import { threadPool } from "../../src/methods/threadPool.js";
import { globalStep } from "../../src/models/conjugateModel.js";
import {
  type LdaGlobal,
  type LdaLocal,
  latentDirichletAllocation,
} from "../../src/models/latentDirichletAllocation.js";
import { readPair } from "../../src/optimize/checkpointFiles.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";
import { constant } from "../../src/optimize/schedules.js";
import { mulberry } from "../optimize/support.js";

const here = dirname(fileURLToPath(import.meta.url));
const lda = { topics: 4, vocabulary: 60, alpha: 0.2, eta: 0.1 };
const model = latentDirichletAllocation(lda);
const start = model.start(randomKey(2));
const rate = robbinsMonro({ kappa: 0.7, tau: 10 });
let folder = "";
let path = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "marginalia-out-of-core-"));
  path = await simulated("corpus.ldac", 410);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function simulated(name: string, documents: number): Promise<string> {
  const file = join(folder, name);
  await writeSimulatedCorpus(file, { key: randomKey(1), documents, vocabulary: 60, topics: 4, length: 15 });
  return file;
}

async function options(
  changes: Partial<OutOfCoreOptions<LdaGlobal, Corpus, LdaLocal>> = {},
): Promise<OutOfCoreOptions<LdaGlobal, Corpus, LdaLocal>> {
  const stream = await ldaCBatches({ path, vocabulary: 60, batchSize: 20 });
  return { model, stream, rate, start, traceEvery: 1, ...changes };
}

interface Ended {
  readonly killed: boolean;
  readonly lastStep: number;
  readonly result?: { readonly bits: string; readonly rows: number[][]; readonly kept: number };
}

/** `outOfCore/run.mjs` in a process of its own, killed so many milliseconds after its first step if told so. */
async function ownProcess(
  flags: readonly string[],
  args: readonly (string | number)[],
  killAfter?: number,
): Promise<Ended> {
  const child = spawn(process.execPath, [...flags, join(here, "outOfCore", "run.mjs"), ...args.map(String)]);
  let [out, errors] = ["", ""];
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  child.stdout.on("data", (chunk) => {
    if (out === "" && killAfter !== undefined) setTimeout(() => child.kill("SIGKILL"), killAfter);
    out += chunk;
  });
  const signal = await new Promise<string | null>((resolve) => child.once("close", (_, by) => resolve(by)));
  const lines = out.split("\n").slice(0, -1); // the last may be cut
  const result = lines.find((line) => line.startsWith("{"));
  if (signal !== "SIGKILL" && !result) throw new Error(`The process failed: ${errors}`);
  const lastStep = Number(lines.filter((line) => /^\d+$/.test(line)).at(-1) ?? 0);
  return { killed: signal === "SIGKILL", lastStep, ...(result && { result: JSON.parse(result) as Ended["result"] }) };
}

describe("outOfCoreVariationalInference", () => {
  it("is Robbins–Monro over the batches of the file, the last one with N over its own size", async () => {
    const stream = await ldaCBatches({ path, vocabulary: 60, batchSize: 20 });
    expect(stream.total).toBe(410);
    let global = start;
    const bounds: number[] = [];
    let step = 0;
    for (let pass = 0; pass < 2; pass++) {
      for await (const { batch, size } of stream.open()) {
        const { statistics, bound } = model.local(global, batch);
        bounds.push((410 / size) * bound - model.kl(global));
        global = globalStep({ global, prior: model.prior, statistics, scale: 410 / size, rate: rate(step++) });
      }
    }
    const run = await outOfCoreVariationalInference(await options({ passes: 2 }));
    expect(run.global).toEqual(global);
    expect(run.trace.map(({ bound }) => bound)).toEqual(bounds);
    expect(run.trace.map(({ size }) => size).slice(0, 20)).toEqual([...Array(19).fill(20), 30]);
    expect(run.trace.at(-1)).toMatchObject({ step: 40, steps: 40, seen: 820, total: 820, left: 0 });
  });

  it("with workers has the bits of the model in parts", async () => {
    const parts = modelInParts(model);
    const inParts = {
      ...model,
      local: (global: LdaGlobal, corpus: Corpus) => parts.local(global, corpusInParts(corpus, 3)),
    };
    const alone = await outOfCoreVariationalInference(await options({ model: inParts }));
    const map = (global: LdaGlobal, corpus: Corpus): ReturnType<typeof model.local> => model.local(global, corpus);
    const split = (corpus: Corpus): Corpus[] => corpusInParts(corpus, 3);
    const threads = await threadPool(ldaStatistics(lda), { threads: 2 });
    try {
      for (const pool of [localPool(map), simulatedPool({ map, workers: 2, seconds: () => 1 }), threads]) {
        const run = await outOfCoreVariationalInference(await options({ workers: { pool, split } }));
        expect(run.global).toEqual(alone.global);
      }
    } finally {
      await threads.close();
    }
  });

  it("goes on from a checkpoint to the same bits, also to more passes", async () => {
    const whole = await outOfCoreVariationalInference(await options({ passes: 2 }));
    const checkpoint = { path: join(folder, "go-on", "run"), every: { steps: 7 } };
    const broken = outOfCoreVariationalInference(
      await options({
        checkpoint,
        onProgress: ({ step }) => {
          if (step === 17) throw new Error("enough");
        },
      }),
    );
    await expect(broken).rejects.toThrow("enough");
    expect((await readPair(checkpoint.path))!.record).toMatchObject({
      step: 14,
      pass: 0,
      position: { documents: 280, line: 280 },
    });
    const seen: number[] = [];
    await outOfCoreVariationalInference(await options({ checkpoint, onProgress: ({ step }) => void seen.push(step) }));
    expect(seen).toEqual([15, 16, 17, 18, 19, 20]);
    const both = await outOfCoreVariationalInference(await options({ passes: 2, checkpoint }));
    expect(both.global).toEqual(whole.global);
    expect(both.trace.map(({ step, bound }) => [step, bound])).toEqual(
      whole.trace.map(({ step, bound }) => [step, bound]),
    );
    // A run that is done does nothing again.
    expect((await outOfCoreVariationalInference(await options({ passes: 2, checkpoint }))).global).toEqual(
      whole.global,
    );
    await expect(options({ checkpoint }).then(outOfCoreVariationalInference)).rejects.toThrow(
      "has taken 40 steps, more than the 20 of this run. Ask for more passes, or give resume: false to start anew.",
    );
  });

  it("is killed at any moment, loses at most one interval, and comes to the same bits", async () => {
    const unbroken = ownProcess([], [path, 60, 2, join(folder, "unbroken", "run")]);
    const checkpoint = join(folder, "killed", "run");
    const random = mulberry(3);
    let kills = 0;
    let finished: Ended["result"];
    while (!finished) {
      // Most of a step is the writing of its checkpoint, so most kills fall into that.
      const run = ownProcess([], [path, 60, 2, checkpoint], kills < 4 ? 120 * random() : undefined);
      const { killed, lastStep, result } = await run;
      finished = result;
      if (!killed) continue;
      kills++;
      const step = (await readPair(checkpoint))?.record.step ?? 0;
      expect(step).toBeGreaterThanOrEqual(lastStep - 1); // it says so before it saves
      expect(step).toBeLessThanOrEqual(lastStep);
    }
    expect(kills).toBe(4);
    const { bits, rows } = finished;
    const { bits: theirs, rows: theirRows } = (await unbroken).result!;
    expect({ bits, rows }).toEqual({ bits: theirs, rows: theirRows });
    expect(readdirSync(dirname(checkpoint))).toHaveLength(2);
  }, 120_000);

  it("keeps no more than its batches in memory, however long the file is", async () => {
    const block = join(folder, "block.ldac");
    await writeSimulatedCorpus(block, { key: randomKey(1), documents: 1000, vocabulary: 300, topics: 4, length: 60 });
    const kept = async (times: number): Promise<number> => {
      const file = join(folder, `${times}.ldac`);
      writeFileSync(file, readFileSync(block, "utf8").repeat(times));
      const { result } = await ownProcess(["--expose-gc"], [file, 300, 100]);
      expect(result!.rows.at(-1)![1]).toBe(1000 * times);
      return result!.kept;
    };
    const [few, many] = [await kept(2), await kept(30)];
    // 28,000 documents more are 4 MB more of text, and 9 MB as numbers; the trace has 28 points more.
    expect(readFileSync(join(folder, "30.ldac")).length).toBeGreaterThan(4.5e6);
    expect(many - few).toBeLessThan(2e6); // one measurement differs from the next by up to 1 MB
  }, 120_000);

  it("names file and line of what is malformed, and what was promised and is not there", async () => {
    const bad = join(folder, "bad.ldac");
    writeFileSync(bad, readFileSync(path, "utf8").split("\n").slice(0, 100).concat("2 3:1").join("\n"));
    await expect(ldaCBatches({ path: bad, vocabulary: 60, batchSize: 20 })).rejects.toThrow(
      `${bad}, line 101: it says it has 2 distinct words, but 1 follow.`,
    );
    const stream = await ldaCBatches({ path: bad, vocabulary: 60, batchSize: 20, documents: 101 });
    await expect(outOfCoreVariationalInference(await options({ stream }))).rejects.toThrow(`${bad}, line 101: `);
    for (const [documents, found] of [
      [409, "more than 409"],
      [411, "410"],
      [400, "more than 400"],
      [460, "410"],
    ] as const) {
      const miscounted = await ldaCBatches({ path, vocabulary: 60, batchSize: 20, documents });
      await expect(outOfCoreVariationalInference(await options({ stream: miscounted }))).rejects.toThrow(
        `${path} has ${found} documents, but ${documents} were promised; leave them to be counted, or mend the file.`,
      );
    }
    await expect(ldaCBatches({ path, vocabulary: 60, batchSize: 411 })).rejects.toThrow(
      "has 410 documents, fewer than a batch of 411",
    );
    await expect(
      ldaCBatches({ path: join(folder, "none"), vocabulary: 60, batchSize: 1, documents: 2 }),
    ).rejects.toMatchObject({ reason: "missing" });
  });

  it("refuses the checkpoint of another run, and options out of range", async () => {
    const checkpoint = { path: join(folder, "another", "run"), every: { steps: 1 } };
    await outOfCoreVariationalInference(await options({ checkpoint }));
    const refusal = async (changes: Parameters<typeof options>[0]): Promise<string> =>
      (
        (await options(changes)
          .then(outOfCoreVariationalInference)
          .catch((e: Error) => e)) as Error
      ).message;
    for (const other of [constant(0.1), (step: number) => rate(step) + (step === 17 ? 1e-15 : 0)])
      expect(await refusal({ checkpoint, rate: other })).toMatch(
        "is of another run: the rates of its 20 steps are others than here.",
      );
    // Rates of steps that are yet to come do not make it another run.
    await outOfCoreVariationalInference(
      await options({ checkpoint, rate: (step) => (step < 20 ? rate(step) : 0.5), passes: 1 }),
    );
    for (const [change, said] of [
      [{ alpha: 5 }, "its model's alpha is 0.2, but here it is 5."],
      [{ tolerance: 1e-5 }, "its model's tolerance is 0.001, but here it is 0.00001."],
      [{ maxUpdates: 7 }, "its model's maxUpdates is 100, but here it is 7."],
      [{ eta: 0.2 }, "its prior is sha256"],
    ] as const) {
      expect(await refusal({ checkpoint, model: latentDirichletAllocation({ ...lda, ...change }) })).toMatch(said);
    }
    const inParts = (parts: number) => ({
      pool: localPool((global: LdaGlobal, corpus: Corpus) => model.local(global, corpus)),
      split: (corpus: Corpus) => corpusInParts(corpus, parts),
    });
    expect(await refusal({ checkpoint, workers: inParts(2) })).toMatch("its parts of a batch is 1, but here it is 2.");
    await outOfCoreVariationalInference(await options({ checkpoint, workers: inParts(1) }));
    expect(await refusal({ checkpoint, start: model.start(randomKey(3)) })).toMatch(
      "is of another run: its start is sha256",
    );
    const other = join(folder, "other.ldac");
    writeFileSync(other, readFileSync(path));
    appendFileSync(other, "1 0:1\n");
    const stream = await ldaCBatches({ path: other, vocabulary: 60, batchSize: 20 });
    expect(await refusal({ checkpoint, stream })).toMatch("its corpus's size in bytes is");
    const data = readdirSync(dirname(checkpoint.path)).find((name) => name.endsWith("safetensors"))!;
    writeFileSync(join(dirname(checkpoint.path), data), "x");
    expect(await refusal({ checkpoint })).toMatch("has changed since it was written");
    expect(await refusal({ passes: 0 })).toMatch("passes must be a positive integer, not 0.");
    expect(await refusal({ rate: constant(2) })).toMatch("the rate of step 0 must be in (0, 1], not 2.");
    expect(await refusal({ checkpoint: { path: "x", every: { steps: 0 } } })).toMatch(
      "every must be a positive integer of steps",
    );
    expect(await refusal({ checkpoint: { path: "" } })).toMatch("path must name a file");
  });
});
