import { type Scalar, tf } from "../engine/tf.js";
import { checkSamples } from "../models/problem.js";
import type { Settings } from "./checkpoint.js";
import type { Schedule } from "./optimizer.js";
import type { PlainValue, Stepwise } from "./stepwise.js";

/** Numbers of a problem that change at every step, by name. */
export type Schedules = Readonly<Record<string, Schedule>>;

/** Plain values of a problem that change at a few steps, by name. */
export type Stages = Readonly<Record<string, Stepwise>>;

/** What a fit's schedules and stages are at one step: scalar tensors and plain values, by their names. */
export type At<S extends Schedules, G extends Stages> = { readonly [Name in keyof S]: Scalar } & {
  readonly [Name in keyof G]: G[Name] extends Stepwise<infer Value> ? Value : never;
};

/** A number of samples, for all steps or by steps. */
export type SampleSchedule = number | Stepwise<number>;

/** What stays the same until the next change. */
export interface Stage {
  /** K of the bound. */
  readonly samples: number;
  readonly values: Readonly<Record<string, PlainValue>>;
}

/** All that changes from step to step of a fit, the learning rate and the batch aside. */
export interface Timetable {
  /** Whether the problem depends on it. */
  readonly names: readonly string[];
  /** What holds at a step. */
  stageAt(step: number): Stage;
  /** How many steps from this one on have its stage; infinite after the last change. */
  stepsLeft(step: number): number;
  /** The schedules' numbers at these steps, a tensor `[n]` for each name. */
  numbersAt(steps: readonly number[]): Record<string, Scalar>;
  /** For a checkpoint: what tells this timetable from others. */
  readonly settings: Settings;
}

/** Where a schedule is looked at: two that agree here are taken for the same. */
const probes = Array.from({ length: 7 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

/**
 * Joins a fit's number of samples, schedules and stages.
 *
 * @throws Error if a number of samples is not a positive integer, or a name is both a schedule and a stage; when asked, if a schedule gives no finite number.
 */
export function timetable(options: {
  readonly samples: SampleSchedule;
  readonly schedules?: Schedules;
  readonly stages?: Stages;
}): Timetable {
  const { samples, schedules = {}, stages = {} } = options;
  const names = [...Object.keys(schedules), ...Object.keys(stages)];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`fit: ${twice} is both a schedule and a stage; rename one.`);
  for (const { value } of typeof samples === "number" ? [{ value: samples }] : samples.changes) checkSamples(value);
  const changing: readonly Stepwise[] = [...Object.values(stages), ...(typeof samples === "number" ? [] : [samples])];
  const changes = changing.flatMap((stage) => stage.changes.map(({ from }) => from));
  return {
    names,
    stageAt: (step) => ({
      samples: typeof samples === "number" ? samples : samples.at(step),
      values: Object.fromEntries(Object.entries(stages).map(([name, stage]) => [name, stage.at(step)])),
    }),
    stepsLeft: (step) => Math.min(...changes.filter((from) => from > step)) - step,
    numbersAt: (steps) =>
      Object.fromEntries(
        Object.entries(schedules).map(([name, schedule]) => {
          const numbers = steps.map((step) => finite(name, step, schedule(step)));
          return [name, tf.tensor1d(numbers) as unknown as Scalar];
        }),
      ),
    settings: {
      samples: typeof samples === "number" ? samples : describe(samples),
      ...Object.fromEntries(
        Object.entries(schedules).map(([name, schedule]) => [
          `${name} at the steps 0, ${probes.join(", ")}`,
          [0, ...probes].map(schedule).join(", "),
        ]),
      ),
      ...Object.fromEntries(Object.entries(stages).map(([name, stage]) => [name, describe(stage)])),
    },
  };
}

/** `0 from step 0, 5 from step 250`. */
function describe({ changes }: Stepwise): string {
  return changes.map(({ from, value }) => `${value} from step ${from}`).join(", ");
}

function finite(name: string, step: number, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new Error(`fit: the schedule ${name} gives ${value} at step ${step}; it must be a finite number.`);
}
