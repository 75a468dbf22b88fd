import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { relative, resolve, sep } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { runChild } from "./children.js";
import { jupyterEnvironment } from "./environment.js";
import { codeOf, Failure, UsageFailure } from "./failure.js";
import { paths, projectDirectory, venvPython } from "./paths.js";
import { readShelf, selectNotebooks } from "./reproduce/shelf.js";
import { setUp } from "./setup/setup.js";

interface LabOptions {
  readonly port?: number;
  readonly browser: boolean;
}

/** `marginalia lab`. */
export function labCommand(): Command {
  return new Command("lab")
    .description("open JupyterLab with the notebooks and the TypeScript kernel")
    .argument("[notebook]", "the notebook to open, as a path or in short (iwae/01)")
    .option("-p, --port <port>", "port to listen on (default: the first free one from 8888)", parsePort)
    .option("--no-browser", "print the address and open no browser")
    .addHelpText(
      "after",
      `
It listens on this machine only and asks for the token that the printed address contains.
Ctrl-C ends the server and every kernel.

Examples:
  $ marginalia lab
  $ marginalia lab iwae/01
  $ marginalia lab --port 9000 --no-browser      on a server, with ssh -L 9000:localhost:9000`,
    )
    .action(async (notebook: string | undefined, options: LabOptions) => {
      const target = notebook === undefined ? undefined : notebookPath(notebook);
      if (options.port !== undefined) await requireFree(options.port);
      await setUp();
      await runLab(labArguments(options, target));
    });
}

/** JupyterLab's arguments: `target` is a notebook's path relative to the project. */
export function labArguments(options: LabOptions, target: string | undefined): string[] {
  const open = target ? `/lab/tree/${target.split(sep).map(encodeURIComponent).join("/")}` : "/lab/tree/notebooks";
  return [
    "-m",
    "jupyterlab",
    `--ServerApp.root_dir=${projectDirectory}`,
    "--ServerApp.ip=127.0.0.1",
    `--LabApp.default_url=${existsSync(paths.notebooks) || target ? open : "/lab"}`,
    ...(options.port === undefined ? [] : [`--ServerApp.port=${options.port}`, "--ServerApp.port_retries=0"]),
    ...(options.browser ? [] : ["--no-browser"]),
    // Jupyter refuses root as a guard for servers that others reach; this one listens on loopback alone.
    ...(process.getuid?.() === 0 ? ["--allow-root"] : []),
  ];
}

async function runLab(args: readonly string[]): Promise<void> {
  // SIGTERM is what Jupyter takes as a request to end at once, with its kernels; to SIGINT it asks back.
  const { code, signal } = await runChild(venvPython, args, {
    cwd: projectDirectory,
    environment: jupyterEnvironment(),
    inherit: true,
    endSignal: "SIGTERM",
  });
  if (code !== 0) throw new Failure(`JupyterLab ended with ${signal ?? `exit code ${code}`}: see its lines above.`);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535)
    throw new InvalidArgumentError("a port is a whole number from 1 to 65535.");
  return port;
}

/** @throws Failure if something listens on the port already. */
export async function requireFree(port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((done, fail) => {
      server.once("error", fail);
      server.listen(port, "127.0.0.1", done);
    });
  } catch (error) {
    if (codeOf(error) === "EADDRINUSE")
      throw new Failure(`Port ${port} is in use: choose another with --port, or leave the option out.`);
    if (codeOf(error) === "EACCES")
      throw new Failure(`Port ${port} may not be used by this user: choose one above 1023.`);
    throw error;
  } finally {
    await new Promise((done) => server.close(done));
  }
}

/** The path, relative to the project, of a notebook given as a path or in short. */
function notebookPath(name: string): string {
  const file = resolve(name);
  if (name.endsWith(".ipynb") && existsSync(file)) {
    const inside = relative(projectDirectory, file);
    if (!inside.startsWith("..")) return inside;
    throw new UsageFailure(`"${name}" is outside of ${projectDirectory}, and JupyterLab shows the project only.`);
  }
  const [first] = selectNotebooks(readShelf(paths.notebooks), [name]);
  return relative(projectDirectory, first!.path);
}
