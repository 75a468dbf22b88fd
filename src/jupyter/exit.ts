/** What `process.exit()` in a cell throws. */
export class ExitError extends Error {
  override readonly name: string = "ExitError";
}

/**
 * Makes `process.exit()` throw, so that a cell cannot end the kernel and lose the notebook's variables.
 *
 * @returns the real exit, for the kernel.
 */
export function forbidExit(): (code: number) => never {
  const exit = process.exit.bind(process);
  process.exit = (code?: string | number | null): never => {
    throw new ExitError(
      `process.exit(${code ?? ""}) would end the kernel and lose its variables; throw an error to stop the cell, or shut the kernel down from Jupyter.`,
    );
  };
  return exit;
}
