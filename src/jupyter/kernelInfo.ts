import { createRequire } from "node:module";
import type { JsonObject } from "./json.js";
import { PROTOCOL_VERSION } from "./message.js";

const require = createRequire(import.meta.url);

/** The reply to a `kernel_info_request`. It does not load the compiler, so that a client need not wait for that. */
export function kernelInfo(): JsonObject {
  const fromTslab = createRequire(require.resolve("tslab/dist/main.js"));
  const compilerVersion = versionIn(fromTslab("@tslab/typescript-for-tslab/package.json"));
  return {
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "marginalia",
    implementation_version: versionIn(require("../../package.json")),
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

function versionIn(manifest: unknown): string {
  return (manifest as { version: string }).version;
}
