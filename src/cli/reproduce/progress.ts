import { bar, formatDuration, type LiveLines, paint } from "../terminal.js";
import type { RunEvent } from "./notebookRun.js";
import type { Notebook } from "./shelf.js";

interface Running {
  readonly started: number;
  readonly estimate: number | undefined;
  cell: number;
  cells: number;
  text: string;
}

/** The live lines of a run: one for each running notebook, one for the shelf. */
export class ShelfProgress {
  readonly #live: LiveLines;
  readonly #estimates: ReadonlyMap<string, number | undefined>;
  readonly #total: number;
  readonly #jobs: number;
  readonly #running = new Map<string, Running>();
  readonly #timer: NodeJS.Timeout;
  #finished = 0;
  readonly #waiting: Set<string>;

  constructor(
    live: LiveLines,
    notebooks: readonly Notebook[],
    estimates: ReadonlyMap<string, number | undefined>,
    jobs: number,
  ) {
    this.#live = live;
    this.#estimates = estimates;
    this.#total = notebooks.length;
    this.#jobs = jobs;
    this.#waiting = new Set(notebooks.map(({ id }) => id));
    this.#timer = setInterval(() => this.#draw(), 250).unref();
  }

  /** A notebook begins. */
  start(id: string): void {
    this.#waiting.delete(id);
    const running = {
      started: performance.now(),
      estimate: this.#estimates.get(id),
      cell: 0,
      cells: 0,
      text: "starting",
    };
    this.#running.set(id, running);
    this.#draw();
  }

  /** Something happened in a running notebook. */
  event(id: string, event: RunEvent): void {
    const running = this.#running.get(id);
    if (!running) return;
    if (event.event === "start") running.cells = event.cells;
    if (event.event === "ready") running.text = "";
    if (event.event === "cell") [running.cell, running.text] = [event.index, ""];
    if (event.event === "progress") running.text = event.text;
    this.#draw();
  }

  /** A notebook ended, with the line that says how; that line stays, and is the only one where nothing can be redrawn. */
  finish(id: string, line: string): void {
    this.#waiting.delete(id);
    this.#running.delete(id);
    this.#finished += 1;
    this.#live.log(line);
    this.#draw();
  }

  /** Removes the live lines. */
  stop(): void {
    clearInterval(this.#timer);
    this.#live.clear();
  }

  #draw(): void {
    const now = performance.now();
    let left: number | undefined = 0;
    let fractions = 0;
    const lines = [...this.#running].map(([id, running]) => {
      const elapsed = (now - running.started) / 1000;
      const byCells = running.cells === 0 ? 0 : running.cell / running.cells;
      const fraction = running.estimate ? Math.min(0.99, elapsed / running.estimate) : byCells;
      fractions += fraction;
      const notebookLeft = running.estimate && elapsed < running.estimate ? running.estimate - elapsed : undefined;
      if (running.estimate === undefined) left = undefined;
      else if (left !== undefined) left += notebookLeft ?? 0;
      const parts = [
        `${id}  ${bar(fraction, 16)}`,
        `cell ${Math.min(running.cell + 1, running.cells)}/${running.cells}`,
        formatDuration(elapsed),
        ...(notebookLeft === undefined ? [] : [`about ${formatDuration(notebookLeft)} left`]),
        ...(running.text ? [paint("dim", running.text)] : []),
      ];
      return parts.join("  ");
    });
    for (const id of this.#waiting) {
      const estimate = this.#estimates.get(id);
      left = left === undefined || estimate === undefined ? undefined : left + estimate;
    }
    const share = (this.#finished + fractions) / this.#total;
    const remaining = left === undefined ? "" : `  about ${formatDuration(left / this.#jobs)} left`;
    this.#live.set([...lines, `${this.#finished} of ${this.#total} notebooks  ${bar(share, 16)}${remaining}`]);
  }
}
