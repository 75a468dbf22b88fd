import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { compilers, typeProblems } from "../../../src/cli/test/types.js";

const folder = mkdtempSync(join(tmpdir(), "cells-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Under skipLibCheck tslab's compiler takes such a declaration for `any` without a word; so the check of cells leaves it off.
it("sees a declaration that only a newer TypeScript understands", async () => {
  writeFileSync(join(folder, "new.d.ts"), "export declare const weights: Float64Array<ArrayBuffer>;\n");
  const project = join(folder, "tsconfig.json");
  const compilerOptions = { strict: true, skipLibCheck: false, target: "ES2022", lib: ["ES2023"], types: [] };
  writeFileSync(project, JSON.stringify({ compilerOptions, files: ["new.d.ts"] }));
  const found = new Map<string, number>();
  for (const compiler of Object.keys(compilers) as (keyof typeof compilers)[]) {
    found.set(compiler, (await typeProblems("cells-test", compiler, project)).length);
  }
  expect([...found]).toEqual([
    ["TypeScript 5.9", 0],
    ["tslab's TypeScript 5.0.4", 1],
  ]);
});
