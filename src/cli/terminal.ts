import { stripVTControlCharacters } from "node:util";

/** A stream that may be a terminal; `process.stdout`, or a stand-in in tests. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Whether text on this stream may be redrawn in place: a capable terminal, and not CI. */
export function isInteractive(
  stream: TerminalStream = process.stderr,
  environment: NodeJS.ProcessEnv = process.env,
): boolean {
  const ci =
    environment.CI !== undefined && environment.CI !== "" && environment.CI !== "false" && environment.CI !== "0";
  return stream.isTTY === true && environment.TERM !== "dumb" && !ci;
}

/** Whether to colour text on this stream: `NO_COLOR` and `FORCE_COLOR` first, else a terminal. */
export function hasColour(
  stream: TerminalStream = process.stdout,
  environment: NodeJS.ProcessEnv = process.env,
): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR) return environment.FORCE_COLOR !== "0";
  return stream.isTTY === true && environment.TERM !== "dumb";
}

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** A style of {@link paint}. */
export type Style = keyof typeof codes;

/** The text in a style, where the stream shows colours; else the text. */
export function paint(style: Style, text: string, stream: TerminalStream = process.stdout): string {
  if (!hasColour(stream)) return text;
  const [open, close] = codes[style];
  return `\u001b[${open}m${text}\u001b[${close}m`;
}

/** The text's width in columns, colours not counted. */
export function width(text: string): number {
  let columns = 0;
  for (const { segment } of new Intl.Segmenter().segment(stripVTControlCharacters(text))) {
    columns +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u.test(
        segment,
      )
        ? 2
        : 1;
  }
  return columns;
}

/** Seconds for people: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Bytes for people, in powers of ten: `207 MB`, `1.2 GB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A bar of the given width for a fraction in [0, 1]. */
export function bar(fraction: number, columns = 24): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * columns);
  return "█".repeat(filled) + "░".repeat(columns - filled);
}

/** A column of {@link formatTable}. */
export interface Column {
  readonly title: string;
  /** Defaults to left. */
  readonly align?: "left" | "right";
  /** Longest width; a longer cell ends in an ellipsis. */
  readonly maxWidth?: number;
}

/** An aligned table with a rule below its head; cells may hold colours. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const clipped = rows.map((row) => columns.map((column, i) => clip(row[i] ?? "", column.maxWidth)));
  const widths = columns.map((column, i) => Math.max(width(column.title), ...clipped.map((row) => width(row[i]!))));
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, i) => {
        const space = " ".repeat(widths[i]! - width(cells[i]!));
        return column.align === "right" ? space + cells[i] : cells[i] + space;
      })
      .join("  ")
      .trimEnd();
  return [
    line(columns.map((column) => column.title)),
    line(widths.map((columnWidth) => "─".repeat(columnWidth))),
    ...clipped.map(line),
  ].join("\n");
}

function clip(text: string, columns: number | undefined): string {
  if (columns === undefined || width(text) <= columns) return text;
  return `${stripVTControlCharacters(text).slice(0, columns - 1)}…`;
}

/** A few lines at the bottom of the terminal that are redrawn in place; nothing at all where that is not possible. */
export interface LiveLines {
  /** Replaces the live lines; redrawn at most ten times a second. */
  set(lines: readonly string[]): void;
  /** Prints a line that stays, above the live ones; printed on every kind of stream. */
  log(line: string): void;
  /** Removes the live lines. */
  clear(): void;
}

/** Live lines on a stream (stderr by default, so that stdout stays a clean result). */
export function liveLines(
  stream: TerminalStream = process.stderr,
  environment: NodeJS.ProcessEnv = process.env,
): LiveLines {
  const interactive = isInteractive(stream, environment);
  let wanted: readonly string[] = [];
  let drawn = 0;
  let last = 0;
  let timer: NodeJS.Timeout | undefined;

  const erase = (): string => (drawn === 0 ? "" : `\r${drawn > 1 ? `\u001b[${drawn - 1}A` : ""}\u001b[J`);
  const draw = (before = ""): void => {
    clearTimeout(timer);
    timer = undefined;
    const columns = (stream.columns ?? 80) - 1;
    const lines = wanted.map((line) => clip(line, columns));
    stream.write(erase() + before + lines.join("\n"));
    drawn = lines.length;
    last = performance.now();
  };

  return {
    set(lines) {
      if (!interactive) return;
      wanted = lines;
      const wait = 100 - (performance.now() - last);
      if (wait <= 0) draw();
      else timer ??= setTimeout(draw, wait).unref();
    },
    log(line) {
      if (interactive) draw(`${line}\n`);
      else stream.write(`${line}\n`);
    },
    clear() {
      wanted = [];
      if (interactive && drawn > 0) draw();
    },
  };
}
