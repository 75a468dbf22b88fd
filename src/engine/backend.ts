import { createRequire } from "node:module";
import { dirname } from "node:path";
import type * as wasmModule from "@tensorflow/tfjs-backend-wasm";
import { replaceReadingKernels } from "./nativeKernels.js";
import { patchUtil, withoutDeprecationNotice } from "./nodeCompatibility.js";
import { tf } from "./tf.js";
import { registerMissingKernels } from "./wasmKernels.js";

/** What can run the tensors, fastest first. */
export type BackendName = "tensorflow" | "wasm" | "cpu";

/** Which backend runs, and why. */
export interface BackendReport {
  readonly backend: BackendName;
  /** Version of the library behind the backend (for `tensorflow`, that of libtensorflow). */
  readonly version: string;
  /** One sentence: why this backend and not another. */
  readonly why: string;
  /** What to do for a faster one; absent on the fastest. */
  readonly better?: string;
}

/** Options of {@link ready}. */
export interface ReadyOptions {
  /** The backend to use; `"auto"` takes the fastest that loads. Default: the environment variable `MARGINALIA_BACKEND`, else `"auto"`. */
  readonly backend?: BackendName | "auto";
}

const order: readonly BackendName[] = ["tensorflow", "wasm", "cpu"];
const require = createRequire(import.meta.url);

let report: BackendReport | undefined;
let pending: Promise<BackendReport> | undefined;

/**
 * Loads a backend and makes it the one that runs every tensor operation.
 *
 * Without options it tries `tensorflow` (native), then `wasm`, then `cpu`, and takes the first that loads. Calling it again costs
 * nothing; concurrent calls share one load. A call that names another backend than the running one switches to it (tensors made
 * before the switch stay readable).
 *
 * @returns which backend runs and why, as {@link backendReport}.
 * @throws Error if the name of the backend is unknown, or if a backend asked for by name cannot be loaded.
 */
export async function ready(options: ReadyOptions = {}): Promise<BackendReport> {
  const asked = options.backend ?? environmentChoice();
  if (asked !== "auto" && !order.includes(asked)) {
    throw new Error(
      `Unknown backend "${asked}": use one of auto, ${order.join(", ")} (option "backend" or MARGINALIA_BACKEND).`,
    );
  }
  while (pending) await pending.catch(() => undefined);
  const satisfied = options.backend === undefined || options.backend === "auto" || report?.backend === options.backend;
  if (report && satisfied) return report;
  pending = load(asked, options.backend === undefined ? "MARGINALIA_BACKEND" : "the option");
  try {
    report = await pending;
    return report;
  } finally {
    pending = undefined;
  }
}

/**
 * Which backend runs, its version, why it was chosen and what would make it faster.
 *
 * @throws Error if no backend has been loaded yet.
 */
export function backendReport(): BackendReport {
  if (!report) throw new Error("No backend is loaded yet: await ready() first.");
  return report;
}

function environmentChoice(): BackendName | "auto" {
  return (process.env.MARGINALIA_BACKEND || "auto") as BackendName | "auto";
}

async function load(asked: BackendName | "auto", askedBy: string): Promise<BackendReport> {
  if (asked !== "auto") {
    const failure = await tryBackend(asked);
    if (failure) throw new Error(`The backend "${asked}" that ${askedBy} asks for cannot be loaded: ${failure}`);
    return describe(asked, `${askedBy} asks for it.`);
  }
  const failures: string[] = [];
  for (const name of order) {
    const failure = await tryBackend(name);
    if (!failure) return describe(name, failures.length ? failures.join(" ") : "It is the fastest and it loads.");
    failures.push(`${name} cannot be loaded: ${failure}`);
  }
  throw new Error(`No backend could be loaded. ${failures.join(" ")}`);
}

/** Loads and activates one backend; returns one sentence where that fails. */
async function tryBackend(name: BackendName): Promise<string | undefined> {
  try {
    if (name === "tensorflow") loadNative();
    if (name === "wasm") loadWasm();
    if (name === "cpu") silenceCpuBanner();
    if (!(await tf.setBackend(name))) return "TensorFlow.js refused it.";
    if (name === "tensorflow") replaceReadingKernels();
    if (name === "wasm") registerMissingKernels();
    return undefined;
  } catch (error) {
    return `${(error instanceof Error ? error.message : String(error)).trim().split("\n")[0]}`;
  }
}

function loadNative(): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2"; // read once by libtensorflow when it is loaded
  patchUtil();
  withoutDeprecationNotice(() => require("@tensorflow/tfjs-node"));
}

function loadWasm(): void {
  const name = "@tensorflow/tfjs-backend-wasm";
  const wasm = require(name) as typeof wasmModule;
  wasm.setWasmPaths(`${dirname(require.resolve(name))}/`);
  silenceCpuBanner(); // the fallback kernels run there
}

/** The cpu backend greets its first tensor with an advertisement on stderr; it keeps a flag for that. */
function silenceCpuBanner(): void {
  const cpu = tf.engine().findBackend("cpu") as unknown as { firstUse?: boolean } | null;
  if (cpu) cpu.firstUse = false;
}

function describe(backend: BackendName, why: string): BackendReport {
  const native = tf.backend() as unknown as { binding?: { TF_Version?: string } };
  const version = (backend === "tensorflow" && native.binding?.TF_Version) || tf.version_core;
  if (backend === "tensorflow") return { backend, version, why };
  return { backend, version, why, better: "The native backend is several times faster: run `npm run setup`." };
}
