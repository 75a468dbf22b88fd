import { Worker } from "node:worker_threads";
import { untilInterrupted } from "../engine/interrupt.js";
import type { NaturalParameters } from "../models/conjugateModel.js";
import { type LocalStatistics, messageOf, type StatisticsPool, type StatisticsSource } from "./statisticsPool.js";
import type { ThreadAnswer, ThreadTask } from "./statisticsThread.js";

/** Options of {@link threadPool}. */
export interface ThreadPoolOptions {
  /** How many threads; more than there are cores gain nothing. */
  readonly threads: number;
  /** What one local step may take before its worker counts as failed, in seconds. Default: no limit. */
  readonly taskSeconds?: number;
}

interface Task<G extends NaturalParameters> {
  readonly message: ThreadTask;
  resolve(result: LocalStatistics<G>): void;
  reject(error: Error): void;
}

/** Compiled also where this file is run from its source, since a thread runs JavaScript. */
const program = new URL("../../dist/methods/statisticsThread.js", import.meta.url);

/**
 * Worker threads on this machine, each with a map of its own from the source. A thread does one local step at a time, in the order in which they are asked for.
 *
 * q(θ) goes out in shared memory, one copy however many threads; batches are copied; statistics come back without a copy. Idle threads do not keep the process alive.
 *
 * @throws RangeError if an option is out of range; Error in one sentence that names worker and cause if a thread cannot start. A local step that throws rejects that
 *   `map`; a thread that dies, or takes longer than it may, closes the pool and rejects all.
 */
export async function threadPool<G extends NaturalParameters, Batch>(
  source: StatisticsSource<G, Batch>,
  options: ThreadPoolOptions,
): Promise<StatisticsPool<G, Batch>> {
  const { threads: count, taskSeconds = Infinity } = options;
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`threadPool: threads must be a positive integer, not ${count}.`);
  if (!(taskSeconds > 0)) throw new RangeError(`threadPool: taskSeconds must be positive, not ${taskSeconds}.`);
  const waiting: Task<G>[] = [];
  let ended: Error | undefined;
  const end = async (reason: Error): Promise<void> => {
    ended ??= reason;
    for (const task of waiting.splice(0)) task.reject(ended);
    await Promise.all(threads.map((thread) => thread.end(ended!)));
  };
  const threads = Array.from({ length: count }, (_, t) =>
    startThread<G>({
      source: { module: source.module, settings: source.settings },
      name: `worker ${t + 1} of ${count}`,
      taskSeconds,
      next: () => waiting.shift(),
      died: (error) => void end(error),
    }),
  );
  try {
    await untilInterrupted(Promise.all(threads.map(({ ready }) => ready)));
  } catch (error) {
    await end(error as Error);
    throw error;
  }
  const shared = new WeakMap<NaturalParameters, NaturalParameters>();
  return {
    name: "threadPool",
    map: (global, batch) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        const there = shared.get(global) ?? sharedCopy(global);
        shared.set(global, there);
        waiting.push({ message: { global: there, batch }, resolve, reject });
        for (const thread of threads) thread.look();
      }),
    close: () => end(new Error("threadPool: the pool is closed; open another.")),
  };
}

/** One thread, and the task that it is at. */
interface Thread {
  readonly ready: Promise<void>;
  /** Takes a task if it has none. */
  look(): void;
  end(reason: Error): Promise<void>;
}

function startThread<G extends NaturalParameters>(inputs: {
  readonly source: StatisticsSource<G, unknown>;
  readonly name: string;
  readonly taskSeconds: number;
  readonly next: () => Task<G> | undefined;
  readonly died: (error: Error) => void;
}): Thread {
  const { source, name, taskSeconds, next, died } = inputs;
  const worker = new Worker(program, { workerData: source, name: `marginalia ${name}` });
  let current: Task<G> | undefined;
  let alarm: NodeJS.Timeout | undefined;
  let [started, over] = [false, false];
  let begin: { resolve(): void; reject(error: Error): void } | undefined;
  const ready = new Promise<void>((resolve, reject) => {
    begin = { resolve, reject };
  });
  ready.catch(() => {}); // it is looked at by whoever starts the pool
  const drop = (error: Error): void => {
    clearTimeout(alarm);
    begin!.reject(error);
    current?.reject(error);
    current = undefined;
  };
  const fail = (because: string): void => {
    if (over) return;
    over = true;
    const error = new Error(`threadPool: ${name} ${because}; the pool is closed.`);
    drop(error);
    died(error);
  };
  const look = (): void => {
    if (!started || over || current) return;
    current = next();
    if (!current) {
      worker.unref();
      return;
    }
    worker.ref();
    if (taskSeconds < Infinity)
      alarm = setTimeout(() => fail(`took longer than the ${taskSeconds} s of a local step`), 1000 * taskSeconds);
    try {
      worker.postMessage(current.message);
    } catch (error) {
      settle((task) => task.reject(new Error(`threadPool: a batch cannot be sent to ${name}: ${messageOf(error)}.`)));
    }
  };
  const settle = (give: (task: Task<G>) => void): void => {
    const task = current;
    clearTimeout(alarm);
    current = undefined;
    if (task) give(task);
    look();
  };
  worker.on("message", (answer: ThreadAnswer) => {
    if (answer.kind === "ready") {
      started = true;
      begin!.resolve();
      return look();
    }
    if (answer.kind === "failed" && !started) return fail(`did not start: ${answer.because}`);
    settle((task) => {
      if (answer.kind === "done") task.resolve({ statistics: answer.statistics as G, bound: answer.bound });
      else task.reject(new Error(`threadPool: ${name} failed at its local step: ${answer.because}.`));
    });
  });
  worker.on("error", (error) => fail(`died: ${messageOf(error)}`));
  worker.on("exit", (code) => fail(`died: it ended with exit code ${code}`));
  return {
    ready,
    look,
    end: async (reason) => {
      over = true;
      drop(reason);
      await worker.terminate();
    },
  };
}

/** A copy in memory that threads share, so that sending it copies nothing. */
function sharedCopy<G extends NaturalParameters>(global: G): G {
  return Object.fromEntries(
    Object.entries(global).map(([name, values]) => {
      const copy = new Float64Array(new SharedArrayBuffer(values.byteLength));
      copy.set(values);
      return [name, copy];
    }),
  ) as unknown as G;
}
