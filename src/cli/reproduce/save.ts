import { readFileSync } from "node:fs";
import { writeAtomically } from "../../notebook/files.js";
import type { Notebook } from "./shelf.js";

type Bundle = Readonly<Record<string, unknown>>;

interface Output {
  readonly output_type: "stream" | "display_data" | "execute_result" | "error";
  readonly data?: Bundle;
  readonly metadata?: Bundle;
  readonly [field: string]: unknown;
}

interface Cell {
  readonly cell_type: string;
  readonly source: unknown;
  readonly outputs?: readonly Output[];
  readonly execution_count?: number | null;
  readonly metadata: Bundle;
  readonly [field: string]: unknown;
}

interface File {
  readonly cells: readonly Cell[];
  readonly metadata: { readonly marginalia?: { readonly minutes?: Bundle } } & Bundle;
  readonly [field: string]: unknown;
}

/** What a code host shows without running anything, and what git can hold: no interactive chart, no SVG, no HTML. */
const light: readonly string[] = ["text/plain", "text/markdown", "image/png"];

function lightOutput(output: Output): Output {
  if (!output.data) return output;
  const keep = (bundle: Bundle): Bundle =>
    Object.fromEntries(Object.entries(bundle).filter(([type]) => light.includes(type)));
  return { ...output, data: keep(output.data), metadata: keep(output.metadata ?? {}) };
}

/**
 * Puts the outputs of an executed copy, made light, into the committed notebook, and the minutes the run took into its metadata.
 *
 * Sources stay as they are in the committed notebook; outputs keep text and PNG only.
 */
export function withLightOutputs(committed: File, executed: File, seconds: number): File {
  const minutes = Math.max(0.1, Math.round(seconds / 6) / 10);
  return {
    ...committed,
    cells: committed.cells.map((cell, i) => {
      const ran = executed.cells[i];
      if (cell.cell_type !== "code" || !ran) return cell;
      return { ...cell, execution_count: ran.execution_count ?? null, outputs: (ran.outputs ?? []).map(lightOutput) };
    }),
    metadata: {
      ...committed.metadata,
      marginalia: {
        ...committed.metadata.marginalia,
        minutes: { ...committed.metadata.marginalia?.minutes, standard: minutes },
      },
    },
  };
}

/** Writes the light outputs of an executed copy back to the committed notebook, in Jupyter's own layout of JSON. */
export async function saveOutputs(notebook: Notebook, executed: string, seconds: number): Promise<void> {
  const read = (path: string): File => JSON.parse(readFileSync(path, "utf8")) as File;
  const saved = withLightOutputs(read(notebook.path), read(executed), seconds);
  await writeAtomically(notebook.path, `${JSON.stringify(saved, undefined, 1)}\n`);
}
