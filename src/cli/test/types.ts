import type { ChildResult } from "../children.js";
import { Failure } from "../failure.js";
import { type Counts, oneCheck, runLogged, type Stage, script } from "./stage.js";

/** An error that a TypeScript compiler printed with `--pretty false`. */
export interface TypeProblem {
  /** As the compiler names it; empty for an error of no file. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The errors in a compiler's output; lines that go on with an error are joined to it. */
export function parseTypeProblems(output: string): TypeProblem[] {
  const problems: TypeProblem[] = [];
  for (const line of output.split("\n")) {
    const located = /^(.+?)\((\d+),(\d+)\): error (TS\d+: .*)$/.exec(line);
    const bare = /^error (TS\d+: .*)$/.exec(line);
    if (located) {
      const [, file, row, column, message] = located as unknown as [string, string, string, string, string];
      problems.push({ file, line: Number(row), column: Number(column), message });
    } else if (bare) {
      problems.push({ file: "", line: 0, column: 0, message: bare[1]! });
    } else if (/^\s+\S/.test(line) && problems.length > 0) {
      const last = problems.pop()!;
      problems.push({ ...last, message: `${last.message} ${line.trim()}` });
    }
  }
  return problems;
}

/** The problem in one line. */
export function describeProblem({ file, line, column, message }: TypeProblem): string {
  return file ? `${file}:${line}:${column} ${message}` : message;
}

/** The compilers that types are checked with: the project's own, and the one that tslab brings. */
export const compilers = {
  "TypeScript 5.9": ["typescript", "bin", "tsc"],
  "tslab's TypeScript 5.0.4": ["@tslab/typescript-for-tslab", "bin", "tsc"],
} as const;

/**
 * Runs a compiler over a project file and returns the errors it prints.
 *
 * @throws Failure if it ends badly without a readable error.
 */
export async function typeProblems(
  log: string,
  compiler: keyof typeof compilers,
  project: string,
): Promise<TypeProblem[]> {
  const program = script(...compilers[compiler]);
  const result: ChildResult = await runLogged(log, process.execPath, [
    program,
    "-p",
    project,
    "--noEmit",
    "--pretty",
    "false",
  ]);
  const problems = parseTypeProblems(result.stdout);
  if (result.code !== 0 && problems.length === 0) {
    throw new Failure(`${compiler} ended with exit code ${result.code} and no readable error: see ${log}.log.`);
  }
  return problems;
}

/** The strict type-check of sources and tests. */
export const types: Stage = {
  name: "types",
  description: "strict type-check of sources and tests",
  async run(): Promise<Counts> {
    return oneCheck((await typeProblems("types", "TypeScript 5.9", "tsconfig.json")).map(describeProblem));
  },
};
