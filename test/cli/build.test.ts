import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectDirectory } from "../../src/cli/paths.js";

// A small project with the real bin/: its command line prints the arguments.
let project = "";
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "build-"));
  cpSync(join(projectDirectory, "bin"), join(project, "bin"), { recursive: true });
  for (const name of ["tsconfig.json", "tsconfig.build.json"])
    cpSync(join(projectDirectory, name), join(project, name));
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  mkdirSync(join(project, "src", "cli"), { recursive: true });
  write(
    "src/cli/main.ts",
    'export function main(args: string[]): number {\n  console.log("first", ...args);\n  return 3;\n}\n',
  );
  write("src/extra.ts", "export const extra = 1;\n");
});
afterAll(() => rmSync(project, { recursive: true }));

function write(path: string, text: string): void {
  writeFileSync(join(project, path), text);
}

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(project, "bin", "marginalia.mjs"), ...args]);
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out, err };
}

describe("bin/marginalia.mjs", () => {
  it("asks for npm ci where there are no packages", async () => {
    const { code, err } = await run("x");
    expect(code).toBe(1);
    expect(err).toMatch(/^The packages are not installed: run "npm ci" in .* first\.\n$/);
    symlinkSync(join(projectDirectory, "node_modules"), join(project, "node_modules"));
  });

  it("compiles once, two at a time, and passes arguments and exit code on", async () => {
    const both = await Promise.all([run("a", "--b"), run("c")]);
    expect(both.map(({ code }) => code)).toEqual([3, 3]);
    expect(both[0]!.out).toBe("first a --b\n");
    expect(both[1]!.out).toBe("first c\n");
    expect(both.filter(({ err }) => err.includes("Compiling")).length).toBe(1);
    expect(await run()).toEqual({ code: 3, out: "first\n", err: "" });
  });

  it("does not compile when only the times have changed", async () => {
    const later = new Date(Date.now() + 60_000);
    utimesSync(join(project, "src/extra.ts"), later, later);
    expect((await run()).err).toBe("");
  });

  it("leaves dist as it was when the source does not compile, and prints the compiler's lines", async () => {
    const source = readFileSync(join(project, "src/cli/main.ts"), "utf8");
    const compiled = readFileSync(join(project, "dist/cli/main.js"), "utf8");
    write("src/cli/main.ts", source.replace('"first"', "absentThing"));
    const { code, err } = await run();
    expect(code).toBe(1);
    expect(err).toContain("src/cli/main.ts(2,15): error TS2304: Cannot find name 'absentThing'.");
    expect(readFileSync(join(project, "dist/cli/main.js"), "utf8")).toBe(compiled);
    write("src/cli/main.ts", source.replace('"first"', '"second"'));
    expect((await run()).out).toBe("second\n");
  });

  it("removes what a removed source left behind, and leaves no partial file", async () => {
    expect(existsSync(join(project, "dist/extra.js"))).toBe(true);
    rmSync(join(project, "src/extra.ts"));
    await run();
    const files = readdirSync(join(project, "dist"), { recursive: true }).map(String);
    expect(files.filter((name) => /extra|partial/.test(name))).toEqual([]);
    expect(files).toContain("cli/main.js");
  });
});
