/** Which cell is running, so that running a cell again can be told from using a name twice. */

/** The running cell, as far as the kernel tells. */
export interface Cell {
  /** Execution count. */
  readonly count: number;
  /** The cell's identity in its notebook, which running it again keeps. */
  readonly id?: string;
}

/** The running cell: from the kernel's `marginalia.cell`, else from the name of the cell's stack frame, else `undefined`. */
export function currentCell(): Cell | undefined {
  const told: unknown = Reflect.get(globalThis, Symbol.for("marginalia.cell"));
  if (typeof told === "object" && told !== null && "count" in told && typeof told.count === "number") {
    const id = "id" in told && typeof told.id === "string" ? told.id : undefined;
    return { count: told.count, ...(id !== undefined && { id }) };
  }
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const frame = /\bcell-(\d+)\.ts\b/.exec(new Error().stack ?? "");
  Error.stackTraceLimit = stackTraceLimit;
  return frame ? { count: Number(frame[1]) } : undefined;
}

/** Names given in a notebook, each once; running a cell again may give its names again. */
export class NameRegister {
  readonly #cells = new Map<string, Cell | undefined>();
  readonly #kind: string;

  constructor(kind: string) {
    this.#kind = kind;
  }

  /** The names, in the order in which they were first given. */
  get names(): string[] {
    return [...this.#cells.keys()];
  }

  /**
   * Takes a name.
   *
   * @throws Error if it is not kebab-case, or if another cell, or this run of the same cell, has taken it.
   */
  take(name: string, cell: Cell | undefined = currentCell()): void {
    if (!/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(name)) {
      throw new Error(`"${name}" cannot name a ${this.#kind}: use lower-case letters and digits joined by hyphens.`);
    }
    if (this.#cells.has(name)) {
      const before = this.#cells.get(name);
      const sameRun = before?.count === cell?.count;
      const otherCell = before?.id !== undefined && cell?.id !== undefined && before.id !== cell.id;
      if (sameRun || otherCell) {
        throw new Error(`This notebook has a ${this.#kind} named "${name}" already: give each its own name.`);
      }
    }
    this.#cells.set(name, cell);
  }
}
