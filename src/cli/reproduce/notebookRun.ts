import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Profile } from "../../notebook/profile.js";
import { runChild } from "../children.js";
import { jupyterEnvironment } from "../environment.js";
import { Failure } from "../failure.js";
import { paths, venvPython } from "../paths.js";
import { formatDuration } from "../terminal.js";
import type { Notebook } from "./shelf.js";

/** An event that `python/run_notebook.py` prints; its docstring says when. */
export type RunEvent =
  | { readonly event: "start"; readonly cells: number }
  | { readonly event: "ready"; readonly seconds: number }
  | { readonly event: "cell"; readonly index: number; readonly of: number; readonly seconds: number }
  | { readonly event: "progress"; readonly cell: number; readonly text: string }
  | {
      readonly event: "error";
      readonly cell: number;
      readonly source: string;
      readonly ename: string;
      readonly evalue: string;
      readonly traceback: readonly string[];
    }
  | { readonly event: "timeout"; readonly cell: number; readonly source: string; readonly limit: number }
  | { readonly event: "dead"; readonly cell: number; readonly source: string; readonly message: string }
  | { readonly event: "unreadable" | "unstartable" | "unwritable"; readonly message: string }
  | { readonly event: "stopped" }
  | { readonly event: "done"; readonly seconds: number };

/** How to run one notebook. */
export interface NotebookRunOptions {
  readonly profile: Profile;
  /** `MARGINALIA_OUTPUT` of the kernel. */
  readonly output: string;
  /** Where the executed copy goes. */
  readonly executed: string;
  /** Seconds for the whole notebook; Infinity for none. */
  readonly limit: number;
  /** Kernelspec; `marginalia` by default. */
  readonly kernel?: string;
  readonly onEvent?: (event: RunEvent) => void;
}

/** How a notebook's run ended. */
export interface NotebookRun {
  readonly seconds: number;
  /** One sentence; undefined if every cell ran. */
  readonly failure?: string;
  /** The failing cell's source and traceback. */
  readonly details?: string;
}

/** What a line says; nothing, if it is no event or the runner was stopped in the middle of it. */
export function eventOf(line: string): RunEvent | undefined {
  if (!line.startsWith('{"event"')) return undefined;
  try {
    return JSON.parse(line) as RunEvent;
  } catch {
    return undefined;
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, "    ");
}

function describe(event: RunEvent, options: NotebookRunOptions): { failure: string; details?: string } | undefined {
  switch (event.event) {
    case "error":
      return {
        failure: `cell ${event.cell} failed: ${event.ename}: ${event.evalue.split("\n")[0]}`,
        details: `${indent(event.source)}\n\n${event.traceback.join("\n")}`,
      };
    case "timeout": {
      const limit = formatDuration(event.limit);
      return {
        failure:
          options.profile === "quick"
            ? `cell ${event.cell} was still running after ${limit}, which is all that a notebook may take in the quick profile: make its quick budget smaller, or allow a slow machine more with --time-limit`
            : `cell ${event.cell} was still running after ${limit}: raise --timeout, or see why it does not end`,
        details: indent(event.source),
      };
    }
    case "dead":
      return {
        failure: `the kernel ended in cell ${event.cell} (${event.message.replace(/\.$/, "")})`,
        details: indent(event.source),
      };
    case "unreadable":
    case "unstartable":
    case "unwritable":
      return { failure: event.message.replace(/\.$/, "") };
    default:
      return undefined;
  }
}

/**
 * Runs a notebook from its first cell to its last in a fresh kernel.
 *
 * A cell that throws, a kernel that dies and a limit that is passed end the run and are told in the result.
 *
 * @throws Interrupted after Ctrl-C; the kernel has ended by then.
 * @throws Failure if Python cannot be started or ends without a word.
 */
export async function runNotebook(notebook: Notebook, options: NotebookRunOptions): Promise<NotebookRun> {
  mkdirSync(dirname(options.executed), { recursive: true });
  const started = performance.now();
  let seconds: number | undefined;
  let outcome: { failure: string; details?: string } | undefined;
  const limit = Number.isFinite(options.limit) ? ["--timeout", String(options.limit)] : [];
  const child = await runChild(
    venvPython,
    [
      join(paths.python, "run_notebook.py"),
      notebook.path,
      "--output",
      options.executed,
      "--kernel",
      options.kernel ?? "marginalia",
      ...limit,
    ],
    {
      environment: { ...jupyterEnvironment(), MARGINALIA_PROFILE: options.profile, MARGINALIA_OUTPUT: options.output },
      // The runner keeps the limit itself and says in which cell; this one is for a runner that hangs.
      ...(Number.isFinite(options.limit) && { timeout: options.limit + 60 }),
      onStdout(line) {
        const event = eventOf(line);
        if (!event) return;
        if (event.event === "done") seconds = event.seconds;
        outcome ??= describe(event, options);
        options.onEvent?.(event);
      },
    },
  );
  const elapsed = seconds ?? (performance.now() - started) / 1000;
  if (outcome) return { seconds: elapsed, ...outcome };
  if (child.code !== 0 || seconds === undefined) {
    throw new Failure(`The notebook runner ended unexpectedly (exit code ${child.code ?? child.signal}).`, {
      details: child.stderr,
    });
  }
  return { seconds: elapsed };
}
