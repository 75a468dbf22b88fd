import { ExitCode, Failure } from "../../src/cli/failure.js";

/** Runs a program's body; an expected failure is printed as its sentence, anything else as the bug it is. Returns the exit code. */
export async function program(body: () => Promise<void>): Promise<number> {
  try {
    await body();
    return ExitCode.ok;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`${error.message}\n`);
    if (error.details) process.stderr.write(`${error.details.replace(/^/gm, "  ")}\n`);
    return error.exitCode;
  }
}
