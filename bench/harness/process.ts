import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A long-lived process that answers one JSON line to each. */
export interface Worker {
  /**
   * The answer to a request.
   *
   * @throws Error with the process's own sentence if it answers with one, or with its last lines if it has ended.
   */
  ask<Answer = object>(request: object): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts a worker; where that fails, its first `ask` says why. */
export function startWorker(
  name: string,
  [program, args]: readonly [string, readonly string[]],
  environment: NodeJS.ProcessEnv = process.env,
): Worker {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: environment });
  const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  const last: string[] = [];
  let ended: string | undefined;
  const end = (why: string): void => {
    ended ??= why;
    for (const { reject } of waiting.splice(0)) reject(new Error(ended));
  };
  createInterface({ input: child.stderr }).on("line", (line) => {
    last.push(line);
    if (last.length > 12) last.shift();
  });
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.resolve(line));
  child.stdin.on("error", () => undefined); // it has ended, which `close` reports
  child.once("error", (error) => end(`${name} cannot be started: ${error.message}.`));
  child.once("close", (code, signal) => {
    end([`${name} ended with ${signal ?? `exit code ${code}`}.`, ...last].join("\n"));
  });
  return {
    async ask<Answer>(request: object): Promise<Answer> {
      if (ended) throw new Error(ended);
      const line = await new Promise<string>((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(request)}\n`);
      });
      const answer = JSON.parse(line) as Answer & { readonly error?: string };
      if (answer.error) throw new Error(answer.error);
      return answer;
    },
    async stop() {
      if (ended) return;
      const gone = new Promise((resolve) => child.once("close", resolve));
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await gone;
      clearTimeout(timer);
    },
  };
}
