import { type AddressInfo, createServer } from "node:net";
import { expect, it } from "vitest";
import { labArguments, requireFree } from "../../src/cli/lab.js";
import { projectDirectory } from "../../src/cli/paths.js";

it("serves the project on this machine alone, and opens what was asked for", () => {
  const args = labArguments({ port: 9000, browser: false }, "notebooks/iwae/01 a.ipynb");
  expect(args).toContain("--ServerApp.ip=127.0.0.1");
  expect(args).toContain(`--ServerApp.root_dir=${projectDirectory}`);
  expect(args).toContain("--LabApp.default_url=/lab/tree/notebooks/iwae/01%20a.ipynb");
  expect(args).toContain("--ServerApp.port=9000");
  expect(args).toContain("--ServerApp.port_retries=0");
  expect(args).toContain("--no-browser");
});

it("lets Jupyter look for a port and a browser where none is named", () => {
  const args = labArguments({ browser: true }, undefined).join(" ");
  expect(args).not.toMatch(/port|browser/);
});

it("says in one sentence that a port is taken", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await expect(requireFree(port)).rejects.toThrow(`Port ${port} is in use: choose another with --port`);
  await new Promise((resolve) => server.close(resolve));
  await expect(requireFree(port)).resolves.toBeUndefined();
});
