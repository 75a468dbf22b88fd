import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { paths } from "../paths.js";
import { writeWhole } from "./files.js";

/** Settings of the server: this machine only, and nothing outside the project is written. */
const serverConfig = {
  ServerApp: { ip: "127.0.0.1", allow_remote_access: false },
  MappingKernelManager: { default_kernel_name: "marginalia" },
  ContentsManager: { hide_globs: ["node_modules", "dist", "__pycache__", "*.pyc", "*~", ".DS_Store"] },
  // The trash is in the user's home.
  FileContentsManager: { delete_to_trash: false },
};

/** Settings of JupyterLab: no request leaves the machine. */
const labConfig = {
  LabApp: {
    news_url: null,
    check_for_updates_class: "jupyterlab.NeverCheckForUpdate",
    extension_manager: "readonly",
  },
};

/** What JupyterLab's own settings start from; a user's changes are kept beside them. */
const labSettings = {
  "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
};

/**
 * Makes the project-local Jupyter folders, JupyterLab's settings and the kernelspec; files that are right already are left alone.
 */
export async function installJupyter(): Promise<void> {
  for (const folder of [paths.jupyterConfig, paths.jupyterData, paths.jupyterRuntime, paths.ipython]) {
    // Jupyter keeps tokens and keys here.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;
  writeWhole(join(paths.jupyterConfig, "jupyter_server_config.json"), json(serverConfig));
  writeWhole(join(paths.jupyterConfig, "jupyter_lab_config.json"), json(labConfig));
  writeWhole(join(paths.jupyterConfig, "labconfig", "default_setting_overrides.json"), json(labSettings));
  // JupyterLab starts a CommonJS yarn from the venv; the nearest package.json must not be the project's, which says "module".
  writeWhole(join(paths.venv, "package.json"), json({ private: true, type: "commonjs" }));
  const kernelspec = pathToFileURL(join(paths.dist, "jupyter", "kernelspec.js")).href;
  const { writeKernelspec } = (await import(kernelspec)) as { writeKernelspec(dataDirectory: string): string };
  writeKernelspec(paths.jupyterData);
}
