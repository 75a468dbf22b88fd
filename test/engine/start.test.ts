import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BackendReport } from "../../src/engine/backend.js";
import { backends } from "./support.js";

// How a process starts can be seen only from a process of its own, so the engine is transpiled into a folder of this project (where its
// imports resolve) and run there.
const root = fileURLToPath(new URL("../../", import.meta.url));
const source = join(root, "src/engine");
let folder: string;

beforeAll(() => {
  mkdirSync(join(root, ".marginalia"), { recursive: true });
  folder = mkdtempSync(join(root, ".marginalia/engine-start-"));
  for (const file of readdirSync(source).filter((name) => name.endsWith(".ts"))) {
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    const { outputText } = ts.transpileModule(readFileSync(join(source, file), "utf8"), { compilerOptions });
    writeFileSync(join(folder, file.replace(/\.ts$/, ".js")), outputText);
  }
  writeFileSync(
    join(folder, "start.js"),
    `import { ready } from "./backend.js";
     import { tf } from "./tf.js";
     const report = await ready();
     const values = [...tf.softplus(tf.tensor1d([0, 1])).dataSync()];
     process.stdout.write(JSON.stringify({ ...report, values }));`,
  );
  // Refuses packages as a machine would on which they cannot be loaded.
  writeFileSync(
    join(folder, "refuse.cjs"),
    `const Module = require("node:module");
     const load = Module._load;
     Module._load = function (name, ...rest) {
       if (process.env.REFUSE.split(",").includes(name)) throw new Error("The addon was not built.\\nAnd more.");
       return load.call(this, name, ...rest);
     };`,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Started = BackendReport & { values: number[] };

async function start(
  environment: Record<string, string>,
  ...flags: string[]
): Promise<{ started: Started; stderr: string }> {
  const { MARGINALIA_BACKEND: _, TF_CPP_MIN_LOG_LEVEL: __, ...inherited } = process.env;
  const options = { env: { ...inherited, ...environment } };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...flags, join(folder, "start.js")], options);
  return { started: JSON.parse(stdout) as Started, stderr };
}

describe("a fresh process", () => {
  test.each(backends)("starts %s with nothing on stderr and nothing but its own words on stdout", async (backend) => {
    const { started, stderr } = await start({ MARGINALIA_BACKEND: backend });
    expect(stderr).toBe("");
    expect(started.backend).toBe(backend);
    expect(started.why).toBe("MARGINALIA_BACKEND asks for it.");
    expect(started.values[1]).toBeCloseTo(Math.log1p(Math.E), 6);
  });

  test("takes the native backend by itself", async () => {
    const { started } = await start({});
    expect(started).toMatchObject({ backend: "tensorflow", why: "It is the fastest and it loads." });
  });

  test.each([
    ["wasm", "@tensorflow/tfjs-node"],
    ["cpu", "@tensorflow/tfjs-node,@tensorflow/tfjs-backend-wasm"],
  ])("falls back to %s where %s cannot be loaded, and says so in one sentence each", async (backend, refused) => {
    const { started, stderr } = await start({ REFUSE: refused }, "--require", join(folder, "refuse.cjs"));
    expect(stderr).toBe("");
    expect(started.backend).toBe(backend);
    expect(started.why).toContain("tensorflow cannot be loaded: The addon was not built.");
    expect(started.why).not.toContain("\n");
    expect(started.better).toContain("npm run setup");
  });

  test("fails where the backend asked for by name cannot be loaded", async () => {
    const environment = { REFUSE: "@tensorflow/tfjs-node", MARGINALIA_BACKEND: "tensorflow" };
    await expect(start(environment, "--require", join(folder, "refuse.cjs"))).rejects.toThrow(
      'The backend "tensorflow" that MARGINALIA_BACKEND asks for cannot be loaded: The addon was not built.',
    );
  });
});
