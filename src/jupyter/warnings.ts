/**
 * Prints Node's warnings, except that a feature is experimental: cells load ES modules by `require` and by a script's `import()`, both of
 * which Node 20 calls experimental, and no author of a notebook can do anything about it.
 */
export function quietExperimentalWarnings(): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => {
    if (name !== "ExperimentalWarning") process.stderr.write(`${name}: ${message}\n`);
  });
}
