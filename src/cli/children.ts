import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Interrupted } from "./failure.js";

/** How to run a child. */
export interface ChildOptions {
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Called with each line of standard output; without it output is only collected. */
  readonly onStdout?: (line: string) => void;
  /** Called with each line of standard error. */
  readonly onStderr?: (line: string) => void;
  /** Seconds until the child is ended. */
  readonly timeout?: number;
  /** Signal sent first when the child has to end; SIGTERM by default. */
  readonly endSignal?: NodeJS.Signals;
  /** Hands the terminal to the child (`stdio: "inherit"`): no lines are collected. */
  readonly inherit?: boolean;
}

/** How a child ended. */
export interface ChildResult {
  /** The exit code, or null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 400 lines of each stream. */
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

const live = new Map<ChildProcess, NodeJS.Signals>();
const interruption = new AbortController();

/** Aborted as soon as the user interrupts the command; long work in this process looks at it. */
export const interrupted: AbortSignal = interruption.signal;

/** Throws {@link Interrupted} once the user has interrupted the command. */
export function throwIfInterrupted(): void {
  if (interrupted.aborted) throw new Interrupted();
}

/**
 * Runs a program and waits for its end.
 *
 * The child leads a process group of its own, so that ending it ends its children too (make, g++, kernels).
 *
 * @throws Interrupted once the user has interrupted the command; the child has ended by then.
 * @throws the system's error (ENOENT, EACCES, …) where the program cannot be started.
 */
export async function runChild(
  program: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<ChildResult> {
  throwIfInterrupted();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.environment ?? process.env,
    stdio: options.inherit ? "inherit" : ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  live.set(child, options.endSignal ?? "SIGTERM");
  const stdout = collect(child.stdout, options.onStdout);
  const stderr = collect(child.stderr, options.onStderr);
  let timedOut = false;
  const timer =
    options.timeout === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          void end(child);
        }, options.timeout * 1000);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (exitCode, exitSignal) => {
        // A grandchild in a session of its own may hold the pipes open long after the child's last word.
        const pipes = setTimeout(() => resolve([exitCode, exitSignal]), 2000);
        child.once("close", () => {
          clearTimeout(pipes);
          resolve([exitCode, exitSignal]);
        });
      });
    });
    throwIfInterrupted();
    return { code, signal, stdout: stdout.join("\n"), stderr: stderr.join("\n"), timedOut };
  } finally {
    clearTimeout(timer);
    live.delete(child);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

function collect(stream: NodeJS.ReadableStream | null, onLine: ((line: string) => void) | undefined): string[] {
  const lines: string[] = [];
  if (stream) {
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
      lines.push(line);
      if (lines.length > 400) lines.shift();
      onLine?.(line);
    });
  }
  return lines;
}

/** Ends every running child with its processes: first politely, after ten seconds by force. */
export async function endChildren(): Promise<void> {
  await Promise.all([...live.keys()].map(end));
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  signalGroup(child, live.get(child) ?? "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), 10_000);
  await gone;
  clearTimeout(timer);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // The group ended by itself in the meantime.
  }
}

/**
 * From now on, the first Ctrl-C (or SIGTERM, SIGHUP) ends the children and lets the command unwind with
 * {@link Interrupted}; a second one ends at once.
 */
export function handleSignals(): void {
  const onSignal = (): void => {
    if (interrupted.aborted) {
      for (const child of live.keys()) signalGroup(child, "SIGKILL");
      process.exit(130);
    }
    interruption.abort(new Interrupted());
    void endChildren();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
}
