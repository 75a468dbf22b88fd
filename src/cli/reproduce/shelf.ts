import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Profile } from "../../notebook/profile.js";
import { codeOf, Failure, messageOf, UsageFailure } from "../failure.js";

/** A cell as nbformat 4 holds it; `source` is one string or a list of lines. */
export interface NotebookCell {
  readonly cell_type: "code" | "markdown" | "raw";
  readonly source: string | readonly string[];
}

/** The part of nbformat 4 that the commands read. */
export interface NotebookFile {
  readonly nbformat: number;
  readonly cells: readonly NotebookCell[];
  readonly metadata: {
    /** Minutes that a run takes on two cores, per profile; the first estimate, before this machine has run it. */
    readonly marginalia?: { readonly minutes?: Partial<Record<Profile, number>> };
  };
}

/** A notebook of the shelf. */
export interface Notebook {
  /** `<paper>/<file name without .ipynb>`. */
  readonly id: string;
  readonly paper: string;
  /** Absolute. */
  readonly path: string;
  /** The first heading, else the id. */
  readonly title: string;
  readonly minutes: Partial<Record<Profile, number>>;
}

/** A cell's source as one string. */
export function sourceOf(cell: NotebookCell): string {
  return typeof cell.source === "string" ? cell.source : cell.source.join("");
}

/**
 * Reads a notebook file.
 *
 * @throws Failure if the file is missing, is not JSON or is not nbformat 4.
 */
export function readNotebook(path: string): NotebookFile {
  let file: Partial<NotebookFile> | null;
  try {
    file = JSON.parse(readFileSync(path, "utf8")) as Partial<NotebookFile> | null;
  } catch (error) {
    throw new Failure(`${path} is not a readable notebook: ${messageOf(error)}.`, { cause: error });
  }
  if (file?.nbformat !== 4 || !Array.isArray(file.cells)) {
    throw new Failure(`${path} is not a notebook in nbformat 4: save it again from JupyterLab.`);
  }
  return { nbformat: 4, cells: file.cells, metadata: file.metadata ?? {} };
}

function titleOf(file: NotebookFile): string | undefined {
  for (const cell of file.cells) {
    const heading = cell.cell_type === "markdown" ? /^#\s+(.+)$/m.exec(sourceOf(cell)) : null;
    if (heading) return heading[1]!.trim();
  }
  return undefined;
}

function names(directory: string, folders: boolean): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith(".") && (folders ? entry.isDirectory() : entry.name.endsWith(".ipynb")))
    .map((entry) => entry.name)
    .sort();
}

/**
 * Every notebook `<directory>/<paper>/<name>.ipynb`, in order.
 *
 * @throws Failure if the folder holds none, or one that cannot be read.
 */
export function readShelf(directory: string): Notebook[] {
  const shelf: Notebook[] = [];
  try {
    for (const paper of names(directory, true)) {
      for (const name of names(join(directory, paper), false)) {
        const path = join(directory, paper, name);
        const file = readNotebook(path);
        const id = `${paper}/${name.slice(0, -".ipynb".length)}`;
        shelf.push({ id, paper, path, title: titleOf(file) ?? id, minutes: file.metadata.marginalia?.minutes ?? {} });
      }
    }
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
  }
  if (shelf.length === 0) throw new Failure(`There are no notebooks in ${directory}: expected <paper>/<name>.ipynb.`);
  return shelf;
}

/**
 * The notebooks that the words select, in the shelf's order, each once.
 *
 * A word is a paper (`iwae`), or a notebook by its id or the start of it (`iwae/01`). No word selects the whole shelf.
 *
 * @throws UsageFailure if a word selects nothing; the sentence names what exists.
 */
export function selectNotebooks(shelf: readonly Notebook[], words: readonly string[]): Notebook[] {
  if (words.length === 0) return [...shelf];
  const chosen = new Set<Notebook>();
  for (const word of words) {
    // What a shell completes: notebooks/iwae/01-….ipynb, iwae/.
    const id = word
      .replace(/^(\.\/)?notebooks\//, "")
      .replace(/\.ipynb$/, "")
      .replace(/\/$/, "");
    const matches = shelf.filter((n) => n.paper === id || n.id === id || (id.includes("/") && n.id.startsWith(id)));
    if (matches.length === 0) {
      const papers = [...new Set(shelf.map((n) => n.paper))];
      throw new UsageFailure(
        `There is no paper or notebook "${word}": choose ${papers.length === 1 ? "the paper" : "a paper"} ${papers.join(", ")} or a notebook ${shelf.map((n) => n.id).join(", ")}.`,
      );
    }
    for (const match of matches) chosen.add(match);
  }
  return shelf.filter((n) => chosen.has(n));
}
