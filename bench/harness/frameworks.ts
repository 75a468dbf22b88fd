import { Failure, messageOf } from "../../src/cli/failure.js";
import { bench } from "./paths.js";
import { startWorker, type Worker } from "./process.js";
import { benchPython } from "./python.js";

/** What a table calls a framework; this library comes first. */
export const names: Readonly<Record<string, string>> = { marginalia: "marginalia", jax: "JAX", torch: "PyTorch" };

/** A framework at work. */
export interface Framework extends Worker {
  readonly id: string;
  readonly versions: string;
  readonly threads: number;
  /** The ways in which it runs a step. */
  readonly variants: readonly string[];
}

/** Program and arguments of a framework's process. */
export function programOf(id: string): [string, string[]] {
  if (id === "marginalia") return [process.execPath, [`${bench}/.build/typescript/worker.js`]];
  return [benchPython(), [`${bench}/python/worker.py`, id]];
}

/**
 * Starts one process a framework and asks each who it is.
 *
 * @throws Failure if one cannot be had or does not start.
 */
export async function startFrameworks(without: readonly string[]): Promise<Framework[]> {
  const programs = Object.keys(names)
    .filter((id) => !without.includes(id))
    .map((id) => ({ id, program: programOf(id) }));
  const started: Framework[] = [];
  for (const { id, program } of programs) {
    const worker = startWorker(names[id], program);
    try {
      started.push({ id, ...worker, ...(await worker.ask<Omit<Framework, keyof Worker | "id">>({ do: "hello" })) });
    } catch (error) {
      await Promise.all([worker, ...started].map((each) => each.stop()));
      const [sentence, ...details] = messageOf(error).split("\n");
      throw new Failure(`${names[id]} does not run: ${sentence}`, { details: details.join("\n") });
    }
  }
  return started;
}
