// Compiles src to dist: `node bin/compile.mjs`. Called by bin/build.mjs in a process of its own, which holds the lock.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A running command or kernel never reads a half-written file, and an unchanged file keeps its time. */
function writeWhole(path, text) {
  if (read(path) === text) return;
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, path);
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

const host = {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: (diagnostic) => fail([diagnostic]),
};

function fail(diagnostics) {
  process.stderr.write(
    ts.formatDiagnostics(diagnostics, {
      getCurrentDirectory: () => root,
      getCanonicalFileName: (name) => name,
      getNewLine: () => "\n",
    }),
  );
  process.exit(1);
}

const config = ts.getParsedCommandLineOfConfigFile(join(root, "tsconfig.build.json"), {}, host);
const program = ts.createIncrementalProgram({
  rootNames: config.fileNames,
  options: config.options,
  configFileParsingDiagnostics: config.errors,
  host: Object.assign(ts.createIncrementalCompilerHost(config.options), { writeFile: writeWhole }),
});
const errors = [
  ...program.getConfigFileParsingDiagnostics(),
  ...program.getOptionsDiagnostics(),
  ...program.getGlobalDiagnostics(),
  ...program.getSyntacticDiagnostics(),
  ...program.getSemanticDiagnostics(),
  ...program.getDeclarationDiagnostics(),
].filter((diagnostic) => diagnostic.category === ts.DiagnosticCategory.Error);
if (errors.length > 0) fail(ts.sortAndDeduplicateDiagnostics(errors));
try {
  program.emit();
} catch (error) {
  process.stderr.write(`dist cannot be written: ${error.message}\n`);
  process.exit(1);
}

// What remains of a source file that has been removed would still be importable.
const kept = new Set(config.fileNames.flatMap((file) => ts.getOutputFileNames(config, file, false)));
for (const entry of readdirSync(config.options.outDir, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && /\.(d\.ts|js|js\.map|partial)$/.test(entry.name) && !kept.has(path))
    rmSync(path, { force: true });
}
