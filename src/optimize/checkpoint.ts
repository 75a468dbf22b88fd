import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { leaves, mapParameters, type Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { checkWritable, readPair, unusable, writePair } from "./checkpointFiles.js";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./safetensors.js";
import type { PartialPoint, TracePoint } from "./trace.js";

/** What must be the same for a run to go on from a checkpoint, by name. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** Options of a run's checkpoints. */
export interface CheckpointOptions {
  /** Where: `<path>.json`, and the data file beside it that it names. One path a run. */
  readonly path: string;
  /** How often, besides at the end and when a cell is interrupted. Default every 60 seconds. */
  readonly every?: { readonly steps: number } | { readonly seconds: number };
  /** Whether to go on from a checkpoint that is there. Default true; false starts anew and overwrites it. */
  readonly resume?: boolean;
  /** What else tells this run from others, for instance the name of a data set: a checkpoint with other settings is refused. */
  readonly settings?: Settings;
}

/** A run at one moment: all that it needs to go on to the same bits. */
export interface RunMoment<State extends Parameters> {
  /** How many steps have been taken. */
  readonly step: number;
  readonly seconds: number;
  /** The complete points. */
  readonly trace: readonly TracePoint[];
  readonly partial: PartialPoint;
  readonly state: State;
}

/** The checkpoints of one run. */
export interface Checkpoint<State extends Parameters> {
  /** Steps between two, or `undefined` where they go by time. */
  readonly everySteps: number | undefined;
  /** Seconds between two, or `undefined` where they go by steps. */
  readonly everySeconds: number | undefined;
  /** Steps that one point of the trace averages over. */
  readonly traceEvery: number;
  /** Where the run left off, with a state that the caller disposes; nothing where it starts anew. */
  readonly restored: RunMoment<State> | undefined;
  save(moment: RunMoment<State>): Promise<void>;
}

const format = "marginalia checkpoint 1";
const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/**
 * Looks for the checkpoint of a run and prepares the next ones.
 *
 * A checkpoint is that of the run if key, backend, settings, the tensors' shapes and the values they start from are the same.
 *
 * @param run.traceEvery what the run asks for; nothing takes what the checkpoint has, or else `defaultTraceEvery`.
 * @throws Error with one sentence if an option is out of range, the files cannot be written or are damaged, or the checkpoint is of another
 *   run (the sentence names the first difference) or has more steps than the run is to take.
 */
export async function openCheckpoint<State extends Parameters>(
  options: CheckpointOptions,
  run: {
    readonly init: State;
    readonly key: Key;
    readonly steps: number;
    readonly traceEvery: number | undefined;
    readonly defaultTraceEvery: number;
  },
): Promise<Checkpoint<State>> {
  const { path, every = { seconds: 60 }, resume = true } = options;
  if (typeof path !== "string" || !/[^/\\]$/.test(path)) {
    throw new Error(`checkpoint: path must name a file without its ending, for instance "runs/vae", not "${path}".`);
  }
  const everySteps = "steps" in every ? every.steps : undefined;
  const everySeconds = "seconds" in every ? every.seconds : undefined;
  if (everySteps !== undefined && !(Number.isInteger(everySteps) && everySteps >= 1)) {
    throw new Error(`checkpoint: every.steps must be a positive integer, not ${everySteps}.`);
  }
  if (everySteps === undefined && !(everySeconds! >= 0)) {
    throw new Error(`checkpoint: every.seconds must be a number ≥ 0, not ${everySeconds}.`);
  }
  const settings = describeRun(run.init, run.key, options.settings ?? {});
  await checkWritable(path);
  const found = resume ? await readPair(path) : undefined;
  const record = found && checkRecord(path, found.record);
  if (record) {
    const traceEvery = run.traceEvery ?? record.traceEvery;
    const difference = firstDifference(
      { ...record.settings, traceEvery: record.traceEvery },
      { ...settings, traceEvery },
    );
    if (difference) {
      throw new Error(
        `The checkpoint ${path}.json is of another run: ${difference}. Give this run a path of its own, or resume: false to start anew.`,
      );
    }
    if (record.step > run.steps) {
      throw new Error(
        `The checkpoint ${path}.json has taken ${record.step} steps, more than the ${run.steps} of this run. Ask for more steps, or ` +
          "give resume: false to start anew.",
      );
    }
  }
  const traceEvery = run.traceEvery ?? record?.traceEvery ?? run.defaultTraceEvery;
  return {
    everySteps,
    everySeconds,
    traceEvery,
    restored: record && { ...record, state: restore(path, found!.data, run.init) },
    save: ({ state, step, ...rest }) => {
      const description = { format, version, step, key: run.key.words, traceEvery, settings, ...rest };
      return writePair(path, String(step).padStart(8, "0"), {
        record: description,
        data: encodeSafetensors(store(state)),
      });
    },
  };
}

/** Everything that two runs must share, in the order in which a difference says most. */
function describeRun(init: Parameters, key: Key, given: Settings): Settings {
  const tensors = leaves(init);
  return {
    backend: tf.getBackend(),
    ...given,
    key: key.words.join(" "),
    ...Object.fromEntries(
      tensors.map(({ path, tensor }) => [`shape of ${path}`, `${tensor.dtype} ${formatShape(tensor.shape)}`]),
    ),
    ...Object.fromEntries(
      tensors.map(({ path, tensor }) => [`start of ${path}`, `sha256 ${digest(numbersOf(tensor)).slice(0, 16)}`]),
    ),
  };
}

/**
 * The first setting that two runs do not share, in words.
 *
 * @internal
 */
export function firstDifference(theirs: Settings, ours: Settings): string | undefined {
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const [there, here] = [theirs[name] ?? "not given", ours[name] ?? "not given"];
    if (there !== here) return `its ${name} is ${there}, but here it is ${here}`;
  }
  return undefined;
}

function store(state: Parameters): Map<string, StoredTensor> {
  const stored = new Map<string, StoredTensor>();
  for (const { path, tensor } of leaves(state)) {
    if (stored.has(path)) throw new Error(`Two tensors of the state are called ${path}: rename one.`);
    stored.set(path, { dtype: typeOf(path, tensor), shape: tensor.shape, data: numbersOf(tensor) });
  }
  return stored;
}

function restore<State extends Parameters>(path: string, data: Uint8Array, like: State): State {
  let stored: Map<string, StoredTensor>;
  try {
    stored = decodeSafetensors(data);
  } catch (error) {
    throw unusable(path, `its data are no safetensors (${(error as Error).message})`);
  }
  for (const { path: name, tensor } of leaves(like)) {
    const found = stored.get(name);
    if (found?.dtype === tensor.dtype && formatShape(found.shape) === formatShape(tensor.shape)) continue;
    throw unusable(
      path,
      `its data have no tensor ${name} of type ${tensor.dtype} and shape ${formatShape(tensor.shape)}`,
    );
  }
  return mapParameters(like, ({ dtype }, name) => {
    const { data, shape } = stored.get(name)!;
    return tf.tensor(data as TensorNumbers, [...shape], dtype);
  });
}

/** The parts of a record that a run goes on from, each checked. */
function checkRecord(
  path: string,
  record: Readonly<Record<string, unknown>>,
): Omit<RunMoment<Parameters>, "state"> & { readonly traceEvery: number; readonly settings: Settings } {
  const { step, seconds, trace, partial, traceEvery, settings } = record as unknown as RunMoment<Parameters> & {
    readonly traceEvery: number;
    readonly settings: Settings;
  };
  if (record.format !== format) throw unusable(path, `its format is ${JSON.stringify(record.format)}, not "${format}"`);
  const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const isPoint = (at: unknown): boolean => {
    const { step, value, gradientNorm, seconds } = (at ?? {}) as Record<string, unknown>;
    const fits = gradientNorm === null || Number.isFinite(gradientNorm);
    return isCount(step) && Number.isFinite(value) && fits && Number.isFinite(seconds);
  };
  const valid = {
    step: isCount(step) && step >= 1,
    seconds: Number.isFinite(seconds) && seconds >= 0,
    traceEvery: isCount(traceEvery) && traceEvery >= 1,
    trace: Array.isArray(trace) && trace.every(isPoint),
    partial:
      isCount(partial?.count) &&
      Number.isFinite(partial.sum) &&
      Number.isFinite(partial.squares) &&
      isPoint(partial.last),
    settings: typeof settings === "object" && settings !== null,
  };
  for (const [name, fits] of Object.entries(valid)) if (!fits) throw unusable(path, `its "${name}" is damaged`);
  return { step, seconds, trace, partial, traceEvery, settings };
}

function typeOf(path: string, { dtype }: Tensor): StoredTensor["dtype"] {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new Error(`Tensor ${path} of type ${dtype} cannot be checkpointed: only float32, int32 and bool can.`);
}

/** Tensors have no Float64. */
type TensorNumbers = Exclude<StoredTensor["data"], Float64Array>;

function numbersOf(tensor: Tensor): TensorNumbers {
  return tensor.dataSync() as TensorNumbers;
}

function digest(numbers: TensorNumbers): string {
  return createHash("sha256").update(numbers).digest("hex");
}
