import { delimiter } from "node:path";
import { paths, venvBin } from "./paths.js";

/**
 * The environment for a child that is not Jupyter: the caller's, with TensorFlow's C++ log notes silenced.
 *
 * A value that the user set is kept.
 */
export function quietEnvironment(base: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...base, TF_CPP_MIN_LOG_LEVEL: base.TF_CPP_MIN_LOG_LEVEL ?? "2" };
}

/**
 * The environment in which every Python and Jupyter process of the project runs: the venv first on the path, and all
 * Jupyter folders inside the project, so that the user's home is neither read nor written.
 */
export function jupyterEnvironment(base: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...quietEnvironment(base),
    PATH: base.PATH ? `${venvBin}${delimiter}${base.PATH}` : venvBin,
    VIRTUAL_ENV: paths.venv,
    PYTHONNOUSERSITE: "1",
    JUPYTER_CONFIG_DIR: paths.jupyterConfig,
    JUPYTER_DATA_DIR: paths.jupyterData,
    JUPYTER_RUNTIME_DIR: paths.jupyterRuntime,
    JUPYTERLAB_SETTINGS_DIR: `${paths.jupyterConfig}/lab/user-settings`,
    JUPYTERLAB_WORKSPACES_DIR: `${paths.jupyterConfig}/lab/workspaces`,
    JUPYTER_PLATFORM_DIRS: "1",
    // In a venv Jupyter would else prefer the settings in there to the ones above.
    JUPYTER_PREFER_ENV_PATH: "0",
    IPYTHONDIR: paths.ipython,
  };
  // Any of these would bring in packages, kernels or settings from outside the project.
  for (const name of ["PYTHONHOME", "PYTHONPATH", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_DIR"]) {
    delete environment[name];
  }
  return environment;
}
