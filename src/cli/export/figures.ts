import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Failure, UsageFailure } from "../failure.js";

/** A figure that a notebook has drawn. */
export interface Figure {
  /** `<paper>/<notebook>/<name>`. */
  readonly id: string;
  /** Its path without extension. */
  readonly base: string;
}

const extension = ".vl.json";

/**
 * Every figure below a folder, in order.
 *
 * @throws Failure if there is none.
 */
export function findFigures(directory: string): Figure[] {
  const entries = (folder: string): string[] => {
    try {
      return readdirSync(folder).sort();
    } catch {
      return [];
    }
  };
  const figures: Figure[] = [];
  for (const paper of entries(directory).filter((name) => !name.startsWith("."))) {
    for (const notebook of entries(join(directory, paper))) {
      for (const file of entries(join(directory, paper, notebook)).filter((name) => name.endsWith(extension))) {
        const name = file.slice(0, -extension.length);
        figures.push({ id: `${paper}/${notebook}/${name}`, base: join(directory, paper, notebook, name) });
      }
    }
  }
  if (figures.length === 0)
    throw new Failure(`There are no figures in ${directory}: run "marginalia reproduce" first.`);
  return figures;
}

/** Edit distance (Levenshtein), to find what was meant. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

function nameOf(figure: Figure): string {
  return figure.id.slice(figure.id.lastIndexOf("/") + 1);
}

function near(figures: readonly Figure[], word: string): Figure[] {
  const last = word.slice(word.lastIndexOf("/") + 1);
  const score = (figure: Figure): number => Math.min(distance(figure.id, word), distance(nameOf(figure), last));
  return [...figures].sort((a, b) => score(a) - score(b)).slice(0, 3);
}

/**
 * The figures that the words select, each once: `all`, a paper or notebook (`iwae`, `iwae/01`: every figure of it), or one figure by its
 * id, its name, or the start of either where only one figure begins so.
 *
 * @throws UsageFailure if a word selects nothing, naming what is near, or if the start of a name fits several figures.
 */
export function selectFigures(figures: readonly Figure[], words: readonly string[], directory: string): Figure[] {
  const chosen = new Set<Figure>();
  for (const word of words) {
    for (const figure of selectOne(figures, word, directory)) chosen.add(figure);
  }
  return figures.filter((figure) => chosen.has(figure));
}

function selectOne(figures: readonly Figure[], given: string, directory: string): readonly Figure[] {
  if (given === "all") return figures;
  const word = given.replace(/\/$/, "");
  const exact = figures.filter((figure) => figure.id === word || nameOf(figure) === word);
  if (exact.length === 1) return exact;
  const within = figures.filter(({ id }) => {
    const [paper, notebook] = id.split("/") as [string, string];
    return word === paper || word === `${paper}/${notebook}` || (/^[^/]+\/[^/]+$/.test(word) && id.startsWith(word));
  });
  if (within.length > 0) return within;
  const starts = exact.length > 1 ? exact : figures.filter((f) => f.id.startsWith(word) || nameOf(f).startsWith(word));
  if (starts.length === 1) return starts;
  if (starts.length > 1) {
    throw new UsageFailure(
      `"${given}" fits several figures: ${starts.map(({ id }) => id).join(", ")}. Give the whole name of one.`,
    );
  }
  const list = near(figures, word).map(({ id }) => id);
  throw new UsageFailure(`There is no figure "${given}" in ${directory}. Near it: ${list.join(", ")}.`);
}
