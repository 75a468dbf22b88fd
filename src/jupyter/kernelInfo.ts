import type { JsonObject } from "./json.js";
import { PROTOCOL_VERSION } from "./message.js";

/** The version of this package, as the kernel reports it. */
const VERSION = "0.1.0";

/** The reply to a `kernel_info_request`. */
export function kernelInfo(compilerVersion: string): JsonObject {
  return {
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "marginalia",
    implementation_version: VERSION,
    language_info: {
      name: "typescript",
      version: compilerVersion,
      mimetype: "text/typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      nbconvert_exporter: "script",
      codemirror_mode: { name: "javascript", mode: "typescript", typescript: true },
    },
    banner: `TypeScript ${compilerVersion} on Node ${process.version} (marginalia)`,
    help_links: [{ text: "TypeScript handbook", url: "https://www.typescriptlang.org/docs/handbook/intro.html" }],
  };
}
