import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { writeKernelspec } from "../../src/jupyter/kernelspec.js";

it("writes a kernelspec that starts the compiled kernel, again and again", () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelspec-"));
  writeKernelspec(folder);
  const path = writeKernelspec(folder);
  expect(path).toBe(join(folder, "kernels", "marginalia", "kernel.json"));
  expect(readdirSync(dirname(path)).map((file) => basename(file))).toEqual(["kernel.json"]);
  const spec = JSON.parse(readFileSync(path, "utf8"));
  expect(spec).toMatchObject({
    language: "typescript",
    interrupt_mode: "signal",
    display_name: "TypeScript (marginalia)",
  });
  expect(spec.argv[0]).toBe(process.execPath);
  expect(spec.argv[1]).toMatch(/dist\/jupyter\/main\.js$/);
  expect(spec.argv[2]).toBe("{connection_file}");
});
