import { readFileSync } from "node:fs";
import { autoregressions } from "./markovChains.js";

/** One frozen case: how its chains are made, and what ArviZ says of them. */
export interface ChainsCase {
  readonly name: string;
  readonly formula: string;
  readonly chains: number;
  readonly draws: number;
  readonly seed: number;
  readonly rho: number;
  /** Absent where ArviZ wants two chains. */
  readonly rHat: number | null;
  readonly bulk: number;
  readonly mean: number;
}

const formulas: Readonly<Record<string, (x: number, k: number) => number>> = {
  x: (x) => x,
  "x + k/2": (x, k) => x + k / 2,
  "x (1 + k)": (x, k) => x * (1 + k),
  "sign(x) |x|^9": (x) => x ** 9,
  // Halves go to the even number, as numpy's do.
  "round(2x)/2": (x) => {
    const [below, rest] = [Math.floor(2 * x), 2 * x - Math.floor(2 * x)];
    return (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below) / 2;
  },
};

/** The frozen cases of `fixtures/chains.json`. */
export const chainsOracle: readonly ChainsCase[] = (
  JSON.parse(readFileSync(new URL("./fixtures/chains.json", import.meta.url), "utf8")) as {
    readonly cases: readonly ChainsCase[];
  }
).cases;

/** The chains of a case. */
export function chainsOf({ formula, chains, draws, seed, rho }: ChainsCase): Float64Array[] {
  return autoregressions(chains, draws, seed, rho).map((series, k) => series.map((x) => formulas[formula](x, k)));
}
