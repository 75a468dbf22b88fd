import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** Where this file stands, compiled and (where frames are mapped) in source. */
const folder = dirname(fileURLToPath(import.meta.url));
const ownFolders = [folder, folder.replace(/dist(?=[\\/]engine$)/, "src")];

/** The first line of the stack that is neither tfjs's nor the engine's. */
export function callSite(trace: string = stack()): string {
  const line = trace
    .split("\n")
    .slice(1)
    .find(
      (frame) => !/node_modules|node:|<anonymous>\)?$/.test(frame) && !ownFolders.some((own) => frame.includes(own)),
    );
  return line ? ` (${line.trim()})` : "";
}

/** The stack, deep enough to get from the addon back to the step. */
export function stack(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 60;
  const trace = new Error().stack ?? "";
  Error.stackTraceLimit = stackTraceLimit;
  return trace;
}
