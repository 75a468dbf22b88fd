import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./lock.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const stampPath = join(root, "dist", ".stamp.json");

/**
 * Brings `dist` up to date with `src`: `"built"`, `"current"` if there was nothing to do, or `"failed"` after the compiler
 * has written its lines to standard error (`dist` is then left as it was).
 *
 * An installed package has no `src`; its `dist` is taken as it is.
 */
export async function build({ onStart } = {}) {
  if (!existsSync(join(root, "src")) || isCurrent()) return "current";
  return withLock(
    join(root, ".marginalia", "build.lock"),
    async () => {
      if (isCurrent()) return "current";
      onStart?.();
      const before = fingerprint();
      const code = await new Promise((resolve, reject) => {
        const compiler = spawn(process.execPath, [fileURLToPath(new URL("compile.mjs", import.meta.url))], {
          stdio: ["ignore", "inherit", "inherit"],
        });
        compiler.once("error", reject);
        compiler.once("close", (status) => resolve(status ?? 1));
      });
      if (code !== 0) return "failed";
      writeStamp({ times: before.times, content: before.content() });
      return "built";
    },
    { onWait: (pid) => process.stderr.write(`Another build is running (process ${pid}); waiting for it.\n`) },
  );
}

function isCurrent() {
  let stamp;
  try {
    stamp = JSON.parse(readFileSync(stampPath, "utf8"));
  } catch {
    return false;
  }
  const now = fingerprint();
  if (stamp.times === now.times) return true;
  // A fresh checkout has new times and old content.
  if (stamp.content !== now.content()) return false;
  try {
    writeStamp({ ...stamp, times: now.times });
  } catch {
    // A project that may only be read is compared by content each time.
  }
  return true;
}

/** What the output depends on, by times and sizes (cheap) and by content (sure). */
function fingerprint() {
  const files = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  files.push(
    ...["tsconfig.json", "tsconfig.build.json", "node_modules/typescript/package.json", "bin/compile.mjs"].map((name) =>
      join(root, name),
    ),
  );
  const hashOf = (describe) => {
    const hash = createHash("sha256");
    for (const file of files)
      hash
        .update(`${file.slice(root.length)}\0`)
        .update(describe(file))
        .update("\0");
    return hash.digest("hex");
  };
  return {
    times: hashOf((file) => {
      const { mtimeMs, size } = statSync(file);
      return `${mtimeMs} ${size}`;
    }),
    content: () => hashOf((file) => readFileSync(file)),
  };
}

function writeStamp(stamp) {
  mkdirSync(join(root, "dist"), { recursive: true });
  const partial = `${stampPath}.${process.pid}.partial`;
  writeFileSync(partial, JSON.stringify(stamp));
  renameSync(partial, stampPath);
}
