import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { jupyterEnvironment } from "../../src/cli/environment.js";
import { cacheDirectory, outputDirectory, paths, projectDirectory, venvBin } from "../../src/cli/paths.js";

it("finds the project from the compiled file and from the source alike", () => {
  expect(existsSync(join(projectDirectory, "package.json"))).toBe(true);
  expect(paths.venv).toBe(join(projectDirectory, ".venv"));
});

it("puts the cache where the user says, else where the system keeps caches", () => {
  expect(cacheDirectory({ MARGINALIA_CACHE: "/c" }, "linux")).toBe("/c");
  expect(cacheDirectory({ XDG_CACHE_HOME: "/x", HOME: "/h" }, "linux")).toBe("/x/marginalia");
  expect(cacheDirectory({ HOME: "/h" }, "linux")).toBe("/h/.cache/marginalia");
  expect(cacheDirectory({ HOME: "/h" }, "darwin")).toBe("/h/Library/Caches/marginalia");
});

it("writes figures to the project unless told otherwise", () => {
  expect(outputDirectory({})).toBe(join(projectDirectory, "figures"));
  expect(outputDirectory({ MARGINALIA_OUTPUT: "/o" })).toBe("/o");
});

it("keeps Jupyter out of the user's home, and the user's Python out of Jupyter", () => {
  const environment = jupyterEnvironment({
    HOME: "/h",
    PATH: "/usr/bin",
    PYTHONPATH: "/mine",
    JUPYTER_PATH: "/kernels",
    TF_CPP_MIN_LOG_LEVEL: "0",
  });
  for (const name of ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]) {
    expect(environment[name]).toContain(join(projectDirectory, ".marginalia"));
  }
  expect(environment.PATH).toBe(`${venvBin}:/usr/bin`);
  expect(environment).not.toHaveProperty("PYTHONPATH");
  expect(environment).not.toHaveProperty("JUPYTER_PATH");
  expect(environment.TF_CPP_MIN_LOG_LEVEL).toBe("0");
  expect(jupyterEnvironment({}).TF_CPP_MIN_LOG_LEVEL).toBe("2");
});
