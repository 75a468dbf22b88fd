import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../src/cli/failure.js";
import { type Framework, programOf } from "./frameworks.js";
import { startWorker } from "./process.js";
import { summarise } from "./statistics.js";
import type { Timed } from "./steps.js";

/** The workloads whose first step is waited for. */
export const started = ["sivi", "iwae"];

/**
 * Seconds from starting a process to the end of its first step, what it compiles included. Nothing is kept from run to run: PyTorch's
 * compiler is told to use no cache.
 */
export async function timeStarts(
  frameworks: readonly Framework[],
  { workload, file, rounds }: { readonly workload: string; readonly file: string; readonly rounds: number },
): Promise<Timed[]> {
  const ways = frameworks.flatMap(({ id, variants }) =>
    variants
      .filter((name) => !name.startsWith("loop"))
      .map((variant) => ({ id, variant, times: [] as number[], note: "" })),
  );
  const environment = { ...process.env, TORCHINDUCTOR_FORCE_DISABLE_CACHES: "1" };
  for (let round = 0; round < rounds; round++) {
    for (const way of ways.filter(({ note }) => !note)) {
      await sleep(200);
      const begin = performance.now();
      const worker = startWorker(way.id, programOf(way.id), environment);
      try {
        await worker.ask({ do: "first", file, variant: way.variant });
        way.times.push((performance.now() - begin) / 1000);
      } catch (error) {
        way.note = messageOf(error);
      }
      await worker.stop();
    }
  }
  return ways.map(({ id, variant, times, note }) => {
    const way = { workload, framework: id, variant };
    return note ? { ...way, note } : { ...way, ...summarise(times) };
  });
}
