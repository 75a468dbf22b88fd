import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, messageOf } from "../../src/cli/failure.js";
import { type Corpus, parseLdaC, selectDocuments } from "../../src/data/ldaC.js";
import { dataFolders } from "../../src/data/locate.js";
import { mean } from "../../src/diagnostics/moments.js";
import { randomKey } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { corpusDataset } from "../../src/models/corpusDataset.js";
import { documentCompletion } from "../../src/models/documentCompletion.js";
import { type LdaGlobal, latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";
import { shuffledRows } from "../../src/optimize/shuffledRows.js";
import { bench } from "./paths.js";
import { startWorker } from "./process.js";
import { benchPython } from "./python.js";
import { quantile } from "./statistics.js";

/** What this library's online LDA is compared with. */
export const topicLibraries = ["scikit-learn", "gensim"] as const;

const settings = { topics: 25, alpha: 1 / 25, eta: 1 / 25, kappa: 0.7, tau: 10, size: 128 } as const;
const passes = 5;
const checkpointsAPass = 4;

/** How far a fit had come: seconds of training, and the held-out score of its topics. */
export type TopicPoint = {
  readonly library: string;
  readonly seed: number;
  readonly passes: number;
  readonly seconds: number;
  /** Mean log-probability of a held-out token, in nats. */
  readonly heldOut: number;
};

/** When a library's fits reached a level: a row of the table. */
export type TopicTimes = {
  readonly library: string;
  readonly level: string;
  readonly heldOut: number;
  /** Seconds of training at the median of the seeds that reached it, and at the extremes. */
  readonly median: number | undefined;
  readonly least: number | undefined;
  readonly most: number | undefined;
  readonly reached: number;
  readonly n: number;
};

/** What {@link timeTopics} needs. */
export interface TopicsOptions {
  readonly seeds: number;
  readonly without: readonly string[];
  readonly report: (line: string) => void;
}

/** What {@link timeTopics} finds. */
export interface Topics {
  readonly versions: readonly string[];
  readonly points: readonly TopicPoint[];
  readonly times: readonly TopicTimes[];
}

/**
 * Online LDA over AP, K = 25, in this library, scikit-learn and gensim, by turns and seed by seed: the same documents in the same minibatches, priors and learning
 * rates. Every fit's topics are scored by one scorer, this library's, on a tenth of the documents that none of them saw.
 *
 * @throws Failure if AP is not on the machine, or a library does not run.
 */
export async function timeTopics({ seeds, without, report }: TopicsOptions): Promise<Topics> {
  const [training, test] = splitOf(readAp());
  const folder = `${bench}/.data/topics`;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "training.ldac");
  writeFileSync(file, toLdaC(training));
  const model = latentDirichletAllocation({ ...settings, vocabulary: training.vocabulary });
  const data = corpusDataset(training);
  const stepsAPass = Math.floor(training.size / settings.size); // what is left over sits a pass out
  const steps = passes * stepsAPass;
  const every = Math.max(1, Math.round(stepsAPass / checkpointsAPass));
  const checkpoints = Array.from({ length: Math.floor(steps / every) }, (_, i) => (i + 1) * every);
  const score = (global: LdaGlobal): number => documentCompletion(model, global, test).perToken;
  const others = topicLibraries
    .filter((library) => !without.includes(library))
    .map((library) => ({ library, ...startWorker(library, [benchPython(), [`${bench}/python/topics.py`, library]]) }));
  const points: TopicPoint[] = [];
  const batchScores: number[] = [];
  try {
    const versions = await Promise.all(others.map((other) => other.ask<{ versions: string }>({ do: "hello" })));
    for (let seed = 1; seed <= seeds; seed++) {
      report(`topics, seed ${seed} of ${seeds}`);
      const key = randomKey(seed);
      const point = (library: string, step: number, seconds: number, heldOut: number): void => {
        points.push({ library, seed, passes: step / stepsAPass, seconds, heldOut });
      };
      const began = performance.now();
      let away = 0;
      await stochasticVariationalInference({
        model,
        data,
        batchSize: settings.size,
        rate: robbinsMonro(settings),
        steps,
        start: model.start(key),
        key,
        traceEvery: every,
        onProgress: ({ step }, global) => {
          if (!checkpoints.includes(step)) return;
          const paused = performance.now();
          point("marginalia", step, (paused - began - away) / 1000, score(global));
          away += performance.now() - paused;
        },
      });
      const batches = Array.from({ length: steps }, (_, t) => [...shuffledRows(key, training.size, settings.size)(t)]);
      for (const { library, ask } of others) {
        const request = { ...settings, vocabulary: training.vocabulary, corpus: file, batches, checkpoints, seed };
        const found = await ask<{ points: { step: number; seconds: number; file: string }[] }>({
          do: "run",
          ...request,
          out: join(folder, library),
        });
        for (const at of found.points) point(library, at.step, at.seconds, score(readTopics(model, at.file)));
      }
      batchScores.push(
        score((await cavi({ model, data: training, start: model.start(key), maxSteps: passes })).global),
      );
    }
    // What batch inference has after as many passes, and what the least of all fits comes to.
    const levels = { "five batch passes": mean(batchScores), "every fit": everyFit(points) };
    return { versions: versions.map(({ versions }) => versions), points, times: timesTo(points, levels, seeds) };
  } finally {
    await Promise.all(others.map((other) => other.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** For each level and library: when the fits reached it, between two checkpoints on a straight line. */
export function timesTo(
  points: readonly TopicPoint[],
  levels: { readonly [level: string]: number },
  n: number,
): TopicTimes[] {
  const libraries = [...new Set(points.map(({ library }) => library))];
  return Object.entries(levels).flatMap(([level, heldOut]) =>
    libraries.map((library) => {
      const own = points.filter((point) => point.library === library);
      const reached = [...new Set(own.map(({ seed }) => seed))]
        .map((seed) =>
          crossing(
            own.filter((point) => point.seed === seed),
            heldOut,
          ),
        )
        .filter((seconds) => seconds !== undefined);
      const [median, least, most] = reached.length > 0 ? [0.5, 0, 1].map((p) => quantile(reached, p)) : [];
      return { library, level, heldOut, median, least, most, reached: reached.length, n };
    }),
  );
}

/** The highest score that all fits reach. */
function everyFit(points: readonly TopicPoint[]): number {
  const fits = new Map<string, number>();
  for (const { library, seed, heldOut } of points) {
    const fit = `${library} ${seed}`;
    fits.set(fit, Math.max(fits.get(fit) ?? Number.NEGATIVE_INFINITY, heldOut));
  }
  return Math.min(...fits.values());
}

function crossing(points: readonly TopicPoint[], level: number): number | undefined {
  const at = points.findIndex(({ heldOut }) => heldOut >= level);
  if (at <= 0) return points[at]?.seconds;
  const [before, after] = [points[at - 1]!, points[at]!];
  const share = (level - before.heldOut) / (after.heldOut - before.heldOut);
  return before.seconds + share * (after.seconds - before.seconds);
}

/** What to do where the corpus is not on the machine. */
export function missingAp(): string | undefined {
  return findAp()
    ? undefined
    : "The part topics needs the Associated Press corpus: put ap/ap.ldac (lda-c format) into the folder that MARGINALIA_DATA names, or leave the part out.";
}

function findAp(): string | undefined {
  return dataFolders()
    .map(({ path }) => join(path, "ap", "ap.ldac"))
    .find((path) => existsSync(path));
}

/** @throws Failure if it is nowhere, or malformed. */
function readAp(): Corpus {
  const found = findAp();
  if (!found) throw new Failure(missingAp()!);
  try {
    return parseLdaC(readFileSync(found), found);
  } catch (error) {
    throw new Failure(messageOf(error));
  }
}

/** Every tenth document is held out. */
function splitOf(corpus: Corpus): readonly [training: Corpus, test: Corpus] {
  const rows = (held: boolean) =>
    Int32Array.from(Array.from({ length: corpus.size }, (_, d) => d).filter((d) => (d % 10 === 0) === held));
  return [selectDocuments(corpus, rows(false)), selectDocuments(corpus, rows(true))];
}

function toLdaC({ size, offsets, words, counts }: Corpus): string {
  const lines = Array.from({ length: size }, (_, d) => {
    const [from, to] = [offsets[d]!, offsets[d + 1]!];
    const entries = Array.from({ length: to - from }, (_, i) => `${words[from + i]}:${counts[from + i]}`);
    return `${[to - from, ...entries].join(" ")}\n`;
  });
  return lines.join("");
}

/** λ as the Python side wrote it, `[K, V]`, turned into the model's. */
function readTopics({ topics: K, vocabulary: V }: { topics: number; vocabulary: number }, file: string): LdaGlobal {
  const { buffer, byteOffset, length } = readFileSync(file);
  const written = new Float32Array(buffer.slice(byteOffset, byteOffset + length));
  if (written.length !== K * V) throw new Failure(`${file} holds ${written.length} numbers, not ${K} · ${V}.`);
  const topics = new Float64Array(K * V);
  for (let k = 0; k < K; k++) for (let v = 0; v < V; v++) topics[v * K + k] = written[k * V + v]!;
  return { topics };
}
