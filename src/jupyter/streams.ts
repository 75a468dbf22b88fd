import type { OutputPublisher, StreamName } from "./publisher.js";

type WriteCallback = (error?: Error | null) => void;

/**
 * Sends what JavaScript writes to `process.stdout` and `process.stderr` (and so what `console` prints) to the notebook.
 *
 * What native code writes to the file descriptors stays where it was: in the log of the Jupyter server.
 */
export function captureStreams(publisher: OutputPublisher): void {
  for (const name of ["stdout", "stderr"] as const) {
    const stream = process[name];
    stream.write = writer(publisher, name);
    // Printed text must not depend on whether the server was started from a terminal.
    Object.defineProperty(stream, "isTTY", { value: false, configurable: true });
  }
}

/** Makes `console.clear()` clear the output of the cell. */
export function captureConsoleClear(publisher: OutputPublisher): void {
  console.clear = () => publisher.publish("clear_output", { wait: false });
}

function writer(publisher: OutputPublisher, name: StreamName): NodeJS.WriteStream["write"] {
  return (chunk: string | Uint8Array, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean => {
    const bytes = typeof chunk === "string" && isBinary(encoding) ? Buffer.from(chunk, encoding) : chunk;
    publisher.write(name, bytes);
    const done = typeof encoding === "function" ? encoding : callback;
    if (done !== undefined) process.nextTick(done);
    return true;
  };
}

function isBinary(encoding: BufferEncoding | WriteCallback | undefined): encoding is BufferEncoding {
  return encoding === "hex" || encoding === "base64" || encoding === "base64url" || encoding === "latin1";
}
