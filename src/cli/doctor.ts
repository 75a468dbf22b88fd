import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, freemem, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { findDatasets } from "../data/locate.js";
import { runChild } from "./children.js";
import { jupyterEnvironment, quietEnvironment } from "./environment.js";
import { ExitCode, messageOf } from "./failure.js";
import { cacheDirectory, outputDirectory, paths, projectDirectory, venvPython } from "./paths.js";
import { freeBytes } from "./setup/files.js";
import { knownOutcome } from "./setup/native.js";
import type { Obstacle } from "./setup/obstacle.js";
import { findProgram } from "./setup/python.js";
import { installedPython } from "./setup/venv.js";
import { formatBytes, paint } from "./terminal.js";

/** One thing that the doctor looked at. */
export interface Finding {
  readonly topic: string;
  readonly what: string;
  readonly state: "ok" | "could be better" | "broken";
  readonly value: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** `marginalia doctor`. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("say what is installed and in use, and what would make it better")
    .option("--json", "print the findings as JSON")
    .addHelpText(
      "after",
      `
It changes nothing. Exit code 0: everything needed is there (perhaps slower than it could be);
1: something is missing or broken, and the lines marked ✗ say what to do.

Examples:
  $ marginalia doctor
  $ marginalia doctor --json`,
    )
    .action(async ({ json }: { readonly json?: boolean }) => {
      const findings = await examine();
      process.stdout.write(json ? `${JSON.stringify(findings, undefined, 2)}\n` : formatFindings(findings));
      if (findings.some((finding) => finding.state === "broken")) process.exitCode = ExitCode.failure;
    });
}

/** Everything the doctor finds. */
export async function examine(): Promise<Finding[]> {
  const [backend, python] = await Promise.all([backendFinding(), pythonFindings()]);
  return [...machine(), ...packages(), backend, ...python, ...dataSets(), browser(), ...disk()];
}

/** The findings as lines, grouped by topic. */
export function formatFindings(findings: readonly Finding[]): string {
  const marks = { ok: paint("green", "✓"), "could be better": paint("yellow", "!"), broken: paint("red", "✗") };
  const widest = Math.max(...findings.map((finding) => finding.what.length));
  const lines: string[] = [];
  let topic = "";
  for (const finding of findings) {
    if (finding.topic !== topic) lines.push(...(topic ? [""] : []), paint("bold", finding.topic));
    topic = finding.topic;
    lines.push(`  ${marks[finding.state]} ${finding.what.padEnd(widest)}  ${finding.value}`);
    if (finding.advice) lines.push(`    ${"".padEnd(widest)}  ${paint("dim", `→ ${finding.advice}`)}`);
  }
  const broken = findings.filter((finding) => finding.state === "broken").length;
  const summary = broken === 0 ? "Usable." : `${broken} thing${broken > 1 ? "s" : ""} to mend, marked ✗.`;
  return `${lines.join("\n")}\n\n${summary}\n`;
}

function machine(): Finding[] {
  const topic = "Machine";
  const model = cpus()[0]?.model.trim();
  return [
    { topic, what: "platform", state: "ok", value: `${process.platform} ${release()}, ${arch()}` },
    { topic, what: "processor", state: "ok", value: `${availableParallelism()} cores${model ? `, ${model}` : ""}` },
    { topic, what: "memory", state: "ok", value: `${formatBytes(totalmem())}, ${formatBytes(freemem())} free` },
  ];
}

const packagesThatMatter = [
  "@tensorflow/tfjs",
  "@tensorflow/tfjs-node",
  "@tensorflow/tfjs-backend-wasm",
  "tslab",
  "typescript",
  "zeromq",
  "vega",
  "vega-lite",
  "vega-embed",
  "@resvg/resvg-js",
  "danfojs-node",
  "seedrandom",
];

function packages(): Finding[] {
  const topic = "Node";
  const require = createRequire(import.meta.url);
  const found = packagesThatMatter.map((what): Finding => {
    try {
      const { version } = require(join(paths.nodeModules, what, "package.json")) as { version: string };
      return { topic, what, state: "ok", value: version };
    } catch {
      return { topic, what, state: "broken", value: "not installed", advice: `run "npm ci" in ${projectDirectory}` };
    }
  });
  return [{ topic, what: "node", state: "ok", value: `${process.versions.node} (${process.execPath})` }, ...found];
}

/** Loads the backend as a notebook would, in a process of its own, so that a crash of it is a finding too. */
async function backendFinding(): Promise<Finding> {
  const where = { topic: "Tensors", what: "backend" };
  const script = join(paths.dist, "cli", "reportBackend.js");
  const { code, signal, stdout, stderr } = await runChild(process.execPath, [script], {
    environment: quietEnvironment(),
    timeout: 120,
  });
  if (code !== 0) {
    const value = stderr.trim().split("\n")[0] || `loading it ended with ${signal ?? `exit code ${code}`}`;
    return { ...where, state: "broken", value, advice: 'run "npm run setup"' };
  }
  const { backend, version, why } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, string>;
  if (backend === "tensorflow") return { ...where, state: "ok", value: `tensorflow ${version} (native): ${why}` };
  const outcome = knownOutcome();
  return {
    ...where,
    state: "could be better",
    value: `${backend} ${version}: ${outcome && !outcome.works ? `${outcome.obstacle.why}.` : why}`,
    advice: adviceFor(outcome && !outcome.works ? outcome.obstacle : undefined),
  };
}

function adviceFor(obstacle: Obstacle | undefined): string | undefined {
  if (!obstacle) return 'run "npm run setup" to get the native backend, which is several times faster';
  if (!obstacle.remedy) return undefined;
  return obstacle.kind === "choice"
    ? `${obstacle.remedy} for the fastest one`
    : `${obstacle.remedy}; then run "npm run setup"`;
}

async function pythonFindings(): Promise<Finding[]> {
  const topic = "Notebooks";
  const advice = 'run "npm run setup"';
  const version = installedPython();
  if (!version) return [{ topic, what: "Python environment", state: "broken", value: "not set up", advice }];
  const script = [
    "import importlib.metadata as m",
    "for name in ('jupyterlab', 'nbclient', 'nbconvert', 'vl-convert-python'): print(name, m.version(name))",
  ].join("\n");
  const answer = await runChild(venvPython, ["-c", script], { environment: jupyterEnvironment(), timeout: 60 }).catch(
    (error: unknown) => ({ code: 1, stdout: "", stderr: messageOf(error) }),
  );
  const python: Finding = { topic, what: "Python", state: "ok", value: `${version} (${paths.venv})` };
  if (answer.code !== 0) {
    const value = `${version}, incomplete: ${answer.stderr.trim().split("\n").at(-1)}`;
    return [{ ...python, state: "broken", value, advice: `remove ${paths.venv} and ${advice}` }, kernel()];
  }
  const tools = answer.stdout
    .trim()
    .split("\n")
    .map((line): Finding => {
      const [what = "", value = ""] = line.split(" ");
      return { topic, what, state: "ok", value };
    });
  return [python, ...tools, kernel()];
}

function kernel(): Finding {
  const where = { topic: "Notebooks", what: "kernel" };
  try {
    readdirSync(join(paths.jupyterData, "kernels", "marginalia"));
    return { ...where, state: "ok", value: "TypeScript (marginalia)" };
  } catch {
    return { ...where, state: "broken", value: "not set up", advice: 'run "npm run setup"' };
  }
}

function dataSets(): Finding[] {
  const topic = "Data";
  const folder = process.env.MARGINALIA_DATA;
  const named: Finding[] = folder ? [namedFolder(folder)] : [];
  const sets = findDatasets().map(({ title, found, paths: files, missing }): Finding => {
    if (found) return { topic, what: title, state: "ok", value: dirname(files[0]!) };
    return {
      topic,
      what: title,
      state: "could be better",
      value: `not on this machine (${missing.join(", ")})`,
      advice:
        "name the folder that holds it in MARGINALIA_DATA; without it a notebook downloads it, or uses generated data, and says so",
    };
  });
  return [...named, ...sets];
}

function namedFolder(folder: string): Finding {
  const where = { topic: "Data", what: "MARGINALIA_DATA" };
  try {
    readdirSync(folder);
    return { ...where, state: "ok", value: folder };
  } catch (error) {
    return {
      ...where,
      state: "broken",
      value: messageOf(error),
      advice: "name a folder that can be read, or unset it",
    };
  }
}

function browser(): Finding {
  const where = { topic: "Tests", what: "Chromium" };
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const program = names.map((name) => findProgram(name)).find((file) => file !== undefined);
  if (program) return { ...where, state: "ok", value: program };
  const advice = 'install it (on Debian and Ubuntu "apt install chromium") to test JupyterLab end to end';
  return { ...where, state: "could be better", value: "not found", advice };
}

function disk(): Finding[] {
  const topic = "Disk";
  const places: readonly (readonly [string, string])[] = [
    ["project", projectDirectory],
    ["figures", outputDirectory()],
    ["cache", cacheDirectory()],
  ];
  return places.map(([what, folder]): Finding => {
    const free = freeBytes(folder);
    const value = `${formatBytes(free)} free (${folder})`;
    return free < 5e8
      ? { topic, what, state: "could be better", value, advice: "make room" }
      : { topic, what, state: "ok", value };
  });
}
