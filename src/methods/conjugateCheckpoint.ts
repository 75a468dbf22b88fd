import { createHash } from "node:crypto";
import type { StreamPosition } from "../data/batchStream.js";
import { checkFiniteGlobal, type NaturalParameters } from "../models/conjugateModel.js";
import { type CheckpointOptions, firstDifference, type Settings } from "../optimize/checkpoint.js";
import { checkWritable, readPair, unusable, writePair } from "../optimize/checkpointFiles.js";
import type { Schedule } from "../optimize/optimizer.js";
import { decodeSafetensors, encodeSafetensors } from "../optimize/safetensors.js";

/** A run over a stream at one moment: all that it needs to go on to the same bits. */
export interface StreamMoment<G extends NaturalParameters, Point> {
  /** How many steps have been taken. */
  readonly step: number;
  /** Which pass goes on, from 0. */
  readonly pass: number;
  /** Where in the pass. */
  readonly position: StreamPosition;
  readonly seconds: number;
  /** A digest of the rates of the steps taken. */
  readonly rates: string;
  readonly trace: readonly Point[];
  readonly global: G;
}

/** The checkpoints of one run over a stream. */
export interface ConjugateCheckpoint<G extends NaturalParameters, Point> {
  /** Where the run left off; nothing where it starts anew. */
  readonly restored: StreamMoment<G, Point> | undefined;
  /** Whether it is time for the next, so many steps and seconds into the run. */
  due(step: number): boolean;
  save(moment: StreamMoment<G, Point>): Promise<void>;
}

const format = "marginalia stream checkpoint 2";

/**
 * Looks for the checkpoint of a run over a stream and prepares the next ones: natural parameters as safetensors, step and position as JSON, both or neither.
 *
 * Rates are compared at all the steps that the checkpoint has taken: what comes after is this run's own affair.
 *
 * @param run.settings - what must be the same to go on; q(θ) of the start is added to it.
 * @param run.rate - ρ_t.
 * @throws Error with one sentence if an option is out of range, the files cannot be written or are damaged, or the checkpoint is of another run (the sentence names
 *   the first difference).
 * @internal
 */
export async function openConjugateCheckpoint<G extends NaturalParameters, Point>(
  options: CheckpointOptions,
  run: { readonly start: G; readonly settings: Settings; readonly rate: Schedule },
): Promise<ConjugateCheckpoint<G, Point>> {
  const { path, every = { seconds: 60 }, resume = true } = options;
  if (typeof path !== "string" || !/[^/\\]$/.test(path))
    throw new Error(`checkpoint: path must name a file without its ending, for instance "runs/lda", not "${path}".`);
  if ("steps" in every ? !(Number.isInteger(every.steps) && every.steps >= 1) : !(every.seconds >= 0)) {
    throw new Error(
      `checkpoint: every must be a positive integer of steps or a number of seconds ≥ 0, not ${JSON.stringify(every)}.`,
    );
  }
  const settings: Settings = { ...options.settings, ...run.settings, start: digestOf(run.start) };
  await checkWritable(path);
  const found = resume ? await readPair(path) : undefined;
  if (found) {
    if (found.record.format !== format)
      throw unusable(path, `its format is ${JSON.stringify(found.record.format)}, not "${format}"`);
  }
  const moment = found && checkRecord<Point>(path, found.record);
  if (found && moment) {
    const difference =
      firstDifference((found.record.settings ?? {}) as Settings, settings) ?? differentRates(moment, run.rate);
    if (difference) {
      throw new Error(
        `The checkpoint ${path}.json is of another run: ${difference}. Give this run a path of its own, or resume: false to start anew.`,
      );
    }
  }
  let saved = performance.now();
  return {
    restored: found && moment && { ...moment, global: restore(path, found.data, run.start) },
    due: (step) => ("steps" in every ? step % every.steps === 0 : performance.now() - saved >= 1000 * every.seconds),
    save: async ({ global, step, ...rest }) => {
      const data = encodeSafetensors(
        new Map(
          Object.entries(global).map(
            ([name, data]) => [name, { dtype: "float64", shape: [data.length], data }] as const,
          ),
        ),
      );
      await writePair(path, String(step).padStart(8, "0"), { record: { format, step, ...rest, settings }, data });
      saved = performance.now();
    },
  };
}

/** The parts of a record that a run goes on from, each checked. */
function checkRecord<Point>(
  path: string,
  record: Readonly<Record<string, unknown>>,
): Omit<StreamMoment<NaturalParameters, Point>, "global"> {
  const { step, pass, position, seconds, rates, trace } = record as unknown as StreamMoment<NaturalParameters, Point>;
  const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const valid = {
    step: isCount(step),
    pass: isCount(pass),
    position: isCount(position?.byte) && isCount(position.line) && isCount(position.documents),
    seconds: Number.isFinite(seconds) && seconds >= 0,
    rates: typeof rates === "string",
    trace: Array.isArray(trace) && trace.every((point) => isCount((point as { step?: unknown } | null)?.step)),
  };
  for (const [name, fits] of Object.entries(valid)) if (!fits) throw unusable(path, `its "${name}" is damaged`);
  return { step, pass, position, seconds, rates, trace };
}

function differentRates(moment: { readonly step: number; readonly rates: string }, rate: Schedule): string | undefined {
  const digest = rateDigest();
  for (let step = 0; step < moment.step; step++) digest.add(rate(step));
  return digest.read() === moment.rates ? undefined : `the rates of its ${moment.step} steps are others than here`;
}

/**
 * A digest of rates, one after another.
 *
 * @internal
 */
export function rateDigest(): { readonly add: (rate: number) => void; readonly read: () => string } {
  const hash = createHash("sha256");
  return {
    add: (rate) => void hash.update(Float64Array.of(rate)),
    read: () => `sha256 ${hash.copy().digest("hex").slice(0, 16)}`,
  };
}

function restore<G extends NaturalParameters>(path: string, data: Uint8Array, like: G): G {
  const stored = decodeSafetensors(data);
  const global = Object.fromEntries(
    Object.entries(like).map(([name, { length }]) => {
      const found = stored.get(name)?.data;
      if (!(found instanceof Float64Array) || found.length !== length)
        throw unusable(path, `its data have no ${length} numbers "${name}" of type float64`);
      return [name, found];
    }),
  ) as unknown as G;
  checkFiniteGlobal(`The checkpoint ${path}.json`, global);
  return global;
}

/**
 * What tells natural parameters from others.
 *
 * @internal
 */
export function digestOf(global: NaturalParameters): string {
  const hash = createHash("sha256");
  for (const [name, values] of Object.entries(global)) hash.update(`${name} ${values.length} `).update(values);
  return `sha256 ${hash.digest("hex").slice(0, 16)}`;
}
