import { readFileSync } from "node:fs";
import { messageOf } from "../../src/cli/failure.js";
import type { Framework } from "./frameworks.js";
import { type Arrays, relativeError } from "./statistics.js";

/** Sums of a thousand float32 terms, a few layers of them, agree to about this. */
const tolerance = { loss: 2e-5, gradient: 2e-4 };

/** How one way to run a workload compares with this library run eagerly. */
export interface Checked {
  readonly workload: string;
  readonly framework: string;
  readonly variant: string;
  /** Largest relative difference of the losses of the first steps. */
  readonly loss?: number;
  /** Relative difference of the first gradient, in norm. */
  readonly gradient?: number;
  readonly agrees: boolean;
  /** Why it did not run. */
  readonly note?: string;
}

/** The arrays of a safetensors file. */
export function readArrays(file: string): Arrays {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, start).toString()) as Record<string, { data_offsets: [number, number] }>;
  delete header.__metadata__;
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          data_offsets: [from, to],
        },
      ]) => {
        return [name, new Float32Array(Uint8Array.from(bytes.subarray(start + from, start + to)).buffer)];
      },
    ),
  );
}

/**
 * Compares losses of the first Adam steps, and the first gradient, of every way to run a workload, all given the noise that this library
 * draws for it. What they are compared with is the first way, this library run eagerly.
 */
export async function check(frameworks: readonly Framework[], workload: string, file: string): Promise<Checked[]> {
  const rows: Checked[] = [];
  let reference: { losses: number[]; gradient: Arrays } | undefined;
  for (const framework of frameworks) {
    // A loop of steps is the same step, in another's call.
    for (const variant of framework.variants.filter((name) => !name.startsWith("loop"))) {
      const way = { workload, framework: framework.id, variant };
      const out = `${file}.gradient`;
      try {
        const { losses } = await framework.ask<{ losses: number[] }>({ do: "check", file, variant, out });
        const gradient = readArrays(out);
        reference ??= { losses, gradient };
        const expected = reference.losses;
        const loss = Math.max(...losses.map((value, i) => Math.abs(value / expected[i] - 1)));
        const error = relativeError(gradient, reference.gradient);
        const agrees = loss <= tolerance.loss && error <= tolerance.gradient; // false for NaN
        rows.push({ ...way, loss, gradient: error, agrees });
      } catch (error) {
        rows.push({ ...way, agrees: false, note: messageOf(error) });
      }
    }
  }
  return rows;
}
