import { Channels } from "./channels.js";
import { type Connection, ConnectionError, readConnection } from "./connection.js";
import { installDisplay } from "./display.js";
import { reportThrown } from "./errors.js";
import { forbidExit } from "./exit.js";
import { History } from "./history.js";
import { Interpreter } from "./interpreter.js";
import { Kernel } from "./kernel.js";
import { Lazy } from "./lazy.js";
import { OutputPublisher } from "./publisher.js";
import { installInterruptSignal } from "./scope.js";
import { startSentinel } from "./sentinel.js";
import { captureConsoleClear, captureStreams } from "./streams.js";
import { quietExperimentalWarnings } from "./warnings.js";

/** Exit codes: the connection file cannot be used, or was not given. */
const BAD_CONNECTION = 1;
const BAD_USAGE = 2;

/** The compiler loads when the first request has been answered, or when none comes. */
const WARM_UP_AFTER_REQUEST_MS = 5;
const WARM_UP_AT_LATEST_MS = 1000;

/** Enough for a cell's frame to be seen below a library's. */
const STACK_DEPTH = 50;

async function main(path: string | undefined): Promise<void> {
  if (path === undefined) {
    process.stderr.write("usage: main.js <connection file>, as Jupyter starts it\n");
    process.exitCode = BAD_USAGE;
    return;
  }
  const exit = forbidExit();
  const say = process.stderr.write.bind(process.stderr);
  try {
    await start(readConnection(path), exit);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    say(`${error.message}\n`);
    exit(BAD_CONNECTION);
  }
}

async function start(connection: Connection, exit: (code: number) => void): Promise<void> {
  process.setSourceMapsEnabled(true);
  Error.stackTraceLimit = STACK_DEPTH;
  quietExperimentalWarnings();
  const log = serverLog();
  const channels = new Channels(connection, log);
  const publisher = new OutputPublisher(channels);
  const interpreter = new Lazy(() => {
    const made = new Interpreter(process.cwd());
    installDisplay(publisher);
    return made;
  });
  const close = () => void channels.close().then(() => exit(0));
  const kernel = new Kernel({ channels, interpreter, publisher, history: new History(), log, exit: close });

  installInterruptSignal();
  const stray = (kind: string) => (error: unknown) => {
    if (interpreter.peek()?.fail(error)) return;
    const { traceback } = reportThrown([error], (name) => interpreter.peek()?.cell(name));
    publisher.write("stderr", `${kind}, after its cell had ended:\n${traceback.join("\n")}\n`);
    log(`${kind}: ${traceback.join("\n")}`);
  };
  process.on("uncaughtException", stray("Uncaught error"));
  process.on("unhandledRejection", stray("Unhandled rejection"));

  await startSentinel(() => interpreter.peek()?.interrupt());
  captureStreams(publisher);
  captureConsoleClear(publisher);
  // The compiler takes a second to load: a client hears that the kernel is there before, and its first cell finds it loaded.
  const warmUp = setTimeout(() => interpreter.get(), WARM_UP_AT_LATEST_MS);
  await channels.open((message, channel) => {
    kernel.handle(message, channel);
    clearTimeout(warmUp);
    setTimeout(() => interpreter.get(), WARM_UP_AFTER_REQUEST_MS);
  });
}

/** Writes lines to where the process was started, past what cells print. */
function serverLog(): (line: string) => void {
  const write = process.stderr.write.bind(process.stderr);
  return (line) => void write(`[marginalia kernel] ${line}\n`);
}

void main(process.argv[2]);
