import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { paths, projectDirectory } from "../paths.js";
import { type Notebook, readNotebook, readShelf, sourceOf } from "../reproduce/shelf.js";
import { type Counts, oneCheck, reportDirectory, type Stage, sum } from "./stage.js";
import { compilers, describeProblem, type TypeProblem, typeProblems } from "./types.js";

/** A notebook's code as one module, and the way back to its cells. */
export interface ExtractedNotebook {
  readonly text: string;
  /** The code cell (from 1) and the line in it of a line of `text` (from 1). */
  locate(line: number): { readonly cell: number; readonly line: number };
}

/**
 * A notebook's code cells, one after the other, as one module: what a reader who runs them in order gives to the compiler. A name is thus declared once in a notebook.
 */
export function extractCells(sources: readonly string[]): ExtractedNotebook {
  const starts: number[] = [];
  const lines: string[] = [];
  for (const source of sources) {
    starts.push(lines.length);
    lines.push(...source.split("\n"));
  }
  // A notebook without imports is a module all the same: it may await.
  lines.push("export {};", "");
  return {
    text: lines.join("\n"),
    locate(line) {
      const cell = starts.findLastIndex((start) => start < line);
      return { cell: cell + 1, line: line - (starts[cell] ?? 0) };
    },
  };
}

const shared = {
  strict: true,
  target: "ES2022",
  noEmit: true,
  skipLibCheck: false,
  types: ["node"],
  noImplicitOverride: true,
  noFallthroughCasesInSwitch: true,
};

/** How each compiler reads a cell: the project's as an ES module, tslab's as tslab sets it, but strictly. */
const settings: Readonly<Record<keyof typeof compilers, object>> = {
  "TypeScript 5.9": { ...shared, lib: ["ES2023"], module: "NodeNext", moduleResolution: "NodeNext" },
  "tslab's TypeScript 5.0.4": { ...shared, lib: ["ES2023"], module: "ESNext", moduleResolution: "Node10" },
};

const directory = join(reportDirectory, "cells");

/** Where a compiler's errors count: in cells, and in the library's own declarations, not in those of packages. */
function ours(problem: TypeProblem): boolean {
  if (problem.file === "") return true;
  const path = resolve(projectDirectory, problem.file);
  return [directory, paths.dist].some((folder) => path.startsWith(folder));
}

/** Checks the declarations that users see, and the cells of notebooks, with one compiler. */
export async function checkCells(compiler: keyof typeof compilers, notebooks: readonly Notebook[]): Promise<Counts> {
  const name = compiler === "TypeScript 5.9" ? "project" : "tslab";
  const extracted = new Map<string, { readonly notebook: Notebook; readonly cells: ExtractedNotebook }>();
  const folder = join(directory, name);
  rmSync(folder, { recursive: true, force: true });
  for (const notebook of notebooks) {
    const file = join(folder, `${notebook.id}.ts`);
    const code = readNotebook(notebook.path).cells.filter((cell) => cell.cell_type === "code");
    const cells = extractCells(code.map(sourceOf));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, cells.text);
    extracted.set(file, { notebook, cells });
  }
  const declarations = join(paths.dist, "index.d.ts");
  const project = join(folder, "tsconfig.json");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    project,
    JSON.stringify({ compilerOptions: settings[compiler], files: [declarations, ...extracted.keys()] }),
  );
  const problems = (await typeProblems(`cells-${name}`, compiler, project)).filter(ours);
  const inFile = (file: string): TypeProblem[] =>
    problems.filter((p) => p.file !== "" && resolve(projectDirectory, p.file) === file);
  const perNotebook = [...extracted].map(([file, { notebook, cells }]) => {
    const notes = inFile(file).map(({ line, column, message }) => {
      const place = cells.locate(line);
      return `${notebook.id}, code cell ${place.cell}, ${place.line}:${column} ${message} (${compiler})`;
    });
    return { passed: notes.length === 0 ? 1 : 0, failed: notes.length === 0 ? 0 : 1, skipped: 0, notes };
  });
  const elsewhere = problems.filter((p) => !extracted.has(resolve(projectDirectory, p.file || ".")));
  const library = oneCheck(
    elsewhere.map(
      (problem) =>
        `${describeProblem({ ...problem, file: problem.file && relative(projectDirectory, resolve(projectDirectory, problem.file)) })} (${compiler})`,
    ),
  );
  return sum([library, ...perNotebook]);
}

/** Notebook cells and the library's declarations, strictly, with both compilers. */
export const cells: Stage = {
  name: "cells",
  description: "notebook cells and declarations, with TypeScript 5.9 and with tslab's 5.0.4",
  async run() {
    const notebooks = readShelf(paths.notebooks);
    const all: Counts[] = [];
    for (const compiler of Object.keys(compilers) as (keyof typeof compilers)[])
      all.push(await checkCells(compiler, notebooks));
    return sum(all);
  },
};
