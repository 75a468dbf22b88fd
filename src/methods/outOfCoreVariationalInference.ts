import type { BatchStream, StreamPosition } from "../data/batchStream.js";
import { breathe, untilInterrupted } from "../engine/interrupt.js";
import {
  type ConjugateModel,
  checkFiniteGlobal,
  copyOf,
  finiteBound,
  globalStep,
  type NaturalParameters,
} from "../models/conjugateModel.js";
import type { CheckpointOptions } from "../optimize/checkpoint.js";
import type { Schedule } from "../optimize/optimizer.js";
import { checkRate } from "./checkRate.js";
import { digestOf, openConjugateCheckpoint, rateDigest } from "./conjugateCheckpoint.js";
import { sumOfParts } from "./minibatchParts.js";
import type { LocalStatistics, StatisticsPool } from "./statisticsPool.js";
import type { SviPoint } from "./stochasticVariationalInference.js";

/** One point of the trace of {@link outOfCoreVariationalInference}: a row of a table. `seconds` go on where a run is resumed. */
export type OutOfCorePoint = SviPoint & {
  /** Steps of all passes: what `step` is to come to. */
  readonly steps: number;
  /** Data of all passes: what `seen` is to come to. */
  readonly total: number;
  /** Seconds left at the speed so far. */
  readonly left: number;
};

/** Options of {@link outOfCoreVariationalInference}. */
export interface OutOfCoreOptions<G extends NaturalParameters, Batch, Local> {
  readonly model: ConjugateModel<G, Batch, Local>;
  /** For instance `await ldaCBatches({ path, vocabulary, batchSize })`. */
  readonly stream: BatchStream<Batch>;
  /** Passes through it. Default 1. */
  readonly passes?: number;
  /** ρ_t in (0, 1], for t from 0: `robbinsMonro({ kappa, tau })`. */
  readonly rate: Schedule;
  readonly start: G;
  /** Workers for the local steps, with the batches in parts. It stays open, unless the run breaks off. Default: this process, with whole batches. */
  readonly workers?: {
    readonly pool: StatisticsPool<G, Batch>;
    /** For instance `(corpus) => corpusInParts(corpus, 2)`. */
    readonly split: (batch: Batch) => readonly Batch[];
  };
  /**
   * Where the run is kept and gone on from, if model and its settings, stream, start, number of parts and the rates of the steps taken are the same. The number of passes may be another,
   * and so may the workers; that they have this model is for them to see to.
   */
  readonly checkpoint?: CheckpointOptions;
  /** Steps between two points of the trace; each costs a KL of q(θ). Default: what makes about 100. */
  readonly traceEvery?: number;
  /** Called at every point of the trace; what it returns is awaited. */
  readonly onProgress?: (point: OutOfCorePoint, global: G) => void | Promise<void>;
}

/** What {@link outOfCoreVariationalInference} returns. */
export interface OutOfCoreResult<G extends NaturalParameters> {
  /** The natural parameters of q(θ). */
  readonly global: G;
  readonly trace: readonly OutOfCorePoint[];
}

/**
 * Stochastic variational inference over data that are never in memory: a batch is read from disk while the one before is worked on, and
 * `γ ← (1 − ρ_t) γ + ρ_t (prior + N/S_t · statistics)`, with S_t the size of the batch.
 *
 * It needs the memory of two batches, of q(θ) and of the trace, however long the file is. Batches come in the order of the file, which must be a random one. With a
 * checkpoint a run may be killed at any moment, loses at most the interval, and comes to the same bits. The correction, the window, the adaptive rate and size and the importance sampling of
 * `stochasticVariationalInference` are that driver's alone: here the rate is a schedule and the size the stream's.
 *
 * @throws RangeError if an option is out of range, a rate is not in (0, 1] (the error names the step), or a natural parameter or a bound becomes not finite; DataError, naming
 *   file and line, if the file is malformed; Error if a checkpoint is of another run or damaged; as the model and the pool do. The pool is closed then.
 * Source: Hoffman, Blei & Bach 2010, "Online learning for latent Dirichlet allocation", algorithm 2; Zhang et al. 2018, sections 4.1 and 4.3.
 */
export async function outOfCoreVariationalInference<G extends NaturalParameters, Batch, Local>(
  options: OutOfCoreOptions<G, Batch, Local>,
): Promise<OutOfCoreResult<G>> {
  try {
    return await run(options);
  } catch (error) {
    await options.workers?.pool.close().catch(() => {}); // what went wrong first is what counts
    throw error;
  }
}

async function run<G extends NaturalParameters, Batch, Local>(
  options: OutOfCoreOptions<G, Batch, Local>,
): Promise<OutOfCoreResult<G>> {
  const { model, stream, passes = 1, rate, workers, onProgress } = options;
  const steps = passes * stream.batches;
  const traceEvery = options.traceEvery ?? Math.max(1, Math.round(steps / 100));
  for (const [name, count] of Object.entries({ passes, traceEvery })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`outOfCoreVariationalInference: ${name} must be a positive integer, not ${count}.`);
  }
  checkFiniteGlobal("outOfCoreVariationalInference: the start", options.start);
  const split = workers?.split ?? ((batch: Batch) => [batch]);
  const local = (global: G, batch: Batch): Promise<LocalStatistics<G>> | LocalStatistics<G> =>
    workers ? workers.pool.map(global, batch) : model.local(global, batch);
  const checkpoint =
    options.checkpoint &&
    (await openConjugateCheckpoint<G, OutOfCorePoint>(options.checkpoint, {
      start: options.start,
      rate,
      settings: {
        model: model.name,
        prior: digestOf(model.prior),
        ...Object.fromEntries(Object.entries(model.settings).map(([name, value]) => [`model's ${name}`, value])),
        ...stream.identity,
        "parts of a batch": workers ? await partsOfFirst(stream, split) : 1,
      },
    }));
  const from = checkpoint?.restored;
  if (from && from.step > steps) {
    throw new Error(
      `The checkpoint ${options.checkpoint!.path}.json has taken ${from.step} steps, more than the ${steps} of this run. Ask for more passes, or give resume: false to start anew.`,
    );
  }
  const began = performance.now() - 1000 * (from?.seconds ?? 0);
  const seconds = (): number => (performance.now() - began) / 1000;
  let global = from?.global ?? copyOf(options.start);
  let [step, pass] = [from?.step ?? 0, from?.pass ?? 0];
  let position: StreamPosition | undefined = from?.position;
  let saved = step;
  const trace = [...(from?.trace ?? [])];
  const rates = rateDigest();
  for (let taken = 0; taken < step; taken++) rates.add(rate(taken));
  const save = async (): Promise<void> => {
    if (!checkpoint || saved === step || !position) return;
    await checkpoint.save({ step, pass, position, seconds: seconds(), rates: rates.read(), trace, global });
    saved = step;
  };

  for (; pass < passes; pass++) {
    const batches = stream.open(position)[Symbol.asyncIterator]();
    try {
      let reading = batches.next();
      for (let read = await reading; !read.done; read = await reading) {
        await breathe();
        const { batch, size, next } = read.value;
        const parts = split(batch);
        const asked = Promise.all(parts.map((part) => local(global, part)));
        for (const _ of parts) workers?.pool.waiting?.();
        reading = batches.next(); // while workers are at this one
        reading.catch(() => {}); // what it throws is thrown where it is awaited
        const { statistics, bound } = sumOfParts(global, await untilInterrupted(asked));
        const rho = rate(step);
        checkRate("outOfCoreVariationalInference", `step ${step}`, rho);
        rates.add(rho);
        const scale = stream.total / size;
        const before = global;
        global = globalStep({ global, prior: model.prior, statistics, scale, rate: rho });
        step++;
        position = next;
        if (step % traceEvery === 0 || step === steps) {
          checkFiniteGlobal(`outOfCoreVariationalInference: step ${step - 1}`, global);
          const seen = pass * stream.total + next.documents;
          const [total, now] = [passes * stream.total, seconds()];
          const left = (now * (total - seen)) / seen;
          const point = {
            step,
            steps,
            seen,
            total,
            size,
            rate: rho,
            bound: finiteBound(`outOfCoreVariationalInference: step ${step - 1}`, scale * bound - model.kl(before)),
            seconds: now,
            left,
          };
          trace.push(point);
          await onProgress?.(point, global);
        }
        if (checkpoint?.due(step)) await save();
      }
    } catch (error) {
      if ((error as Error).name === "KeyboardInterrupt") await save();
      throw error;
    } finally {
      await batches.return?.(undefined);
    }
    // The last pass is left at its end, from where a run of more passes goes on.
    if (pass + 1 === passes) await save();
    else position = undefined;
  }
  return { global, trace };
}

/** How many parts the first batch is cut into: sums in other parts have other bits. */
async function partsOfFirst<Batch>(
  stream: BatchStream<Batch>,
  split: (batch: Batch) => readonly Batch[],
): Promise<number> {
  for await (const { batch } of stream.open()) return split(batch).length;
  return 0;
}
