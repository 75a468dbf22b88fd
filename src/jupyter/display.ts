import { createRequire } from "node:module";
import type { JsonObject } from "./json.js";
import type { OutputPublisher } from "./publisher.js";

/** A rich output: the same thing in several MIME types, best first. */
export interface DisplayBundle {
  readonly data: Record<string, unknown>;
  readonly metadata?: Record<string, unknown>;
  readonly transient?: { readonly display_id?: string | undefined };
}

/** Displays a bundle, or replaces the display of the same `display_id`. */
export type Display = (bundle: DisplayBundle, update: boolean) => void;

/** Where libraries find the kernel's {@link Display} on `globalThis`. */
export const DISPLAY: symbol = Symbol.for("marginalia.display");

const require = createRequire(import.meta.url);

/** Offers the display of rich outputs to libraries and to `tslab.display`. */
export function installDisplay(publisher: OutputPublisher): void {
  const display: Display = ({ data, metadata = {}, transient = {} }, update) =>
    publisher.publish(update ? "update_display_data" : "display_data", {
      data: encodeBytes(data),
      metadata,
      transient,
    });
  Object.defineProperty(globalThis, DISPLAY, { value: display, configurable: true });
  const tslab = require("tslab/dist/jupyter.js") as { lastWriteDisplayData: Display | null };
  tslab.lastWriteDisplayData = display;
}

/** The bundle with binary values as base64, as the protocol wants them. */
export function encodeBytes(data: Record<string, unknown>): JsonObject {
  return Object.fromEntries(
    Object.entries(data).map(([type, value]) => [
      type,
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
    ]),
  );
}
