import type { Framework } from "./frameworks.js";
import { type Timed, timeSteps } from "./steps.js";

/** What is varied, one at a time, the rest as in the table. */
const sweeps: readonly { readonly workload: string; readonly size: string; readonly values: readonly number[] }[] = [
  { workload: "sivi", size: "K", values: [10, 50, 200, 800] },
  { workload: "sivi", size: "S", values: [25, 100, 400, 1600] },
  { workload: "sivi", size: "width", values: [25, 50, 200, 400] },
  { workload: "iwae", size: "k", values: [1, 10, 50, 200] },
  { workload: "iwae", size: "batch", values: [5, 20, 80] },
  { workload: "iwae", size: "width", values: [50, 100, 200, 400] },
];

/** A step timed at one value of one size. */
export type Scaled = Timed & { readonly size: string; readonly value: number };

/** What a sweep needs. */
export interface ScalingOptions {
  readonly workloads: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  /** Writes a workload's start with other sizes and returns its file. */
  readonly writeStart: (workload: string, sizes: { readonly [size: string]: number }) => Promise<string>;
  readonly report: (line: string) => void;
}

/** Times a step for every value of every sweep, by turns as in the table, in one variant of each framework. */
export async function timeScaling(frameworks: readonly Framework[], options: ScalingOptions): Promise<Scaled[]> {
  const { workloads, rounds, seconds, writeStart, report } = options;
  const shown = ["marginalia compiled", "jax jit", "torch eager"];
  const wanted = (framework: string, variant: string): boolean => shown.includes(`${framework} ${variant}`);
  const rows: Scaled[] = [];
  for (const { workload, size, values } of sweeps.filter(({ workload }) => workloads.includes(workload))) {
    for (const value of values) {
      report(`${workload}, ${size} = ${value}`);
      const file = await writeStart(workload, { [size]: value });
      const timed = await timeSteps(frameworks, { workload, file, rounds, seconds, wanted });
      rows.push(...timed.map((row) => ({ ...row, size, value })));
    }
  }
  return rows;
}
