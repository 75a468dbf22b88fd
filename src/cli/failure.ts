/** What a command's exit code means; printed by `marginalia --help`. */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  interrupted: 130,
} as const;

/** One of the documented exit codes. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What a {@link Failure} may carry besides its sentence. */
export interface FailureOptions {
  /** Defaults to {@link ExitCode.failure}. */
  readonly exitCode?: ExitCode;
  /** Lines printed below the sentence: a compiler's or pip's last words. */
  readonly details?: string;
  readonly cause?: unknown;
}

/**
 * An expected failure of a command: one clear sentence that says what was wrong and what to do.
 *
 * The top level prints the sentence without a stack and ends with `exitCode`; every other error counts as a bug.
 */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly exitCode: ExitCode;
  readonly details: string | undefined;

  constructor(sentence: string, options: FailureOptions = {}) {
    super(sentence, { cause: options.cause });
    this.exitCode = options.exitCode ?? ExitCode.failure;
    this.details = options.details;
  }
}

/** A command was called wrongly (exit code 2): an unknown notebook, a bad option. */
export class UsageFailure extends Failure {
  override readonly name = "UsageFailure";

  constructor(sentence: string) {
    super(sentence, { exitCode: ExitCode.usage });
  }
}

/** The user interrupted the command (exit code 130). */
export class Interrupted extends Failure {
  override readonly name = "Interrupted";

  constructor(sentence = "Interrupted.") {
    super(sentence, { exitCode: ExitCode.interrupted });
  }
}

/** The sentence of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code of an error (`ENOENT`, `EACCES`, …), where it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
