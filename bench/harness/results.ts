import { accessSync, constants, mkdirSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { codeOf, Failure } from "../../src/cli/failure.js";
import type { Framework } from "./frameworks.js";

/** @throws Failure if the folder cannot be made or written to. */
export function openFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new Failure(`Results cannot be written to ${folder} (${codeOf(error)}): name another folder with --out.`);
  }
}

/** A row of a table. */
export type Cells = { readonly [column: string]: string | number | undefined };

/** Rows as CSV, numbers with six digits; columns in the order in which they first appear. */
export function toCsv(rows: readonly Cells[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: string | number | undefined): string => {
    if (typeof value === "number") return String(Number(value.toPrecision(6)));
    return /[",\n]/.test(value ?? "") ? `"${value?.replaceAll('"', '""')}"` : (value ?? "");
  };
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return `${lines.map((cells) => cells.map(cell).join(",")).join("\n")}\n`;
}

/** Where the numbers were measured. */
export interface Environment {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly platform: string;
  /** Processes that wanted to run when the benchmark began; other work makes every number worse. */
  readonly load: number;
  readonly versions: { readonly [framework: string]: string };
  readonly threads: { readonly [framework: string]: number };
}

export function describeEnvironment(frameworks: readonly Framework[]): Environment {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    platform: `${process.platform} ${process.arch}`,
    load: Number(loadavg()[0].toFixed(2)),
    versions: Object.fromEntries(frameworks.map(({ id, versions }) => [id, versions])),
    threads: Object.fromEntries(frameworks.map(({ id, threads }) => [id, threads])),
  };
}

/** A number with three significant digits; a dash where there is none. */
export function short(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
