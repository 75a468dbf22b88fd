/** The ledger: every notebook's claims in one file, and as a page to read. */
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Claim, ClaimsFile, Verdict } from "./claim.js";
import { measuredText, publishedText, verdictSign } from "./claimsTable.js";
import { escapeMarkdown } from "./escape.js";
import type { Measured } from "./expectation.js";
import { writeAtomically, writeJson } from "./files.js";
import { parseProfile } from "./profile.js";

/** Where a ledger is collected. */
export interface LedgerOptions {
  /** The folder of all notebooks' output, `figures/`. */
  readonly output: string;
  /** The folder of the notebooks; claims of those that are no longer in it are left out as stale. Default: all count. */
  readonly notebooks?: string;
}

/** All notebooks' claims. */
export interface Ledger {
  readonly notebooks: readonly ClaimsFile[];
  /** Ids of notebooks that left claims but are gone; their claims are not in the ledger. */
  readonly stale: readonly string[];
}

const verdicts: readonly Verdict[] = ["reproduced", "failed", "negative", "skipped", "unresolved"];

/**
 * Reads one notebook's `claims.json`; a number that is not finite, which JSON cannot hold, comes back as NaN.
 *
 * @throws Error naming the file and what is wrong in it, if it is missing, cut off or not a claims file.
 */
export async function readClaims(path: string): Promise<ClaimsFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new Error(`There is no claims file ${path}: run the notebook first.`, { cause });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is not valid JSON (cut off or edited by hand): run the notebook again.`, { cause });
  }
  try {
    return claimsFile(new Fields(parsed, "the file"));
  } catch (cause) {
    throw new Error(`${path} is not a claims file: ${(cause as Error).message}. Run the notebook again.`, { cause });
  }
}

/** Reads an object field by field, naming what is missing. */
class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #what: string;

  constructor(value: unknown, what: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Error(`${what} is not an object`);
    this.#object = value as Readonly<Record<string, unknown>>;
    this.#what = what;
  }

  #wrong(field: string, kind: string): Error {
    return new Error(`"${field}" of ${this.#what} is not ${kind}`);
  }

  has(field: string): boolean {
    return this.#object[field] !== undefined;
  }

  text(field: string): string {
    const value = this.#object[field];
    if (typeof value !== "string") throw this.#wrong(field, "a text");
    return value;
  }

  number(field: string): number {
    const value = this.#object[field];
    if (value === null) return Number.NaN;
    if (typeof value !== "number") throw this.#wrong(field, "a number");
    return value;
  }

  flag(field: string): boolean {
    const value = this.#object[field];
    if (typeof value !== "boolean") throw this.#wrong(field, "true or false");
    return value;
  }

  list(field: string): readonly unknown[] {
    const value = this.#object[field];
    if (!Array.isArray(value)) throw this.#wrong(field, "a list");
    return value;
  }

  texts(field: string): string[] {
    return this.list(field).map((value) => {
      if (typeof value !== "string") throw this.#wrong(field, "a list of texts");
      return value;
    });
  }

  object(field: string): Fields {
    return new Fields(this.#object[field], `"${field}" of ${this.#what}`);
  }

  optional<T>(field: string, read: (field: string) => T): { readonly [name: string]: T } {
    return this.has(field) ? { [field]: read(field) } : {};
  }
}

function measured(fields: Fields): Measured {
  const number = (field: string): number => fields.number(field);
  return { value: number("value"), ...fields.optional("standardError", number), ...fields.optional("n", number) };
}

function claim(value: unknown, index: number): Claim {
  const fields = new Fields(value, `claim ${index}`);
  const text = (field: string): string => fields.text(field);
  const verdict = verdicts.find((known) => known === text("verdict"));
  if (verdict === undefined) throw new Error(`claim ${index} has the unknown verdict "${text("verdict")}"`);
  const published = fields.has("published") ? fields.object("published") : undefined;
  return {
    id: text("id"),
    paper: text("paper"),
    where: text("where"),
    statement: text("statement"),
    ...(published && {
      published: {
        value: published.number("value"),
        ...published.optional("standardError", (field) => published.number(field)),
        source: published.text("source"),
      },
    }),
    ...fields.optional("measured", (field) => measured(fields.object(field))),
    expected: text("expected"),
    minimumProfile: parseProfile(text("minimumProfile")),
    verdict,
    ...fields.optional("explanation", text),
    ...fields.optional("figure", text),
    ...fields.optional("cell", (field) => fields.number(field)),
  };
}

function claimsFile(fields: Fields): ClaimsFile {
  return {
    notebook: fields.text("notebook"),
    paper: fields.text("paper"),
    profile: parseProfile(fields.text("profile")),
    backend: fields.text("backend"),
    startedAt: fields.text("startedAt"),
    seconds: fields.number("seconds"),
    seed: fields.number("seed"),
    finished: fields.flag("finished"),
    claims: fields.list("claims").map(claim),
    figures: fields.texts("figures"),
    tables: fields.texts("tables"),
  };
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function listNames(folder: string): Promise<Set<string>> {
  return new Set(await readdir(folder).catch(() => []));
}

/**
 * Collects the claims of every notebook under `output`, sorted by id.
 *
 * @throws Error if a claims file is damaged.
 */
export async function collectLedger(options: LedgerOptions): Promise<Ledger> {
  const notebooks: ClaimsFile[] = [];
  const stale: string[] = [];
  for (const paper of await subfolders(options.output)) {
    for (const name of await subfolders(join(options.output, paper))) {
      const folder = join(options.output, paper, name);
      if (!(await listNames(folder)).has("claims.json")) continue;
      const present =
        options.notebooks === undefined || (await listNames(join(options.notebooks, paper))).has(`${name}.ipynb`);
      if (present) notebooks.push(await readClaims(join(folder, "claims.json")));
      else stale.push(`${paper}/${name}`);
    }
  }
  return { notebooks, stale };
}

/** The command that runs one notebook again at the profile of a claim. */
export function rerunCommand(notebook: string, profile: string): string {
  return `npm run reproduce -- ${notebook} --profile ${profile}`;
}

/** The ledger as a Markdown page whose links are relative to `output`. */
export function ledgerMarkdown({ notebooks, stale }: Ledger, options: LedgerOptions): string {
  const all = notebooks.flatMap(({ claims }) => claims);
  const counts = verdicts
    .map((verdict) => [all.filter((one) => one.verdict === verdict).length, verdict] as const)
    .filter(([count]) => count > 0)
    .map(([count, verdict]) => `${count} ${verdict}`);
  const link = (path: string): string => relative(options.output, path).split(sep).join("/");
  const sections = notebooks.map((file) => {
    const source =
      options.notebooks === undefined
        ? file.notebook
        : `[${file.notebook}](${link(join(options.notebooks, `${file.notebook}.ipynb`))})`;
    const state = file.finished ? `${file.seconds} s` : "**not finished**: the notebook stopped before its end";
    const facts = `Profile ${file.profile}, seed ${file.seed}, backend ${file.backend}, ${file.startedAt.slice(0, 10)}, ${state}. Again: \`${rerunCommand(file.notebook, file.profile)}\``;
    return [`## ${source}`, "", facts, "", ...claimRows(file, options, link), ""].join("\n");
  });
  return [
    "# Claims",
    "",
    "Written by `npm run reproduce`; do not edit. Verdicts: ✓ reproduced, ✗ failed, − negative (known and explained), ○ skipped (no data), ? unresolved (the run was too small to tell).",
    "",
    all.length === 0
      ? "No claims yet."
      : `${all.length} ${all.length === 1 ? "claim" : "claims"}: ${counts.join(", ")}.`,
    "",
    ...(stale.length > 0 ? [`Left out, since their notebooks are gone: ${stale.join(", ")}.`, ""] : []),
    ...sections,
  ].join("\n");
}

function claimRows(file: ClaimsFile, options: LedgerOptions, link: (path: string) => string): string[] {
  if (file.claims.length === 0) return ["No claims."];
  const rows = file.claims.map((one) => {
    const where = escapeMarkdown(one.where);
    const notebook = options.notebooks && link(join(options.notebooks, `${file.notebook}.ipynb`));
    const cell = one.cell === undefined ? "" : `cell ${one.cell}`;
    const place = notebook ? `[${cell || "notebook"}](${notebook})` : cell;
    const figure = one.figure === undefined ? "" : figureLink(file, one.figure);
    const again = `\`${rerunCommand(file.notebook, strongest(file.profile, one.minimumProfile))}\``;
    return [
      `${verdictSign[one.verdict]} ${one.verdict}`,
      where,
      escapeMarkdown(one.statement) + (one.explanation === undefined ? "" : `<br>*${escapeMarkdown(one.explanation)}*`),
      escapeMarkdown(publishedText(one)),
      escapeMarkdown(measuredText(one)),
      escapeMarkdown(one.expected),
      [place, figure].filter(Boolean).join(", "),
      again,
    ];
  });
  const head = ["Verdict", "Where", "Claim", "Published", "Measured ± s.e.", "Expected", "See", "Run again"];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

function figureLink(file: ClaimsFile, name: string): string {
  return `[${name}](${file.notebook}/${name}.${file.tables.includes(name) ? "md" : "svg"})`;
}

function strongest(run: string, minimum: string): string {
  const order = ["quick", "standard", "full"];
  return order[Math.max(order.indexOf(run), order.indexOf(minimum))]!;
}

/**
 * Collects the ledger and writes `claims.json` and `CLAIMS.md` beside the notebooks' folders.
 *
 * @throws Error if a claims file is damaged or `output` cannot be written.
 */
export async function writeLedger(options: LedgerOptions): Promise<Ledger> {
  const ledger = await collectLedger(options);
  await writeJson(join(options.output, "claims.json"), ledger);
  await writeAtomically(join(options.output, "CLAIMS.md"), ledgerMarkdown(ledger, options));
  return ledger;
}
