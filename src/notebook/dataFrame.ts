/** The way to danfojs, which stays at the edge: nothing else of the library needs it. */
import { createRequire } from "node:module";
import type { DataFrame } from "danfojs-node";
import { patchUtil, withoutDeprecationNotice } from "../engine/nodeCompatibility.js";
import { tf } from "../engine/tf.js";
import type { TableRow } from "./table.js";

/**
 * The rows as a danfojs DataFrame, for grouping, joining and reshaping.
 *
 * danfojs needs the native backend of TensorFlow.js and is loaded only here; tables are made without it.
 *
 * @throws Error with the remedy if danfojs cannot be loaded.
 */
export async function dataFrame(rows: readonly TableRow[]): Promise<DataFrame> {
  const backend = tf.getBackend();
  try {
    patchUtil();
    process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
    let danfo!: typeof import("danfojs-node");
    withoutDeprecationNotice(() => {
      danfo = createRequire(import.meta.url)("danfojs-node");
    });
    // Loading danfojs loads the native backend, which puts itself in the running one's place.
    if (backend && tf.getBackend() !== backend) await tf.setBackend(backend);
    return new danfo.DataFrame(rows.map((row) => ({ ...row })));
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).trim().split("\n")[0];
    throw new Error(
      `danfojs cannot be loaded (${reason}): run npm run setup for the native backend, or use the rows as they are.`,
      { cause },
    );
  }
}
