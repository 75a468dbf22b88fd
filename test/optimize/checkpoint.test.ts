import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters, leaves, type Parameters } from "../../src/engine/parameters.js";
import { bernoulli, foldIn, normal, randomKey } from "../../src/engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { posteriorProblem } from "../../src/models/problem.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { adam } from "../../src/optimize/adam.js";
import { exponentialAveraging, polyakAveraging } from "../../src/optimize/averaging.js";
import type { CheckpointOptions } from "../../src/optimize/checkpoint.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { type IterateOptions, iterate } from "../../src/optimize/iterate.js";
import { minibatches } from "../../src/optimize/minibatches.js";
import { exponentialDecay } from "../../src/optimize/schedules.js";
import type { ManySteps, Step } from "../../src/optimize/step.js";
import { plateau, timeLimit } from "../../src/optimize/stopping.js";
import { backends } from "../engine/support.js";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "checkpoint-"));
  path = join(folder, "run");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Every bit of a record, by path. */
function bits(record: Parameters): Record<string, string> {
  return Object.fromEntries(
    leaves(record).map(({ path, tensor }) => {
      const data = tensor.dataSync<"float32">();
      return [
        path,
        `${tensor.dtype} [${tensor.shape}] ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")}`,
      ];
    }),
  );
}

class Broken extends Error {}

/** A callback that ends a run as an error does, after the given step. */
const breakAfter = (last: number) => ({
  progressEvery: 0,
  onProgress: ({ step }: { readonly step: number }) => {
    if (step >= last) throw new Broken(`broken off after ${step}`);
  },
});

describe.each(backends)("a fit with checkpoints on %s", (backend) => {
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  it("resumes to the same bits as if it had not been broken off", async () => {
    const data = tf.tidy(() => tf.add(tf.sin(tf.mul(7, tf.reshape(tf.range(0, 20), [20, 1]))), 2)) as Tensor2D;
    const family = meanFieldGaussian({ dimension: 1 });
    const phi = family.init(randomKey(4));
    const run = async (options: { checkpoint?: CheckpointOptions } & Partial<ReturnType<typeof breakAfter>>) => {
      const fitted = await fitProblem({
        problem: ({ x, scale }) =>
          posteriorProblem({
            family,
            x,
            scale,
            logPrior: (z) => normalLogDensity(z, 0, 1, 1),
            logLikelihood: (z, x) => normalLogDensity(tf.squeeze(z, [2]), tf.squeeze(x, [1]), 1),
          }),
        batches: minibatches({
          data,
          size: 6,
          key: randomKey(3),
          transform: (x, key) => tf.add(x, tf.mul(0.1, normal(key, x.shape))) as Tensor2D,
        }),
        init: { phi },
        bound: iwae,
        samples: 3,
        optimizer: adam({ learningRate: exponentialDecay({ initial: 0.1, factor: 0.5, every: 10 }) }),
        averaging: polyakAveraging({ from: 5 }),
        steps: 30,
        traceEvery: 4,
        key: randomKey(5),
        ...options,
      });
      const { phi: last, average, trace } = fitted;
      const rows = trace.map(({ step, value, gradientNorm }) => [step, value, gradientNorm]);
      const outcome = { phi: bits(last), average: bits(average!), rows, steps: fitted.steps };
      fitted.dispose();
      return outcome;
    };
    const before = tf.memory().numTensors;
    const unbroken = await run({});
    expect(unbroken.average).not.toEqual({ "phi.mean": unbroken.phi.mean, "phi.logScale": unbroken.phi.logScale });
    const checkpoint = { path, every: { steps: 5 } };
    await expect(run({ checkpoint, ...breakAfter(13) })).rejects.toThrow(Broken); // goes on from 10
    await expect(run({ checkpoint, ...breakAfter(26) })).rejects.toThrow(Broken); // goes on from 25
    expect(JSON.parse(readFileSync(`${path}.json`, "utf8")).step).toBe(25);
    expect(await run({ checkpoint })).toEqual(unbroken);
    expect(await run({ checkpoint })).toEqual(unbroken); // nothing is left to do
    expect(tf.memory().numTensors).toBe(before);
    disposeParameters({ data, phi });
  });
});

type Walk = { readonly x: Tensor1D; readonly hits: Tensor; readonly odd: Tensor };
const walk: Step<Walk> = ({ state, key, step }) => {
  const x = tf.add(tf.mul(state.x, 0.9), normal(key, [2])) as Tensor1D;
  return {
    state: {
      x,
      hits: tf.add(state.hits, tf.cast(bernoulli(foldIn(key, 1), tf.scalar(0.5)), "int32")),
      odd: tf.tensor1d([step % 2 === 1], "bool"),
    },
    value: tf.sum(x),
    gradientNorm: tf.norm(state.x) as Scalar,
  };
};
const start = (): Walk => ({ x: tf.tensor1d([1, 2]), hits: tf.scalar(0, "int32"), odd: tf.tensor1d([false], "bool") });

describe("a run with checkpoints", () => {
  beforeAll(async () => void (await ready()));

  type RunOptions = Partial<IterateOptions<Walk>> & {
    readonly advance?: Step<Walk>;
    readonly advanceMany?: ManySteps<Walk>;
    readonly init?: Walk;
  };
  /** Runs, checks that nothing is left behind even where it fails, and gives back all that must not depend on time. */
  const run = async (options: RunOptions = {}) => {
    const init = options.init ?? start();
    const before = tf.memory().numTensors;
    try {
      const result = await iterate({ advance: walk, steps: 40, key: randomKey(1), traceEvery: 3, ...options, init });
      const { state, steps, stoppedBecause } = result;
      const rows = result.trace.map(({ step, value, gradientNorm }) => [step, value, gradientNorm]);
      const outcome = { state: bits(state), rows, steps, stoppedBecause };
      disposeParameters(state);
      return outcome;
    } finally {
      expect(tf.memory().numTensors).toBe(before);
      disposeParameters(init);
    }
  };
  const counted = (): { readonly advance: Step<Walk>; taken: number } => {
    const counter = {
      taken: 0,
      advance: ((inputs) => {
        counter.taken++;
        return walk(inputs);
      }) as Step<Walk>,
    };
    return counter;
  };
  const saved = (): Record<string, unknown> => JSON.parse(readFileSync(`${path}.json`, "utf8"));

  it("restores int32 and bool, whatever the steps were cut into", async () => {
    const unbroken = await run();
    expect(unbroken.state.hits).toMatch(/^int32/);
    const advanceMany: ManySteps<Walk> = {
      stepsPerCall: 7,
      run: ({ state: first, key, step, count }) => {
        let state = first;
        const seen = Array.from({ length: count }, (_, i) => {
          const next = walk({ state, key: foldIn(key, step + i), step: step + i });
          state = next.state;
          return next;
        });
        return {
          state,
          values: tf.stack(seen.map(({ value }) => value)),
          gradientNorms: tf.stack(seen.map(({ gradientNorm }) => gradientNorm!)),
        };
      },
    };
    const checkpoint = { path, every: { steps: 10 } };
    const stop = Object.assign(
      ({ step }: { readonly step: number }) => {
        if (step > 23) throw new Broken();
        return false;
      },
      { asked: "call" as const },
    );
    await expect(run({ checkpoint, advanceMany, stop })).rejects.toThrow(Broken);
    expect(saved().step).toBe(20);
    expect(await run({ checkpoint, advanceMany })).toEqual(unbroken);
  });

  it("stops where the unbroken run stops, and again when it is asked again", async () => {
    const stop = plateau({ window: 30, patience: 1, tolerance: 3 });
    const options = { stop, steps: 400 };
    const unbroken = await run(options);
    expect(unbroken.stoppedBecause).toBe("stop returned true");
    const checkpoint = { path, every: { steps: 7 } };
    await expect(run({ ...options, checkpoint, ...breakAfter(40) })).rejects.toThrow(Broken);
    expect(await run({ ...options, checkpoint })).toEqual(unbroken);
    const again = counted();
    expect(await run({ ...options, checkpoint, advance: again.advance })).toEqual(unbroken);
    expect(again.taken).toBe(0);
    // Without the rule it goes on, as if it had never stopped.
    expect(await run({ steps: 400, checkpoint })).toEqual(await run({ steps: 400 }));
  });

  it("takes only the steps that are missing when it is given more", async () => {
    const checkpoint = { path, every: { steps: 1000 } };
    await run({ checkpoint, steps: 20 });
    const more = counted();
    expect(await run({ checkpoint, advance: more.advance })).toEqual(await run());
    expect(more.taken).toBe(20);
    await expect(run({ checkpoint, steps: 30 })).rejects.toThrow(
      `The checkpoint ${path}.json has taken 40 steps, more than the 30 of this run. Ask for more steps`,
    );
  });

  it("keeps the trace's interval when only the number of steps has changed", async () => {
    const options = { checkpoint: { path }, traceEvery: undefined as unknown as number };
    await run({ ...options, steps: 1500 });
    const { rows } = await run({ ...options, steps: 3000 });
    expect(rows.slice(-2).map(([step]) => step)).toEqual([2997, 3000]);
  });

  it("keeps its time, and the rate is that since it was resumed", async () => {
    const checkpoint = { path, every: { steps: 1 } };
    const wait = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    const slow = { progressEvery: 0, onProgress: wait };
    await run({ checkpoint, ...slow, steps: 20 });
    const until = saved().seconds as number;
    expect(until).toBeGreaterThan(0.1);
    const seen: { step: number; seconds: number; stepsPerSecond: number }[] = [];
    const onProgress = async (at: (typeof seen)[number]): Promise<void> => {
      await wait();
      seen.push(at);
    };
    await run({ checkpoint, progressEvery: 0, onProgress, steps: 30 });
    const { step, seconds, stepsPerSecond } = seen[9]!;
    expect(step).toBe(30);
    expect(stepsPerSecond * (seconds - until)).toBeCloseTo(10, 0);
    expect((await run({ checkpoint, stop: timeLimit(0.05) })).steps).toBe(30);
  });

  it("is saved by time, at the end, and when a cell is interrupted", async () => {
    const steps: number[] = [];
    const onProgress = (): void => void steps.push(saved().step as number);
    await run({ checkpoint: { path, every: { seconds: 0 } }, progressEvery: 0, onProgress, steps: 4 });
    expect(steps).toEqual([1, 2, 3, 4]);
    rmSync(`${path}.json`);
    await run({ checkpoint: { path }, steps: 4 });
    expect(saved().step).toBe(4);

    const slot = globalThis as Record<symbol, unknown>;
    const controller = new AbortController();
    slot[Symbol.for("marginalia.interrupt")] = controller.signal;
    const interruptAt = (at: { readonly step: number }): boolean => {
      if (at.step === 11) controller.abort();
      return false;
    };
    try {
      await expect(run({ checkpoint: { path }, stop: interruptAt })).rejects.toThrow(
        expect.objectContaining({ name: "KeyboardInterrupt" }),
      );
    } finally {
      delete slot[Symbol.for("marginalia.interrupt")];
    }
    expect(saved().step).toBe(11);
    expect(await run({ checkpoint: { path } })).toEqual(await run());
  });

  it("never saves a state that is not finite", async () => {
    const advance: Step<Walk> = (inputs) => {
      const next = walk(inputs);
      return inputs.step === 9 ? { ...next, state: { ...next.state, x: tf.tensor1d([0, Number.NaN]) } } : next;
    };
    const checkpoint = { path, every: { steps: 5 } };
    await expect(run({ advance, checkpoint })).rejects.toThrow("Step 9: x[1] became NaN in its update.");
    expect(saved().step).toBe(5);
    expect(await run({ checkpoint })).toEqual(await run());
  });

  it("starts anew where it is told to", async () => {
    await run({ checkpoint: { path }, key: randomKey(2) });
    const anew = counted();
    expect(await run({ checkpoint: { path, resume: false }, advance: anew.advance })).toEqual(await run());
    expect(anew.taken).toBe(40);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it("refuses another run's checkpoint and names the difference", async () => {
    const settings = { data: "digits", weight: 2 };
    await run({ checkpoint: { path, settings } });
    const refused = (options: RunOptions, difference: string) =>
      expect(run({ checkpoint: { path, settings }, ...options })).rejects.toThrow(
        `The checkpoint ${path}.json is of another run: ${difference}. Give this run a path of its own, or resume: false to start anew.`,
      );
    const { words } = randomKey(1);
    await refused(
      { key: randomKey(2) },
      `its key is ${words.join(" ")}, but here it is ${randomKey(2).words.join(" ")}`,
    );
    await refused({ traceEvery: 4 }, "its traceEvery is 3, but here it is 4");
    await refused(
      { init: { ...start(), x: tf.tensor1d([1, 2, 3]) } },
      "its shape of x is float32 [2], but here it is float32 [3]",
    );
    await refused(
      { checkpoint: { path, settings: { ...settings, data: "letters" } } },
      "its data is digits, but here it is letters",
    );
    await refused({ checkpoint: { path, settings: { data: "digits" } } }, "its weight is 2, but here it is not given");
    await expect(
      run({ checkpoint: { path, settings }, init: { ...start(), x: tf.tensor1d([1, 2.5]) } }),
    ).rejects.toThrow(
      /is of another run: its start of x is sha256 [0-9a-f]{16}, but here it is sha256 [0-9a-f]{16}\. Give/,
    );
    await ready({ backend: "cpu" });
    try {
      await expect(run({ checkpoint: { path, settings } })).rejects.toThrow(
        "its backend is tensorflow, but here it is cpu",
      );
    } finally {
      await ready({ backend: "tensorflow" });
    }
  });

  it("refuses a damaged record, part by part", async () => {
    await run({ checkpoint: { path } });
    const record = saved();
    const damaged = async (change: Record<string, unknown>): Promise<string> => {
      writeFileSync(`${path}.json`, JSON.stringify({ ...record, ...change }));
      return run({ checkpoint: { path } }).then(
        () => "nothing",
        (error: Error) => error.message,
      );
    };
    expect(await damaged({ format: "x" })).toContain('its format is "x", not "marginalia checkpoint 1"');
    for (const change of [
      { step: -1 },
      { step: "3" },
      { seconds: null },
      { traceEvery: 0 },
      { trace: [{ step: 1 }] },
      { trace: {} },
      { partial: { count: 1 } },
      { settings: null },
    ]) {
      expect(await damaged(change)).toContain(
        `The checkpoint ${path}.json cannot be used: its "${Object.keys(change)[0]}" is damaged. Remove it, or give resume: false`,
      );
    }
    expect(await damaged({})).toBe("nothing");
  });

  it("refuses options that make no sense before the first step", async () => {
    const never: Step<Walk> = () => {
      throw new Error("a step was taken");
    };
    const refused = (checkpoint: CheckpointOptions, message: string) =>
      expect(run({ advance: never, checkpoint })).rejects.toThrow(message);
    await refused(
      { path: "" },
      'checkpoint: path must name a file without its ending, for instance "runs/vae", not ""',
    );
    await refused({ path: `${folder}/` }, "path must name a file");
    await refused({ path, every: { steps: 0 } }, "every.steps must be a positive integer, not 0");
    await refused({ path, every: { seconds: -1 } }, "every.seconds must be a number ≥ 0, not -1");
    await refused({ path, every: { seconds: Number.NaN } }, "not NaN");
    writeFileSync(join(folder, "file"), "");
    await refused({ path: join(folder, "file", "run") }, "part of its path is a file, not a folder");
    const twins = { "a.b": tf.scalar(1), a: { b: tf.scalar(2) } };
    await expect(
      iterate({
        init: twins as Parameters,
        advance: ({ state }) => ({ state: { ...state }, value: tf.scalar(1) }),
        steps: 2,
        key: randomKey(1),
        checkpoint: { path },
      }),
    ).rejects.toThrow("Two tensors of the state are called a.b: rename one.");
  });
});

describe("a fit's settings", () => {
  beforeAll(async () => void (await ready()));

  it("tell its method and its data from another's", async () => {
    const family = meanFieldGaussian({ dimension: 1 });
    const phi = family.init(randomKey(4));
    type Change = {
      readonly samples?: number;
      readonly rate?: number;
      readonly beta1?: number;
      readonly decay?: number;
      readonly size?: number;
      readonly bound?: typeof elbo;
      readonly data?: Tensor2D;
    };
    const [ones, twos] = [1, 2].map((value) => tf.fill([8, 1], value) as Tensor2D);
    const run = (change: Change) => {
      const { samples = 2, rate = 0.1, beta1 = 0.9, decay, size = 4, bound = elbo, data = ones! } = change;
      return fitProblem({
        problem: ({ x, scale }) =>
          posteriorProblem({
            family,
            x,
            scale,
            logPrior: (z) => normalLogDensity(z, 0, 1, 1),
            logLikelihood: (z, x) => normalLogDensity(tf.squeeze(z, [2]), tf.squeeze(x, [1]), 1),
          }),
        batches: minibatches({ data, size, key: randomKey(3) }),
        init: { phi },
        bound,
        samples,
        optimizer: adam({ learningRate: rate, beta1 }),
        ...(decay && { averaging: exponentialAveraging({ decay }) }),
        steps: 4,
        key: randomKey(5),
        checkpoint: { path, settings: { model: "line" } },
      });
    };
    (await run({})).dispose();
    (await run({})).dispose();
    const before = tf.memory().numTensors;
    const refused = async (change: Change, difference: string | RegExp) => {
      await expect(run(change)).rejects.toThrow(difference);
    };
    await refused({ samples: 3 }, "its samples is 2, but here it is 3");
    await refused({ bound: iwae }, `its bound is ${elbo.name}, but here it is ${iwae.name}`);
    await refused({ rate: 0.2 }, /its learning rate at the steps 0, 1, 10, .* is 0\.1, 0\.1, .*, but here it is 0\.2/);
    await refused({ beta1: 0.8 }, "its optimizer's beta1 is 0.9, but here it is 0.8");
    await refused({ decay: 0.9 }, "its averaging is none, but here it is exponential");
    await refused({ data: twos! }, /its first batch is \[4, 1\] with the scale 2, sha256 .*, but here it is/);
    await refused({ size: 2 }, /but here it is \[2, 1\] with the scale 4/);
    expect(tf.memory().numTensors).toBe(before);
  });
});
