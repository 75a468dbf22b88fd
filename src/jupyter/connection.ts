import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { isJsonObject, type JsonObject } from "./json.js";

/** What Jupyter's connection file says: where to listen and the key that signs messages. */
export interface Connection {
  readonly ip: string;
  readonly key: string;
  readonly shellPort: number;
  readonly controlPort: number;
  readonly iopubPort: number;
  readonly stdinPort: number;
  readonly heartbeatPort: number;
}

/** A connection file that cannot be used; the message is one sentence for the person who started the kernel. */
export class ConnectionError extends Error {
  override readonly name: string = "ConnectionError";
}

/** The environment variable that allows a kernel to listen on an address that other machines can reach. */
export const ALLOW_REMOTE = "MARGINALIA_KERNEL_ALLOW_REMOTE";

/**
 * Reads and checks a Jupyter connection file.
 *
 * @throws ConnectionError if the file is missing, is no JSON object, lacks a field, asks for another transport or signature
 * than `tcp` and `hmac-sha256`, or names an address that is not loopback (unless {@link ALLOW_REMOTE} is `1`).
 */
export function readConnection(path: string, environment: NodeJS.ProcessEnv = process.env): Connection {
  const file = parse(path);
  const ip = text(file, "ip", path);
  if (text(file, "transport", path) !== "tcp") {
    throw new ConnectionError(`The connection file ${path} asks for the transport "${file.transport}"; use "tcp".`);
  }
  const scheme = file.signature_scheme ?? "hmac-sha256";
  if (scheme !== "hmac-sha256") {
    throw new ConnectionError(`The connection file ${path} asks for the signature "${scheme}"; use "hmac-sha256".`);
  }
  if (!isLoopback(ip) && environment[ALLOW_REMOTE] !== "1") {
    throw new ConnectionError(
      `The connection file ${path} asks the kernel to listen on ${ip}, where other machines could run code; use 127.0.0.1, or set ${ALLOW_REMOTE}=1 if that is meant.`,
    );
  }
  return {
    ip,
    key: text(file, "key", path),
    shellPort: port(file, "shell_port", path),
    controlPort: port(file, "control_port", path),
    iopubPort: port(file, "iopub_port", path),
    stdinPort: port(file, "stdin_port", path),
    heartbeatPort: port(file, "hb_port", path),
  };
}

/** Whether an address can be reached from this machine only. */
export function isLoopback(ip: string): boolean {
  return ip === "localhost" || ip === "::1" || (isIP(ip) === 4 && ip.startsWith("127."));
}

function parse(path: string): JsonObject {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConnectionError(`The connection file ${path} cannot be read (${code}).`);
  }
  try {
    const file: unknown = JSON.parse(content);
    if (isJsonObject(file)) return file;
  } catch {
    // The sentence below says the same of broken JSON and of JSON that is no object.
  }
  throw new ConnectionError(`The connection file ${path} does not hold a JSON object.`);
}

function text(file: JsonObject, field: string, path: string): string {
  const value = file[field];
  if (typeof value !== "string") throw new ConnectionError(`The connection file ${path} has no string "${field}".`);
  return value;
}

function port(file: JsonObject, field: string, path: string): number {
  const value = file[field];
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 65535) {
    throw new ConnectionError(`The connection file ${path} has no port number "${field}".`);
  }
  return value;
}
