import { oneCheck, runLogged, type Stage, script } from "./stage.js";

/** The lines of typedoc's output that say what is missing or wrong in the documentation. */
export function documentationProblems(output: string): string[] {
  const lines = output.split("\n").filter((line) => /^\[(warning|error)\]/.test(line));
  // The closing count repeats what the lines above it say.
  return lines.filter((line) => !/Found \d+ errors? and \d+ warnings?/.test(line));
}

/** The API pages: every public name documented, every link resolved. */
export const docs: Stage = {
  name: "docs",
  description: "API pages without a warning (typedoc)",
  async run() {
    const { code, stdout, stderr } = await runLogged(
      "docs",
      process.execPath,
      [script("typedoc", "bin", "typedoc"), "--emit", "none"],
      { environment: { ...process.env, NO_COLOR: "1" } },
    );
    const problems = documentationProblems(`${stdout}\n${stderr}`);
    if (code !== 0 && problems.length === 0)
      return oneCheck([`typedoc ended with exit code ${code}: see .marginalia/test/docs.log`]);
    return oneCheck(problems);
  },
};
