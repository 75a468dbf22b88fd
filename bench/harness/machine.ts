import { setTimeout as sleep } from "node:timers/promises";
import type { Framework } from "./frameworks.js";
import { quantile } from "./statistics.js";

/** The matrix products `[m, k] × [k, n]` that workloads 3 and 6 spend most on, and one large enough for the machine's peak. */
const products: readonly { readonly of: string; readonly shape: readonly [number, number, number] }[] = [
  { of: "peak", shape: [2048, 2048, 2048] },
  { of: "3 IWAE, hidden layer", shape: [1000, 200, 200] },
  { of: "3 IWAE, last layer", shape: [1000, 200, 784] },
  { of: "3 IWAE, its weights' gradient", shape: [200, 1000, 784] },
  { of: "6 IWHVI, hidden layer", shape: [1536, 300, 300] },
  { of: "6 IWHVI, last layer", shape: [256, 300, 784] },
  { of: "6 IWHVI, its weights' gradient", shape: [300, 256, 784] },
];
const numbers = 2 ** 24;

/** One thing that bounds a step, as one framework reaches it. */
export type Reached = {
  readonly what: string;
  readonly unit: string;
  readonly framework: string;
  readonly best: number;
  readonly median: number;
};

/** GFLOP/s of matrix products, GB/s of x + 1 over 64 MB (read and written), and µs of a call that adds 1 to a scalar. */
export async function measureMachine(
  frameworks: readonly Framework[],
  { seconds }: { readonly seconds: number },
): Promise<Reached[]> {
  const probes: {
    what: string;
    unit: string;
    probe: string;
    shape: readonly number[];
    rate: (ms: number) => number;
  }[] = [
    ...products.map(({ of, shape: [m, k, n] }) => ({
      what: `${m}×${k} · ${k}×${n} (${of})`,
      unit: "GFLOP/s",
      probe: "matmul",
      shape: [m, k, n],
      rate: (ms: number) => (2 * m * k * n) / ms / 1e6,
    })),
    {
      what: "x + 1 over 64 MB",
      unit: "GB/s",
      probe: "memory",
      shape: [numbers],
      rate: (ms) => (8 * numbers) / ms / 1e6,
    },
    { what: "x + 1 of a scalar", unit: "µs", probe: "call", shape: [], rate: (ms) => 1000 * ms },
  ];
  const rows: Reached[] = [];
  for (const { what, unit, probe, shape, rate } of probes) {
    for (const framework of frameworks) {
      await sleep(100);
      const { times } = await framework.ask<{ times: number[] }>({ do: "probe", probe, shape, seconds });
      const [best, median] = [0, 0.5].map((p) => rate(quantile(times, p)));
      rows.push({ what, unit, framework: framework.id, best, median });
    }
  }
  return rows;
}
