import { threefry2x32 } from "../engine/threefry.js";
import { catalogue } from "./catalogue.js";
import { type NumberTable, parseCsv } from "./csv.js";
import { type LocateOptions, loadFile } from "./locate.js";

/** The simulated data sets that are shipped. */
export type SimulatedName = "poisson" | "hierarchical" | "logistic";

/** A simulated data set with what it was simulated from. */
export interface SimulatedDataset {
  readonly name: SimulatedName;
  readonly title: string;
  readonly licence: string;
  readonly table: NumberTable;
  /** What the rows were drawn with, by the names of the model's unknowns. */
  readonly truth: Readonly<Record<string, number | readonly number[]>>;
}

/** Coefficients of the counts, the intercept first. */
const coefficients = [1, 0.5, -0.4, 0.2] as const;
/** Coefficients of the log-odds, the intercept first. */
const logOdds = [-0.3, 0.6, -0.4, 0.5, -0.3, 0.6, -0.4, 0.5, -0.3, 0.6, -0.4, 0.5] as const;
/** How the inputs of the log-odds correlate, each with each. */
const correlation = 0.8;
const hierarchy = { mu: 1.5, tau: 0.8, slope: -0.7, sigma: 0.6, groups: 12 } as const;

/**
 * A simulated data set with known truth, for `poissonRegression`, `hierarchicalLinear` or `logisticRegression`.
 *
 * | name | rows | columns |
 * |---|---|---|
 * | poisson | 100 | y, x0 = 1, x1, x2, x3: `y ~ Poisson(exp(1 + 0.5 x1 − 0.4 x2 + 0.2 x3))`, x ~ N(0, 1) |
 * | hierarchical | 96 | y, x, group: `y ~ N(α_group − 0.7 x, 0.6²)`, `α ~ N(1.5, 0.8²)`, 12 groups of 6, 8 or 10 rows |
 * | logistic | 200 | y, x0 = 1, x1, …, x11: `y ~ Bernoulli(1 / (1 + exp(−xᵀw)))`, w = (−0.3, 0.6, −0.4, 0.5) three times over, x ~ N(0, 1) with correlations of 0.8 |
 *
 * Shipped with the project; {@link simulatedCsv} makes the files anew.
 *
 * @param options - where to look.
 * @throws DataError if the file is missing or damaged; RangeError if there is no set of that name.
 */
export async function simulated(name: SimulatedName, options: LocateOptions = {}): Promise<SimulatedDataset> {
  const { files, title, licence } = catalogue.simulated;
  if (!Object.hasOwn(files, name))
    throw new RangeError(`There is no simulated data set "${name}"; choose "poisson", "hierarchical" or "logistic".`);
  const text = new TextDecoder().decode(await loadFile(files[name], options));
  return { name, title, licence, truth: truthOf(name), table: parseCsv(text, files[name].name, { header: true }) };
}

function truthOf(name: SimulatedName): SimulatedDataset["truth"] {
  const { mu, tau, slope, sigma } = hierarchy;
  switch (name) {
    case "poisson":
      return { coefficients };
    case "hierarchical":
      return { mu, tau, slope, sigma };
    case "logistic":
      return { w: logOdds };
  }
}

/** The text of a simulated file: the same on every machine, since its numbers are rounded to four digits after the point. */
export function simulatedCsv(name: SimulatedName): string {
  switch (name) {
    case "poisson":
      return poissonCsv();
    case "hierarchical":
      return hierarchicalCsv();
    case "logistic":
      return logisticCsv();
  }
}

function poissonCsv(): string {
  const rows = Array.from({ length: 100 }, (_, row) => {
    const x = [1, ...[1, 2, 3].map((column) => gaussian([1, row], column))];
    const mean = Math.exp(x.reduce((sum, value, d) => sum + value * coefficients[d], 0));
    // The quantile of a uniform number: counts up while the cumulative probability is below it.
    const u = uniform([1, row]);
    let [y, p] = [0, Math.exp(-mean)];
    for (let below = p; below < u; below += p) p *= mean / ++y;
    return [y, ...x].join(",");
  });
  return `${["y,x0,x1,x2,x3", ...rows].join("\n")}\n`;
}

function hierarchicalCsv(): string {
  const { mu, tau, slope, sigma, groups } = hierarchy;
  const rows = Array.from({ length: groups }, (_, group) => {
    const intercept = mu + tau * gaussian([2, group], 0);
    return Array.from({ length: 6 + 2 * (group % 3) }, (_, row) => {
      const x = gaussian([3, group], 2 * row);
      const y = intercept + slope * x + sigma * gaussian([3, group], 2 * row + 1);
      return [Math.round(1e4 * y) / 1e4, x, group].join(",");
    });
  });
  return `${["y,x,group", ...rows.flat()].join("\n")}\n`;
}

function logisticCsv(): string {
  const rows = Array.from({ length: 200 }, (_, row) => {
    const common = Math.sqrt(correlation) * gaussian([4, row], 0);
    const own = logOdds.slice(1).map((_, d) => Math.sqrt(1 - correlation) * gaussian([4, row], d + 1));
    const x = [1, ...own.map((value) => Math.round(1e4 * (common + value)) / 1e4)];
    const odds = Math.exp(x.reduce((sum, value, d) => sum + value * logOdds[d], 0));
    return [uniform([4, row]) * (1 + odds) < odds ? 1 : 0, ...x].join(",");
  });
  return `${[["y", ...logOdds.map((_, d) => `x${d}`)].join(","), ...rows].join("\n")}\n`;
}

/** One draw from (0, 1). */
function uniform(key: readonly [number, number]): number {
  return (threefry2x32(key, [0, 0])[0] + 0.5) / 2 ** 32;
}

/** One draw from N(0, 1), to four digits after the point, by Box and Muller. */
function gaussian(key: readonly [number, number], index: number): number {
  const [first, second] = threefry2x32(key, [index, 1]);
  const draw = Math.sqrt(-2 * Math.log((first + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * second) / 2 ** 32);
  return Math.round(1e4 * draw) / 1e4;
}
