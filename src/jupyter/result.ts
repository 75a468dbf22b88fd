import { inspect } from "node:util";
import { encodeBytes } from "./display.js";
import { isJsonObject, type JsonObject } from "./json.js";

/** A value may say how it is shown: under this symbol a method returns (a promise of) a record from MIME type to content. */
export const JUPYTER_DISPLAY: symbol = Symbol.for("Jupyter.display");

/** The MIME bundle of a cell's value: always `text/plain`, and what the value offers under {@link JUPYTER_DISPLAY}. */
export async function bundleOf(value: unknown): Promise<JsonObject> {
  const rich: unknown = isObject(value) ? Reflect.get(value, JUPYTER_DISPLAY) : undefined;
  const offered: unknown = typeof rich === "function" ? await rich.call(value) : {};
  return { "text/plain": inspect(value), ...(isJsonObject(offered) ? encodeBytes(offered) : {}) };
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
