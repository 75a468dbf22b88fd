import { rmSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "../children.js";
import { quietEnvironment } from "../environment.js";
import { messageOf } from "../failure.js";
import { paths } from "../paths.js";
import { addonKey, forgetAddon, hasAddon, installAddon, isLinked, removeAddon } from "./addon.js";
import { readJson, writeWhole } from "./files.js";
import { hasLibrary, installLibrary, libraryDirectory, libraryIsIntact } from "./library.js";
import {
  cacheObstacle,
  choiceObstacle,
  compilerObstacle,
  NativeUnavailable,
  type Obstacle,
  platformObstacle,
} from "./obstacle.js";
import type { StepProgress } from "./step.js";
import { installedPython } from "./venv.js";
import type { Wheel } from "./wheel.js";

/** Whether the native backend works here, as the last set-up found it. */
export type NativeOutcome =
  | { readonly works: true; readonly version: string }
  | { readonly works: false; readonly obstacle: Obstacle };

interface SetupRecord {
  readonly outcome: NativeOutcome;
  /** What the outcome depends on. */
  readonly inputs: string;
}

/**
 * What the last set-up found, if nothing that it depends on has changed since; a few file look-ups, no process.
 */
export function knownOutcome(): NativeOutcome | undefined {
  const choice = choiceObstacle();
  if (choice) return { works: false, obstacle: choice };
  const record = readJson(paths.setupStamp) as Partial<SetupRecord> | undefined;
  const outcome = record?.outcome;
  if (!outcome) return undefined;
  const obstacle = obstacleNow();
  if (outcome.works) {
    const wheel = platformObstacle();
    const usable = "sha256" in wheel && record.inputs === inputsOf(wheel);
    return usable && hasLibrary(libraryDirectory(wheel)) && isLinked(libraryDirectory(wheel)) ? outcome : undefined;
  }
  if (obstacle) return outcome.obstacle.kind === obstacle.kind ? { works: false, obstacle } : undefined;
  const lasting =
    outcome.obstacle.kind === "download" || outcome.obstacle.kind === "build" || outcome.obstacle.kind === "check";
  const wheel = platformObstacle();
  return lasting && "sha256" in wheel && record.inputs === inputsOf(wheel) ? outcome : undefined;
}

/** The first thing that stands in the way, as far as can be seen without trying. */
function obstacleNow(): Obstacle | undefined {
  const wheel = platformObstacle();
  if (!("sha256" in wheel)) return wheel;
  const directory = libraryDirectory(wheel);
  const library = hasLibrary(directory);
  if (!(library && hasAddon(directory))) {
    const compiler = compilerObstacle();
    if (compiler) return compiler;
  }
  if (library) return undefined;
  if (!installedPython())
    return { kind: "python", why: "there is no Python environment to download libtensorflow with" };
  return cacheObstacle(wheel);
}

/**
 * Makes the native backend work, or finds out why it cannot: library, addon, and a computation in a process of its own.
 */
export async function installNative(progress: StepProgress): Promise<NativeOutcome> {
  const outcome = await attempt(progress).catch((error: unknown): NativeOutcome => {
    if (error instanceof NativeUnavailable) return { works: false, obstacle: error.obstacle };
    throw error;
  });
  const wheel = platformObstacle();
  const record: SetupRecord = { outcome, inputs: "sha256" in wheel ? inputsOf(wheel) : "" };
  writeWhole(paths.setupStamp, JSON.stringify(record));
  return outcome;
}

async function attempt(progress: StepProgress): Promise<NativeOutcome> {
  const obstacle = obstacleNow();
  if (obstacle) return { works: false, obstacle };
  const wheel = platformObstacle();
  if (!("sha256" in wheel)) return { works: false, obstacle: wheel };
  const directory = libraryDirectory(wheel);
  await installLibrary(wheel, directory, progress);
  await installAddon(directory, progress);
  let result = await smokeTest(progress);
  if ("obstacle" in result) {
    // An addon compiled elsewhere, or a library damaged on the disk, is mended by making it anew: once.
    progress.report("checking the library's checksums");
    if (!(await libraryIsIntact(directory))) rmSync(directory, { recursive: true, force: true });
    else forgetAddon(directory);
    await installLibrary(wheel, directory, progress);
    await installAddon(directory, progress);
    result = await smokeTest(progress);
  }
  if ("obstacle" in result) {
    removeAddon();
    return { works: false, obstacle: result.obstacle };
  }
  return { works: true, version: result.version };
}

async function smokeTest(
  progress: StepProgress,
): Promise<{ readonly version: string } | { readonly obstacle: Obstacle }> {
  progress.report("trying it");
  const { MARGINALIA_BACKEND: _, ...environment } = quietEnvironment();
  const result = await runChild(process.execPath, [join(paths.dist, "cli", "setup", "smoke.js")], {
    environment,
    timeout: 120,
  });
  if (result.code === 0) return { version: result.stdout.trim().split("\n").at(-1) ?? "" };
  return { obstacle: { kind: "check", ...whyCheckFailed(result.signal, result.stderr), details: result.stderr } };
}

function whyCheckFailed(signal: NodeJS.Signals | null, stderr: string): Pick<Obstacle, "why" | "remedy"> {
  if (signal === "SIGILL") return { why: "this processor lacks instructions (AVX) that libtensorflow needs" };
  if (signal) return { why: `libtensorflow ended the process that tried it (${signal})` };
  const sentence = stderr.trim().split("\n")[0] ?? "";
  return { why: `libtensorflow was built but does not work: ${sentence.replace(/\.$/, "")}` };
}

function inputsOf(wheel: Wheel): string {
  try {
    return `${wheel.sha256} ${addonKey(libraryDirectory(wheel))} node ${process.versions.node}`;
  } catch (error) {
    return `tfjs-node is not installed: ${messageOf(error)}`;
  }
}
