import { mkdirSync } from "node:fs";
import { withLock } from "../../../bin/lock.mjs";
import { interrupted } from "../children.js";
import { codeOf, Failure, messageOf } from "../failure.js";
import { paths, projectDirectory } from "../paths.js";
import { installJupyter } from "./jupyter.js";
import { installNative, knownOutcome, type NativeOutcome } from "./native.js";
import type { Obstacle } from "./obstacle.js";
import { runStep } from "./step.js";
import { installedPython, installPython } from "./venv.js";

/** What {@link setUp} is to do. */
export interface SetupOptions {
  /** Try the native backend again even if the last attempt failed and nothing has changed (`marginalia setup`). */
  readonly retry?: boolean;
}

/** What {@link setUp} found or made. */
export interface SetupReport {
  /** Version of the Python in the project's environment. */
  readonly python: string;
  readonly native: NativeOutcome;
  /** Whether anything had to be done. */
  readonly changed: boolean;
}

/**
 * Brings the project into working order: Python environment, native backend, Jupyter folders and kernelspec.
 *
 * Costs a few file look-ups when there is nothing to do. Two at once wait for each other; a killed one is repaired by the next.
 * Without a native backend it says so in one sentence and succeeds: everything runs on WebAssembly as well.
 *
 * @throws Failure if there is no Python that fits, or its packages cannot be installed.
 */
export async function setUp(options: SetupOptions = {}): Promise<SetupReport> {
  try {
    const done = await alreadyDone(options);
    if (done) return done;
    mkdirSync(paths.state, { recursive: true });
    return await withLock(
      paths.setupLock,
      async () => {
        const meanwhile = await alreadyDone(options);
        if (meanwhile) return meanwhile;
        // The native step needs pip, but a cached library is of use without Python: so its failure waits for the other step.
        const python =
          installedPython() ?? (await runStep("Python environment", installPython).catch((error: unknown) => error));
        if (interrupted.aborted) throw python;
        const native = await nativeStep(options);
        if (python instanceof Error) throw python;
        await installJupyter();
        return { python: installedPython() ?? "", native, changed: true };
      },
      {
        onWait: (pid) => process.stderr.write(`Another set-up is running (process ${pid}); waiting for it.\n`),
        signal: interrupted,
      },
    );
  } catch (error) {
    throw explained(error);
  }
}

async function alreadyDone(options: SetupOptions): Promise<SetupReport | undefined> {
  const python = installedPython();
  const native = knownOutcome();
  if (!python || !native || (options.retry && !native.works && native.obstacle.kind !== "choice")) return undefined;
  await installJupyter();
  return { python, native, changed: false };
}

async function nativeStep(options: SetupOptions): Promise<NativeOutcome> {
  const known = knownOutcome();
  if (known && (known.works || !options.retry)) return known;
  const { outcome } = await runStep("Native backend", async (progress) => {
    const found = await installNative(progress);
    const summary = found.works ? `libtensorflow ${found.version}` : "not in use";
    return { outcome: found, ok: found.works, summary };
  });
  if (!outcome.works) {
    process.stderr.write(`  ${obstacleSentence(outcome.obstacle)}\n`);
    if (options.retry && outcome.obstacle.details)
      process.stderr.write(`${outcome.obstacle.details.replace(/^/gm, "    ")}\n`);
  }
  return outcome;
}

/** One plain sentence: what is in the way of the native backend, and what would mend it. */
export function obstacleSentence({ why, remedy }: Obstacle): string {
  const advice = remedy ? `; to make it several times faster, ${remedy}` : "";
  return `Everything runs on WebAssembly, because ${why}${advice}.`;
}

function explained(error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof Failure || !code) return error;
  const reasons: Record<string, string> = {
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    EACCES: "a file or folder cannot be written",
    EPERM: "a file or folder cannot be written",
    EROFS: "the disk is read-only",
  };
  const reason = reasons[code];
  if (!reason) return error;
  return new Failure(`Setting up in ${projectDirectory} failed: ${reason} (${messageOf(error)}).`, { cause: error });
}
