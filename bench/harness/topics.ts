import { mean } from "../../src/diagnostics/moments.js";
import { readAp } from "./topicsCorpus.js";
import { startTopicFitters, type TopicFitter, type TopicSetting } from "./topicsFits.js";
import { crossing, everyFit, type TopicPoint, type TopicTimes, timesTo } from "./topicsTimes.js";

/** The settings that each library's is chosen from. */
export const topicGrid: readonly TopicSetting[] = [64, 128, 256, 512].flatMap((size) => [
  { size, kappa: 0.7, tau: 3 },
  { size, kappa: 0.7, tau: 10 },
  { size, kappa: 0.7, tau: 30 },
  { size, kappa: 0.9, tau: 3 },
  { size, kappa: 0.9, tau: 10 },
  { size, kappa: 0.9, tau: 20 },
]);

const passes = 5;
/** A setting that needs more is not the fastest. */
const tuningPasses = 2;
/** Seeds that settings are chosen on; the table's seeds begin at 1. */
const tuningFrom = 1001;

/** How fast a setting was while one was chosen: a row of the table. */
export type TunedSetting = TopicSetting & {
  readonly library: string;
  /** Mean seconds to the level; nothing where a fit did not reach it. */
  readonly seconds: number | undefined;
  /** The held-out score at the end, mean over the seeds. */
  readonly heldOut: number;
  readonly chosen: "yes" | "";
};

/** What {@link timeTopics} needs. */
export interface TopicsOptions {
  /** Fits of each library with the setting chosen for it. */
  readonly seeds: number;
  /** Fits of each library with every setting. */
  readonly tuningSeeds: number;
  readonly without: readonly string[];
  readonly report: (line: string) => void;
}

/** What {@link timeTopics} finds. */
export interface Topics {
  readonly versions: readonly string[];
  readonly settings: readonly TunedSetting[];
  readonly points: readonly TopicPoint[];
  readonly times: readonly TopicTimes[];
}

/**
 * Online LDA over AP, K = 25, in this library, scikit-learn and gensim, by turns and seed by seed. Each has the setting of the grid that takes it to the score
 * of five batch passes soonest, chosen on seeds of its own.
 *
 * @throws Failure if AP is not on the machine, or a library does not run.
 */
export async function timeTopics({ seeds, tuningSeeds, without, report }: TopicsOptions): Promise<Topics> {
  const [training, test] = readAp();
  const { versions, fitters, batch, stop } = await startTopicFitters(training, test, without);
  try {
    const tuning = Array.from({ length: tuningSeeds }, (_, i) => tuningFrom + i);
    const level = mean(await inTurn(tuning, (seed) => batch(seed, passes)));
    const settings: TunedSetting[] = [];
    for (const fitter of fitters) {
      report(`topics, ${topicGrid.length} settings of ${fitter.library}`);
      settings.push(...(await tried(fitter, tuning, level)));
    }
    const points: TopicPoint[] = [];
    const batchScores: number[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      report(`topics, seed ${seed} of ${seeds}`);
      for (const { library, run } of fitters) {
        const chosen = settings.find((setting) => setting.library === library && setting.chosen)!;
        points.push(...(await run(chosen, seed, passes)));
      }
      batchScores.push(await batch(seed, passes));
    }
    // What batch inference has after as many passes, and what the least of all fits comes to.
    const levels = { "five batch passes": mean(batchScores), "every fit": everyFit(points) };
    return { versions, settings, points, times: timesTo(points, levels, seeds) };
  } finally {
    await stop();
  }
}

/** Every setting of one library; where none reaches the level, the one that comes nearest is chosen. */
async function tried({ library, run }: TopicFitter, seeds: readonly number[], level: number): Promise<TunedSetting[]> {
  const rows = await inTurn(topicGrid, async (setting) => {
    const fits = await inTurn(seeds, (seed) => run(setting, seed, tuningPasses));
    const seconds = fits.map((points) => crossing(points, level)).filter((at) => at !== undefined);
    const heldOut = mean(fits.map((points) => points.at(-1)!.heldOut));
    return { library, ...setting, seconds: seconds.length === seeds.length ? mean(seconds) : undefined, heldOut };
  });
  const chosen = best(rows);
  return rows.map((row) => ({ ...row, chosen: row === chosen ? "yes" : "" }));
}

/** The row soonest at the level, or if none is there, the highest. */
export function best<Row extends { readonly seconds: number | undefined; readonly heldOut: number }>(
  rows: readonly Row[],
): Row {
  const secondsOf = (row: Row): number => row.seconds ?? Number.POSITIVE_INFINITY;
  return rows.reduce((a, b) => {
    if (secondsOf(a) === secondsOf(b)) return a.heldOut >= b.heldOut ? a : b;
    return secondsOf(a) < secondsOf(b) ? a : b;
  });
}

async function inTurn<In, Out>(inputs: readonly In[], f: (input: In) => Promise<Out>): Promise<Out[]> {
  const out: Out[] = [];
  for (const input of inputs) out.push(await f(input));
  return out;
}
