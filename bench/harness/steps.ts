import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../src/cli/failure.js";
import type { Framework } from "./frameworks.js";
import { type Summary, summarise } from "./statistics.js";

/** Threads of a pool spin for a while after their last work; the next process shall find the cores free. */
const settle = 100;

/** The workloads whose step may cost less than a call: worth a loop of many steps in one call. */
const small = ["sivi", "uivi", "mean-field", "full-rank"];

/** One way to run a step, timed. */
export type Timed = Partial<Summary> & {
  readonly workload: string;
  readonly framework: string;
  readonly variant: string;
  /** Milliseconds of the first call, what it compiles included. */
  readonly first?: number;
  /** Why there are no times. */
  readonly note?: string;
};

/** What to time. */
export interface StepsOptions {
  readonly workload: string;
  /** The workload's start. */
  readonly file: string;
  readonly rounds: number;
  readonly seconds: number;
  /** Which ways to take; all, if it is left out. */
  readonly wanted?: (framework: string, variant: string) => boolean;
}

/** Times a workload's step in every framework and variant, by turns: round after round, the order rotated, one process at work. */
export async function timeSteps(frameworks: readonly Framework[], options: StepsOptions): Promise<Timed[]> {
  const { workload, file, rounds, seconds, wanted = () => true } = options;
  const ways = frameworks.flatMap((framework) =>
    framework.variants
      .filter((variant) => (!variant.startsWith("loop") || small.includes(workload)) && wanted(framework.id, variant))
      .map((variant) => ({
        framework,
        variant,
        times: [] as number[],
        first: undefined as number | undefined,
        note: "",
      })),
  );
  for (let round = 0; round < rounds; round++) {
    for (const i of ways.keys()) {
      const way = ways[(i + round) % ways.length];
      if (way.note) continue;
      await sleep(settle);
      try {
        const request = { do: "run", file, variant: way.variant, seconds };
        const answer = await way.framework.ask<{ times: number[]; first?: number; loss: number | null }>(request);
        way.times.push(...answer.times);
        way.first ??= answer.first;
        if (!Number.isFinite(answer.loss)) way.note = "the loss is not finite";
      } catch (error) {
        way.note = messageOf(error);
      }
    }
  }
  for (const framework of frameworks) await framework.ask({ do: "forget" });
  return ways.map(({ framework, variant, times, first, note }) => {
    const way = { workload, framework: framework.id, variant };
    return note ? { ...way, note } : { ...way, ...summarise(times), first };
  });
}

/** This library's time over another's. */
export type Ratio = {
  readonly workload: string;
  readonly framework: string;
  readonly variant: string;
  /** How this library ran the step. */
  readonly ours: string;
  readonly ofMedians: number;
  readonly ofLeast: number;
};

/** Every other way that ran against this library's fastest: many steps a call against many, one against one. */
export function ratios(rows: readonly Timed[]): Ratio[] {
  const ran = (row: Timed): row is Timed & Summary => row.median !== undefined;
  return rows.filter(ran).flatMap(({ workload, framework, variant, median, min }) => {
    if (framework === "marginalia") return [];
    const own = rows.filter(ran).filter((row) => row.workload === workload && row.framework === "marginalia");
    const alike = own.filter((row) => row.variant.startsWith("loop") === (variant === "loop"));
    const [ours] = (alike.length > 0 ? alike : own).sort((a, b) => a.median - b.median);
    if (!ours) return [];
    return [
      { workload, framework, variant, ours: ours.variant, ofMedians: ours.median / median, ofLeast: ours.min / min },
    ];
  });
}
