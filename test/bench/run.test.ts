import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bench } from "../../bench/harness/paths.js";
import { benchPython, isInstalled } from "../../bench/harness/python.js";

const folder = mkdtempSync(join(tmpdir(), "marginalia-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const environment = { ...process.env, MARGINALIA_BENCH_PYTHON: "/no/such/python" };
  const child = spawnSync(process.execPath, [`${bench}/run.mjs`, "--no-build", ...args], {
    encoding: "utf8",
    env: environment,
  });
  return { code: child.status, stdout: child.stdout, stderr: child.stderr };
}

describe("npm run bench", () => {
  it("times a workload without the other frameworks and writes table and figure", { timeout: 120_000 }, () => {
    const args = [
      "check",
      "steps",
      "--only",
      "mean-field",
      "--without",
      "jax,torch",
      "--rounds",
      "1",
      "--seconds",
      "0.05",
    ];
    const { code, stdout, stderr } = run(...args, "--out", folder);
    expect(stderr + stdout).toContain("5 mean-field");
    expect(code).toBe(0);
    const [head, ...rows] = readFileSync(join(folder, "steps.csv"), "utf8").trim().split("\n");
    expect(head).toBe("workload,framework,variant,median,low,high,min,n,first");
    expect(rows.map((row) => row.split(",").slice(0, 3).join(" "))).toContain("mean-field marginalia eager");
    for (const row of rows)
      expect(
        row
          .split(",")
          .slice(3)
          .every((cell) => Number(cell) > 0),
      ).toBe(true);
    expect(readFileSync(join(folder, "steps.svg"), "utf8")).toContain("5 mean-field");
    expect(statSync(join(folder, "steps.png")).size).toBeGreaterThan(5000);
    expect(JSON.parse(readFileSync(join(folder, "environment.json"), "utf8"))).toMatchObject({
      cores: expect.any(Number),
    });
  });

  it.each([
    [["--only", "svgd"], 2, 'There is no workload "svgd"'],
    [["--only", "sivi", "--rounds", "-1"], 2, "--rounds"],
    [["--only", "sivi"], 1, 'MARGINALIA_BENCH_PYTHON names "/no/such/python", which does not exist.'],
  ])("ends %j with exit code %i and one sentence", (args, code, sentence) => {
    const result = run(...args, "--out", folder);
    expect(result.stderr).toContain(sentence);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
    expect(result.code).toBe(code);
  });

  it("ends with a sentence where its results cannot be written", () => {
    const file = join(folder, "taken");
    writeFileSync(file, "");
    const { code, stderr } = run("--only", "sivi", "--without", "jax,torch", "--out", join(file, "results"));
    expect(stderr).toContain(
      `Results cannot be written to ${join(file, "results")} (ENOTDIR): name another folder with --out.`,
    );
    expect(code).toBe(1);
  });

  it("says of a Python without JAX that it does not run", () => {
    const python = join(folder, "python");
    writeFileSync(python, "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'jax'\" >&2\nexit 1\n");
    chmodSync(python, 0o755);
    const environment = { ...process.env, MARGINALIA_BENCH_PYTHON: python };
    const args = [`${bench}/run.mjs`, "--no-build", "--only", "sivi", "--out", folder];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env: environment });
    expect(stderr).toContain(
      "JAX does not run: JAX ended with exit code 1.\n  ModuleNotFoundError: No module named 'jax'",
    );
    expect(status).toBe(1);
  });
});

describe.skipIf(isInstalled())("npm run bench:setup", () => {
  it("says in a sentence that there is no Python", () => {
    const environment = { ...process.env, PYTHON: "/no/such/python" };
    const { status, stderr } = spawnSync(process.execPath, [`${bench}/setup.mjs`, "--no-build"], {
      encoding: "utf8",
      env: environment,
    });
    expect(stderr.trim()).toBe('PYTHON names "/no/such/python", which is not a Python that runs.');
    expect(status).toBe(1);
  });
});

describe("the interpreter of the other frameworks", () => {
  it("is the one that the environment names, or there is a sentence that says how to get one or do without", () => {
    expect(benchPython({ MARGINALIA_BENCH_PYTHON: process.execPath })).toBe(process.execPath);
    expect(() => benchPython({ MARGINALIA_BENCH_PYTHON: "/no/such" })).toThrow('"/no/such", which does not exist');
  });
});
