import { Command, CommanderError } from "commander";
import { handleSignals, interrupted } from "./children.js";
import { ExitCode, Failure, Interrupted, UsageFailure } from "./failure.js";
import { paint } from "./terminal.js";

/** How each command is loaded: only the one that is called, so that `--help` is quick. */
const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  reproduce: {
    summary: "re-run the notebooks and judge their claims",
    load: async () => (await import("./reproduce/command.js")).reproduceCommand(),
  },
  lab: {
    summary: "open JupyterLab with the notebooks and the TypeScript kernel",
    load: async () => (await import("./lab.js")).labCommand(),
  },
  export: {
    summary: "write a figure as SVG, PDF or PNG",
    load: async () => (await import("./export.js")).exportCommand(),
  },
  test: {
    summary: "run the project's tests",
    load: async () => (await import("./test/command.js")).testCommand(),
  },
  setup: {
    summary: "make or repair the Python environment, the native backend and the notebook kernel",
    load: async () => (await import("./setup/command.js")).setupCommand(),
  },
  doctor: {
    summary: "say what is installed and in use, and what would make it better",
    load: async () => (await import("./doctor.js")).doctorCommand(),
  },
  build: {
    summary: "compile the library to dist/ (the other commands do so by themselves)",
    load: async () => (await import("./build.js")).buildCommand(),
  },
};

/**
 * Runs the command line and returns its exit code.
 *
 * A {@link Failure} is printed as its one sentence; any other error is a bug and is printed with its stack.
 */
export async function main(args: readonly string[]): Promise<number> {
  handleSignals();
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(process.exitCode ?? ExitCode.ok);
  });
  try {
    const program = await programFor(args);
    await program.parseAsync(args, { from: "user" });
    if (interrupted.aborted) throw new Interrupted();
    return typeof process.exitCode === "number" ? process.exitCode : ExitCode.ok;
  } catch (error) {
    return report(interrupted.aborted && !(error instanceof Failure) ? new Interrupted() : error);
  }
}

async function programFor(args: readonly string[]): Promise<Command> {
  const program = new Command("marginalia")
    .description("Variational inference in TypeScript, and notebooks that reproduce the papers it comes from.")
    .usage("<command> [options]")
    .helpCommand("help [command]", "explain a command")
    .addHelpText("after", epilogue);
  const called = args[0] === "help" ? args[1] : args[0];
  if (args[0] === "help" && called !== undefined && !(called in commands)) {
    throw new UsageFailure(`Unknown command '${called}' (see --help)`);
  }
  for (const [name, { summary, load }] of Object.entries(commands)) {
    program.addCommand(name === called ? (await load()).summary(summary) : new Command(name).description(summary));
  }
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .showSuggestionAfterError(true);
  }
  if (args.length === 0) program.action(() => program.outputHelp());
  return program;
}

const epilogue = `
Examples:
  $ npm run reproduce                     the whole shelf
  $ npm run reproduce -- iwae/01          one notebook
  $ npm run lab                           work in JupyterLab
  $ npx marginalia help reproduce         a command's options

Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted.

Environment:
  MARGINALIA_BACKEND   auto (default), tensorflow, wasm or cpu
  MARGINALIA_CACHE     folder for the native backend and downloaded data
  MARGINALIA_DATA      folder that holds mnist/, optdigits/, …
  MARGINALIA_OUTPUT    folder for figures and claims (default figures/)
  MARGINALIA_PROFILE   quick, standard (default) or full`;

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.ok;
    const sentence = error.message
      .replace(/^error: /, "")
      .replace(/\n/g, " ")
      .replace(/[.:]?$/, "")
      .trim();
    if (sentence && !sentence.startsWith("("))
      complain(`${sentence.replace(/^./, (first) => first.toUpperCase())} (see --help)`);
    return ExitCode.usage;
  }
  if (error instanceof Failure) {
    complain(error.message);
    if (error.details) process.stderr.write(`${error.details.replace(/^/gm, "    ")}\n`);
    return error.exitCode;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${stack}\n`);
  complain("This is a bug in marginalia: please report it with the lines above.");
  return ExitCode.failure;
}

function complain(sentence: string): void {
  process.stderr.write(`${paint("red", "marginalia:", process.stderr)} ${sentence}\n`);
}
