import { readFileSync, rmSync } from "node:fs";
import { jupyterEnvironment } from "../environment.js";
import { Failure } from "../failure.js";
import { venvPython } from "../paths.js";
import { type Counts, reportPath, runLogged, type Stage } from "./stage.js";

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function attribute(tag: string, name: string): string {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
  return value.replace(
    /&(lt|gt|quot|apos|amp);|&#(\d+);/g,
    (_, entity: string | undefined, code: string | undefined) =>
      entity ? entities[entity]! : String.fromCodePoint(Number(code)),
  );
}

/** Counts a JUnit XML report as pytest writes it; each test case counts once. */
export function countJunit(xml: string): Counts {
  let [passed, failed, skipped] = [0, 0, 0];
  const notes: string[] = [];
  for (const [, tag, body] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const name = `${attribute(tag!, "classname")} ${attribute(tag!, "name")}`.trim();
    const outcome = /<(failure|error|skipped)\b([^>]*)/.exec(body ?? "");
    if (!outcome) passed += 1;
    else if (outcome[1] === "skipped") {
      skipped += 1;
      notes.push(`skipped: ${name}: ${attribute(outcome[2]!, "message")}`);
    } else {
      failed += 1;
      notes.push(`${name}: ${attribute(outcome[2]!, "message")}`);
    }
  }
  return { passed, failed, skipped, notes };
}

/** The kernel, asked by Jupyter's own client and by the whole of `jupyter_kernel_test`. */
export const kernel: Stage = {
  name: "kernel",
  description: "the notebook kernel (jupyter_kernel_test and pytest)",
  async run() {
    const file = reportPath("kernel.xml");
    rmSync(file, { force: true });
    const args = ["-m", "pytest", "test/jupyter", "--color=no", "-q", "-p", "no:cacheprovider", `--junitxml=${file}`];
    const result = await runLogged("kernel", venvPython, args, { environment: jupyterEnvironment(), timeout: 420 });
    let xml: string;
    try {
      xml = readFileSync(file, "utf8");
    } catch (cause) {
      const why = result.timedOut
        ? "was still running after 420 s"
        : `ended with exit code ${result.code} and no report`;
      throw new Failure(`pytest ${why}: see .marginalia/test/kernel.log.`, { details: result.stderr, cause });
    }
    const counts = countJunit(xml);
    if (counts.passed + counts.failed + counts.skipped === 0) throw new Failure("pytest found no test of the kernel.");
    if (result.code === 0 || counts.failed > 0) return counts;
    return {
      ...counts,
      failed: 1,
      notes: [...counts.notes, `pytest ended with exit code ${result.code} though no test failed`],
    };
  },
};
