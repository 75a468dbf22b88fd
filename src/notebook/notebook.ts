/** What a notebook is made with: its profile and budget, figures, tables, progress and claims. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ready } from "../engine/backend.js";
import { currentCell, NameRegister } from "./cell.js";
import { type Claim, type ClaimInput, type ClaimsFile, judgeClaim } from "./claim.js";
import { claimsHtml, claimsText } from "./claimsTable.js";
import { display } from "./display.js";
import { type FigureOptions, makeFigure } from "./figure.js";
import { writeJson } from "./files.js";
import { type Profile, parseProfile } from "./profile.js";
import { type LiveTrace, type Progress, progress, startLiveTrace, type TraceOptions } from "./progress.js";
import { type DataFrameLike, makeTable, type TableOptions, type TableRow } from "./table.js";

/** Options of {@link notebook}. */
export interface NotebookOptions {
  /** Seed of the notebook's random keys (default 1), named in captions and claims. */
  readonly seed?: number;
  /** The paper's key (default: the folder part of the id). */
  readonly paper?: string;
  /** Default: the environment variable `MARGINALIA_PROFILE`, else `standard`. */
  readonly profile?: Profile;
  /** Folder of all notebooks' output (default: `MARGINALIA_OUTPUT`, else `figures/` of the project). */
  readonly output?: string;
}

/** Takes the type of what it wraps from elsewhere. */
type Same<T> = [T][T extends unknown ? 0 : never];

/** A running notebook; make one with {@link notebook}. */
export class Notebook {
  /** `<paper>/<name>`. */
  readonly id: string;
  readonly paper: string;
  readonly profile: Profile;
  readonly seed: number;
  /** Name of the backend that runs the tensors. */
  readonly backend: string;
  /** Folder that this notebook's figures, tables and claims go to. */
  readonly output: string;

  readonly #startedAt = new Date();
  readonly #claims = new Map<string, Claim>();
  readonly #claimNames = new NameRegister("claim");
  readonly #figureNames = new NameRegister("figure");
  readonly #tableNames = new NameRegister("table");
  readonly #traces: LiveTrace[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** @internal */
  constructor(fields: Pick<Notebook, "id" | "paper" | "profile" | "seed" | "backend" | "output">) {
    this.id = fields.id;
    this.paper = fields.paper;
    this.profile = fields.profile;
    this.seed = fields.seed;
    this.backend = fields.backend;
    this.output = fields.output;
  }

  /** The row of this run's profile; the three rows have one type. */
  budget<Row>(rows: { readonly quick: Row; readonly standard: Same<Row>; readonly full: Same<Row> }): Row {
    return rows[this.profile] as Row;
  }

  /**
   * Draws a figure in the project's style, shows it, and writes `<name>.vl.json`, `.svg`, `.png` (300 dpi) and `.csv`.
   *
   * @throws Error if the name is taken, the caption is empty, an axis has no title, or a field is not in the data.
   */
  async figure(name: string, options: FigureOptions): Promise<void> {
    this.#figureNames.take(name);
    await makeFigure(this, name, options);
    await this.#save(false);
  }

  /**
   * Shows a table and writes `<name>.csv`, `<name>.md` and `<name>.tex` (booktabs).
   *
   * @throws Error if the name is taken, the caption is empty, or a column is not in the rows.
   */
  async table(name: string, rows: readonly TableRow[] | DataFrameLike, options: TableOptions): Promise<void> {
    this.#tableNames.take(name);
    await makeTable(this, name, rows, options);
    await this.#save(false);
  }

  /** A progress line, called with `{ step, steps }`: updated in place in a notebook, a bar in a terminal, silent in CI. */
  progress(label: string): Progress {
    return progress(label);
  }

  /** A live curve of a training's value, called with `{ step, steps, value, seconds }` (it serves as a `fit` callback); redrawn about twice a second. */
  liveTrace(title: string, options: TraceOptions = {}): LiveTrace {
    const trace = startLiveTrace(title, options);
    this.#traces.push(trace);
    return trace;
  }

  /**
   * States a claim and shows its verdict, which is computed from what was measured, what is expected and the profile.
   *
   * @throws Error if the id is taken or the claim contradicts itself; a failed claim does not throw before {@link finish}.
   */
  claim(input: ClaimInput): void {
    const cell = currentCell();
    const claim = judgeClaim(input, {
      paper: this.paper,
      profile: this.profile,
      ...(cell !== undefined && { cell: cell.count }),
    });
    this.#claimNames.take(input.id, cell);
    this.#claims.set(input.id, claim);
    display({ data: { "text/plain": claimsText([claim]) } });
  }

  /**
   * Shows the table of claims and writes `claims.json`.
   *
   * @throws Error if a claim failed, naming each, or if a claim names a figure that the notebook has not.
   */
  async finish(): Promise<void> {
    await Promise.all(this.#traces.map((trace) => trace.done()));
    await this.#save(true);
    const claims = [...this.#claims.values()];
    display({ data: { "text/html": claimsHtml(claims), "text/plain": claimsText(claims) } });
    const shown = new Set([...this.#figureNames.names, ...this.#tableNames.names]);
    for (const { id, figure } of claims) {
      if (figure !== undefined && !shown.has(figure)) {
        throw new Error(`The claim "${id}" names the figure "${figure}", which ${this.id} does not draw.`);
      }
    }
    const failed = claims.filter(({ verdict }) => verdict === "failed");
    if (failed.length > 0) {
      const list = failed.map(({ id, explanation }) => `${id} (${explanation ?? ""})`).join("; ");
      throw new Error(`${failed.length === 1 ? "A claim" : `${failed.length} claims`} of ${this.id} failed: ${list}`);
    }
  }

  /** Starts the notebook's claims file; called once by {@link notebook}. @internal */
  async start(): Promise<void> {
    await this.#save(false);
  }

  #save(finished: boolean): Promise<void> {
    const content: ClaimsFile = {
      notebook: this.id,
      paper: this.paper,
      profile: this.profile,
      backend: this.backend,
      startedAt: this.#startedAt.toISOString(),
      seconds: Math.round((Date.now() - this.#startedAt.getTime()) / 100) / 10,
      seed: this.seed,
      finished,
      claims: [...this.#claims.values()],
      figures: this.#figureNames.names,
      tables: this.#tableNames.names,
    };
    // One after the other, so that an earlier state never replaces a later one.
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(() => writeJson(join(this.output, "claims.json"), content));
    return this.#writing;
  }
}

/** `figures/` beside the nearest package.json above the working folder (Jupyter runs a notebook in its own folder). */
function defaultOutput(): string {
  if (process.env.MARGINALIA_OUTPUT) return resolve(process.env.MARGINALIA_OUTPUT);
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return join(folder, "figures");
    if (folder === dirname(folder)) return resolve("figures");
  }
}

/**
 * Starts a notebook: loads the backend, reads the profile, starts an empty claims file, and prints one line that says which.
 *
 * @param id `<paper>/<name>`, as in `notebooks/<paper>/<name>.ipynb`, e.g. `"iwae/01-implicit-distribution"`.
 * @throws Error if the id or the profile is not valid, or if the output folder cannot be written.
 */
export async function notebook(id: string, options: NotebookOptions = {}): Promise<Notebook> {
  if (!/^[a-z0-9-]+\/[a-z0-9-]+$/.test(id)) {
    throw new Error(`"${id}" is not a notebook's id: write <paper>/<name>, such as "iwae/01-implicit-distribution".`);
  }
  const profile = parseProfile(options.profile ?? (process.env.MARGINALIA_PROFILE || "standard"));
  const seed = options.seed ?? 1;
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error(`The seed ${seed} of ${id} is not a whole number, 0 or more.`);
  const { backend, version, better } = await ready();
  const output = join(options.output === undefined ? defaultOutput() : resolve(options.output), id);
  const made = new Notebook({ id, paper: options.paper ?? id.split("/")[0]!, profile, seed, backend, output });
  await made.start();
  const line = `${id}: profile ${profile}, seed ${seed}, backend ${backend} ${version}${better === undefined ? "" : `. ${better}`}`;
  display({ data: { "text/plain": line } });
  return made;
}
