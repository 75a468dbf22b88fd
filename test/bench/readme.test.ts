import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** The rows of a CSV file by column. */
function csv(path: string): Record<string, string>[] {
  const [header, ...lines] = read(path).trim().split("\n");
  const names = header!.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((value, i) => [names[i]!, value])));
}

const steps = csv("bench/results/steps.csv");
const ratios = csv("bench/results/ratios.csv");
const titles: Readonly<Record<string, string>> = {
  sivi: "1 SIVI toy",
  uivi: "2 UIVI toy",
  iwae: "3 IWAE",
  vae: "4 VAE",
  "mean-field": "5 mean-field",
  "full-rank": "5 full-rank",
  iwhvi: "6 IWHVI",
};
const columns = [
  ["marginalia", "eager"],
  ["marginalia", "compiled"],
  ["marginalia", "xla"],
  ["marginalia", "loop-xla"],
  ["jax", "jit"],
  ["jax", "loop"],
  ["torch", "eager"],
  ["torch", "compile"],
] as const;

const find = (rows: Record<string, string>[], workload: string, framework: string, variant: string) =>
  rows.find((row) => row.workload === workload && row.framework === framework && row.variant === variant);
const least = (workload: string, framework: string, variant: string): number =>
  Number(find(steps, workload, framework, variant)?.min);

/** Both numbers of every cell `a (b)` of the table's row that begins so; a dash is no numbers. */
function cells(text: string, start: string): number[][] {
  const row = text.split("\n").find((line) => line.startsWith(`| ${start} |`));
  return (row ?? "")
    .split("|")
    .slice(2, -1)
    .map((cell) => (cell.match(/[\d.]+/g) ?? []).map(Number));
}

describe("the benchmark's tables", () => {
  const [times, quotients] = read("bench/README.md").split("| ours over theirs") as [string, string];

  it.each(Object.entries(titles))("give the times of %s as measured", (workload, title) => {
    const expected = columns.map(([framework, variant]) => {
      const row = find(steps, workload, framework, variant);
      return row ? [Number(Number(row.median).toPrecision(3)), Number(Number(row.min).toPrecision(3))] : [];
    });
    expect(cells(times.slice(times.indexOf("| median (least), ms")), title)).toEqual(expected);
  });

  it.each(Object.entries(titles))("give the ratios of %s as measured", (workload, title) => {
    const expected = columns.slice(4).map(([framework, variant]) => {
      const row = find(ratios, workload, framework, variant);
      return row ? [Number(Number(row.ofMedians).toFixed(2)), Number(Number(row.ofLeast).toFixed(2))] : [];
    });
    expect(cells(quotients, title)).toEqual(expected);
  });

  it("of the first page give the least times, to two digits or three", () => {
    const page = read("README.md");
    const rows: Readonly<Record<string, string>> = {
      sivi: "SIVI toy, S = 100, K = 50",
      "full-rank": "full-rank Gaussian, 400 × 22, S = 100",
      iwae: "IWAE 784-200-200-50, 20 × 50",
    };
    for (const [workload, title] of Object.entries(rows)) {
      const compiled = least(workload, "marginalia", "compiled");
      const looped = least(workload, "marginalia", "loop-xla");
      const expected = [
        least(workload, "marginalia", "eager"),
        compiled,
        Number.isNaN(looped) ? compiled : looped,
        least(workload, "jax", "jit"),
        least(workload, "jax", "loop"),
        Math.min(least(workload, "torch", "eager"), least(workload, "torch", "compile")),
      ];
      const shown = cells(page, title);
      expect(shown).toHaveLength(expected.length);
      for (const [i, value] of expected.entries()) {
        if (Number.isNaN(value)) expect(shown[i]).toEqual([]);
        else expect(Math.abs(shown[i]![0]! - value)).toBeLessThanOrEqual(value < 1 ? 0.0051 : 0.051);
      }
    }
  });

  it("give the seconds to a held-out score as measured", () => {
    const times = csv("bench/results/topics-times.csv");
    const page = read("bench/README.md");
    for (const level of new Set(times.map((row) => row.level))) {
      const own = times.filter((row) => row.level === level);
      const shown = cells(page, `${level}, ${Number(own[0]!.heldOut).toFixed(3)} nats`);
      const expected = own.map((row) => [row.median, row.least, row.most].map((x) => Number(Number(x).toPrecision(3))));
      expect(shown).toEqual(expected);
    }
  });
});
