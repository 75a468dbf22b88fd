/** What a worker thread of `threadPool` runs. */
import { parentPort, type Transferable, workerData } from "node:worker_threads";
import type { NaturalParameters } from "../models/conjugateModel.js";
import { loadStatistics, messageOf, type StatisticsSource } from "./statisticsPool.js";

/** What a thread is sent. */
export interface ThreadTask {
  readonly global: NaturalParameters;
  readonly batch: unknown;
}

/** What it answers: once `ready`, and then once a task. */
export type ThreadAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly statistics: NaturalParameters; readonly bound: number }
  | { readonly kind: "failed"; readonly because: string };

async function serve(): Promise<void> {
  const port = parentPort!;
  const answer = (message: ThreadAnswer, moved: Transferable[] = []): void => port.postMessage(message, moved);
  try {
    const map = await loadStatistics(workerData as StatisticsSource<NaturalParameters, unknown>);
    port.on("message", ({ global, batch }: ThreadTask) => {
      try {
        const { statistics, bound } = map(global, batch);
        answer({ kind: "done", statistics, bound }, whole(statistics));
      } catch (error) {
        answer({ kind: "failed", because: messageOf(error) });
      }
    });
    answer({ kind: "ready" });
  } catch (error) {
    answer({ kind: "failed", because: messageOf(error) });
  }
}

/** The buffers that can be handed over in place of a copy: those of which an array is all. */
function whole(statistics: NaturalParameters): Transferable[] {
  const buffers = Object.values(statistics)
    .filter(({ buffer, byteLength }) => buffer instanceof ArrayBuffer && buffer.byteLength === byteLength)
    .map(({ buffer }) => buffer as ArrayBuffer);
  return [...new Set(buffers)];
}

void serve();
