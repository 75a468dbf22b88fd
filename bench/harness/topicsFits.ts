import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Corpus } from "../../src/data/ldaC.js";
import { randomKey } from "../../src/engine/random.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { corpusDataset } from "../../src/models/corpusDataset.js";
import { documentCompletion } from "../../src/models/documentCompletion.js";
import { type LdaGlobal, latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { wordTotals } from "../../src/models/wordTotals.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";
import { constant } from "../../src/optimize/schedules.js";
import { shuffledRows } from "../../src/optimize/shuffledRows.js";
import { bench } from "./paths.js";
import { startWorker } from "./process.js";
import { benchPython } from "./python.js";
import { readTopics, toLdaC } from "./topicsCorpus.js";
import type { TopicPoint } from "./topicsTimes.js";

/** What this library's online LDA is compared with. */
export const topicLibraries = ["scikit-learn", "gensim"] as const;

/** A minibatch of S documents, ρ_t = (τ + t)^−κ. */
export type TopicSetting = { readonly size: number; readonly kappa: number; readonly tau: number };

/** A library's online LDA: the course of one fit. */
export interface TopicFitter {
  readonly library: string;
  readonly run: (setting: TopicSetting, seed: number, passes: number) => Promise<TopicPoint[]>;
}

/** All libraries on one corpus, and how batch inference does. */
export interface TopicFitters {
  readonly versions: readonly string[];
  readonly fitters: readonly TopicFitter[];
  /** The held-out score of so many batch passes. */
  readonly batch: (seed: number, passes: number) => Promise<number>;
  readonly stop: () => Promise<void>;
}

const topics = 25;
const prior = { topics, alpha: 1 / topics, eta: 1 / topics } as const;
const checkpointsAPass = 4;

/**
 * Starts all of them. Every library is given the same documents and priors, each with its own setting; a fit's topics are scored by one scorer,
 * this library's, on documents that none saw. Scoring does not count.
 */
export async function startTopicFitters(
  training: Corpus,
  test: Corpus,
  without: readonly string[],
): Promise<TopicFitters> {
  const folder = `${bench}/.data/topics`;
  mkdirSync(folder, { recursive: true });
  const corpus = join(folder, "training.ldac");
  writeFileSync(corpus, toLdaC(training));
  const model = latentDirichletAllocation({ ...prior, vocabulary: training.vocabulary });
  const data = corpusDataset(training);
  const score = (global: LdaGlobal): number => documentCompletion(model, global, test).perToken;

  /** What is left over sits a pass out. */
  const timetable = (size: number, passes: number) => {
    const stepsAPass = Math.floor(training.size / size);
    const steps = passes * stepsAPass;
    const every = Math.max(1, Math.round(stepsAPass / checkpointsAPass));
    const checkpoints = Array.from({ length: Math.floor(steps / every) }, (_, i) => (i + 1) * every);
    return { stepsAPass, steps, every, checkpoints };
  };

  const ours = (library: string, corrected: boolean): TopicFitter => ({
    library,
    run: async (setting, seed, passes) => {
      const { stepsAPass, steps, every, checkpoints } = timetable(setting.size, passes);
      const key = randomKey(seed);
      const points: TopicPoint[] = [];
      const began = performance.now();
      let away = 0;
      await stochasticVariationalInference({
        model,
        data,
        batchSize: setting.size,
        rate: robbinsMonro(setting),
        steps,
        start: model.start(key),
        key,
        traceEvery: every,
        ...(corrected && { correction: wordTotals(model) }),
        onProgress: ({ step }, global) => {
          if (!checkpoints.includes(step)) return;
          const paused = performance.now();
          const seconds = (paused - began - away) / 1000;
          points.push({ library, seed, passes: step / stepsAPass, seconds, heldOut: score(global) });
          away += performance.now() - paused;
        },
      });
      return points;
    },
  });

  const workers = topicLibraries
    .filter((library) => !without.includes(library))
    .map((library) => ({ library, ...startWorker(library, [benchPython(), [`${bench}/python/topics.py`, library]]) }));
  const theirs = workers.map(
    ({ library, ask }): TopicFitter => ({
      library,
      run: async (setting, seed, passes) => {
        const { stepsAPass, steps, checkpoints } = timetable(setting.size, passes);
        const rows = shuffledRows(randomKey(seed), training.size, setting.size);
        const batches = Array.from({ length: steps }, (_, t) => [...rows(t)]);
        const request = { ...prior, ...setting, vocabulary: training.vocabulary, corpus, batches, checkpoints, seed };
        const found = await ask<{ points: { step: number; seconds: number; file: string }[] }>({
          do: "run",
          ...request,
          out: join(folder, library),
        });
        return found.points.map(({ step, seconds, file }) => {
          return { library, seed, passes: step / stepsAPass, seconds, heldOut: score(readTopics(model, file)) };
        });
      },
    }),
  );

  const stop = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const versions = await Promise.all(workers.map((worker) => worker.ask<{ versions: string }>({ do: "hello" })));
    return {
      versions: versions.map(({ versions }) => versions),
      fitters: [ours("marginalia", true), ours("marginalia as published", false), ...theirs],
      batch: async (seed, passes) => {
        // Coordinate ascent that begins every document anew at every pass, as SVI must.
        const [key, batchSize] = [randomKey(seed), training.size];
        const run = { model, data, batchSize, rate: constant(1), steps: passes, start: model.start(key), key };
        return score((await stochasticVariationalInference({ ...run, traceEvery: passes })).global);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
