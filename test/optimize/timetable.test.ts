import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters, leaves } from "../../src/engine/parameters.js";
import { randomKey, uniform } from "../../src/engine/random.js";
import { type Scalar, type Tensor2D, tf } from "../../src/engine/tf.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import { gaussianConditional } from "../../src/families/gaussianConditional.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { type MeanFieldParameters, meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { iwhviDoublyReparameterised } from "../../src/gradients/iwhviDoublyReparameterised.js";
import { hierarchicalLatentVariableProblem, initialParameters } from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi } from "../../src/marginals/marginal.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import type { KlWeight } from "../../src/models/klWeight.js";
import { type ConditionalPosterior, densityProblem, latentVariableProblem } from "../../src/models/problem.js";
import { vae } from "../../src/models/vae.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { adam } from "../../src/optimize/adam.js";
import type { CheckpointOptions } from "../../src/optimize/checkpoint.js";
import type { Compilation } from "../../src/optimize/compiledSteps.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { type Minibatch, type Minibatches, minibatches } from "../../src/optimize/minibatches.js";
import { exponentialDecay, linear } from "../../src/optimize/schedules.js";
import { stepwise } from "../../src/optimize/stepwise.js";
import { timetable } from "../../src/optimize/timetable.js";
import { backends, expectClose } from "../engine/support.js";

const optimizer = adam({ learningRate: exponentialDecay({ initial: 0.03, factor: 0.7, every: 11 }) });
const steps = 40;

/** A small VAE with a hierarchical q, warmed up over 13 steps, K = 0, 2, 3 and M = 1, 2. */
const model = vae({ latent: 2, observed: 6, hidden: [5] });
const family = hierarchical({
  mixing: amortisedGaussian({ latent: 2, observed: 6, hidden: [5] }),
  conditional: gaussianConditional({ latent: 2, mixing: 2, observed: 6, hidden: [5], scale: "network" }),
});
const reverse = gaussianReverse({ latent: 2, mixing: 2, observed: 6, hidden: [5] });

interface Variant {
  readonly compile?: Compilation;
  readonly checkpoint?: CheckpointOptions;
  readonly breakAfter?: number;
  readonly warmUp?: number;
  readonly peeking?: boolean;
  readonly record?: (draws: number) => void;
}

const conjugateProblem = (family: ConditionalPosterior<MeanFieldParameters>, klWeight: KlWeight) =>
  latentVariableProblem({ model: conjugateGaussian, family, x: tf.tensor2d([[2]]), scale: 1, klWeight });

async function fitVae({ warmUp = 13, peeking, record, breakAfter, ...options }: Variant) {
  const data = uniform(randomKey(2), [10, 6]) as Tensor2D;
  const init = {
    theta: model.init(randomKey(4)),
    phi: initialParameters(family, iwhvi({ reverse, samples: 0 }), randomKey(5)),
  };
  try {
    const fitted = await fitProblem({
      batches: minibatches({
        data,
        size: 3,
        key: randomKey(3),
        transform: (x, key) => tf.cast(tf.less(uniform(key, x.shape), x), "float32") as Tensor2D,
      }),
      schedules: { beta: linear({ from: 0.01, to: 1, over: warmUp }) },
      stages: { draws: stepwise({ 0: 0, 7: 2, 23: 3 }) },
      problem: ({ x, scale }, { beta, draws }) => {
        record?.(draws);
        if (peeking) beta.dataSync();
        return hierarchicalLatentVariableProblem({
          model,
          family,
          x,
          scale,
          klWeight: beta,
          marginal: iwhvi({ reverse, samples: draws }),
        });
      },
      init,
      bound: iwae,
      samples: stepwise({ 0: 1, 23: 2 }),
      gradient: iwhviDoublyReparameterised,
      optimizer,
      steps,
      traceEvery: 1,
      key: randomKey(1),
      ...(breakAfter !== undefined && {
        progressEvery: 0,
        onProgress: ({ step }: { readonly step: number }) => {
          if (step >= breakAfter) throw new Error("broken off");
        },
      }),
      ...options,
    });
    const numbers = leaves({ theta: fitted.theta, phi: fitted.phi }).flatMap(({ tensor }) =>
      Array.from(tensor.dataSync()),
    );
    fitted.dispose();
    return { numbers, trace: fitted.trace.map(({ step, value, gradientNorm }) => [step, value, gradientNorm]) };
  } finally {
    disposeParameters({ data, ...init });
  }
}

describe.each(backends)("a fit with schedules and stages on %s", (backend) => {
  let numTensors = 0;
  let folder = "";
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));
  beforeEach(() => {
    numTensors = tf.memory().numTensors;
    folder = mkdtempSync(join(tmpdir(), "timetable-"));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    expect(tf.memory().numTensors).toBe(numTensors);
    rmSync(folder, { recursive: true });
  });

  it("is an eager one, compiled", async () => {
    const eager = await fitVae({ compile: "none" });
    const compiled = await fitVae({ compile: "graph" });
    if (backend === "tensorflow") {
      expectClose(compiled.numbers, eager.numbers, 1e-4); // libtensorflow joins operations, which rounds otherwise
      expectClose(compiled.trace.flat() as number[], eager.trace.flat() as number[], 1e-4);
    } else expect(compiled).toEqual(eager);
    // The warm-up is in the numbers, at each of its steps and at none after them but through what it left.
    const without = await fitVae({ compile: "graph", warmUp: 1 });
    expect(without.trace[0]).toEqual(compiled.trace[0]);
    expect(Math.abs(without.trace[1][1]! - compiled.trace[1][1]!)).toBeGreaterThan(0.01);
  });

  it("resumes to the same bits, in the middle of the warm-up and across changes of stage", async () => {
    const unbroken = await fitVae({});
    const checkpoint = { path: join(folder, "run"), every: { steps: 5 } };
    for (const breakAfter of [12, 21]) {
      await expect(fitVae({ checkpoint, breakAfter })).rejects.toThrow("broken off");
    }
    expect(JSON.parse(readFileSync(`${checkpoint.path}.json`, "utf8")).step).toBe(20);
    expect(await fitVae({ checkpoint })).toEqual(unbroken);
  });

  it("runs eagerly to the same numbers where the step cannot be compiled", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    expect(await fitVae({ peeking: true })).toEqual(await fitVae({ compile: "none" }));
    expect(warn).toHaveBeenCalledTimes(1);
    await expect(fitVae({ peeking: true, compile: "graph" })).rejects.toThrow("read");
  });
});

describe("a fit with schedules and stages", () => {
  beforeAll(async () => void (await ready()));

  it("records one graph a stage, in their order, and none for a schedule", async () => {
    const seen: number[] = [];
    await fitVae({ compile: "graph", record: (draws) => void seen.push(draws) });
    expect(seen.length).toBeLessThan(20); // a few recordings each, not 40 steps
    expect(seen.filter((draws, i) => draws !== seen[i - 1])).toEqual([0, 2, 3]);
    const eager: number[] = [];
    await fitVae({ compile: "none", record: (draws) => void eager.push(draws) });
    expect(eager).toEqual(Array.from({ length: steps }, (_, t) => (t < 7 ? 0 : t < 23 ? 2 : 3)));
  });

  it("is by XLA the eager one but for rounding", async () => {
    const gaussian = meanFieldGaussian({ dimension: 1 });
    const phi = gaussian.init(randomKey(1));
    const valuesBy = async (compile: Compilation) => {
      const fitted = await fitProblem({
        schedules: { beta: linear({ from: 0, to: 1, over: 10 }) },
        problem: ({ beta }) => conjugateProblem(gaussian, beta),
        init: { phi },
        bound: iwae,
        samples: stepwise({ 0: 1, 6: 3 }),
        optimizer,
        steps: 12,
        traceEvery: 1,
        key: randomKey(2),
        compile,
      });
      fitted.dispose();
      return fitted.trace.map(({ value }) => value);
    };
    expectClose(await valuesBy("xla"), await valuesBy("none"), 1e-4);
    disposeParameters(phi);
  });

  it("finds what each step climbs: the optimum of the weight it ends with", async () => {
    // E log p(x | z) + β (E log p(z) − E log q(z)) has its maximum at m = x/(1 + β), s² = β/(1 + β), if β is in (0, 1].
    const gaussian = meanFieldGaussian({ dimension: 1 });
    const phi = gaussian.init(randomKey(1));
    const fitted = await fitProblem({
      schedules: { beta: linear({ from: 3, to: 0.25, over: 400 }) },
      problem: ({ beta }) => conjugateProblem(gaussian, beta),
      init: { phi },
      bound: elbo,
      samples: 64,
      optimizer: adam({ learningRate: exponentialDecay({ initial: 0.05, factor: 0.7, every: 150 }) }),
      steps: 2000,
      key: randomKey(2),
    });
    expect(fitted.phi.mean.dataSync()[0]).toBeCloseTo(2 / 1.25, 1.5);
    expect(Math.exp(2 * fitted.phi.logScale.dataSync()[0]!)).toBeCloseTo(0.25 / 1.25, 1.5);
    fitted.dispose();
    disposeParameters(phi);
  });

  it("refuses the checkpoint of another warm-up or of other stages", async () => {
    const folder = mkdtempSync(join(tmpdir(), "timetable-"));
    const checkpoint = { path: join(folder, "run") };
    await fitVae({ checkpoint });
    await expect(fitVae({ checkpoint, warmUp: 14 })).rejects.toThrow(
      /is of another run: its beta at the steps 0, 1, 2, /,
    );
    const { settings } = JSON.parse(readFileSync(`${checkpoint.path}.json`, "utf8"));
    expect(settings.draws).toBe("0 from step 0, 2 from step 7, 3 from step 23");
    expect(settings.samples).toBe("1 from step 0, 2 from step 23");
    rmSync(folder, { recursive: true });
  });

  const gaussian = meanFieldGaussian({ dimension: 1 });
  const problem = densityProblem({ logDensity: (z) => normalLogDensity(z, 0, 1, 1), family: gaussian });
  const run = async (options: object) => {
    const phi = gaussian.init(randomKey(1));
    try {
      const given = { problem, init: { phi }, bound: elbo, samples: 2, optimizer, steps: 9, key: randomKey(1) };
      return await fitProblem({ ...given, ...options });
    } finally {
      disposeParameters(phi);
    }
  };

  it("says what is wrong with them", async () => {
    const beta = linear({ from: 0, to: 1, over: 3 });
    await expect(run({ schedules: { beta } })).rejects.toThrow(
      "fit: with schedules or stages, problem must be a function of their values: (at) => …, with at.beta",
    );
    await expect(run({ stages: { draws: stepwise({ 0: 1 }) } })).rejects.toThrow("with at.draws");
    await expect(run({ problem: () => problem })).rejects.toThrow("so give the batches too");
    const ofBatch = (_batch: unknown, _at: unknown) => problem;
    await expect(run({ schedules: { beta }, problem: ofBatch })).rejects.toThrow("so give the batches too");
    await expect(
      run({ schedules: { k: beta }, stages: { k: stepwise({ 0: 1 }) }, problem: () => problem }),
    ).rejects.toThrow("fit: k is both a schedule and a stage; rename one.");
    await expect(run({ samples: stepwise({ 0: 4, 5: 0 }) })).rejects.toThrow("K must be a positive integer, not 0");
    for (const compile of ["graph", "none"]) {
      const at = (step: number) => 1 / (4 - step);
      await expect(run({ schedules: { beta: at }, problem: () => problem, compile })).rejects.toThrow(
        "fit: the schedule beta gives Infinity at step 4; it must be a finite number.",
      );
    }
  });

  it("types what a problem is given by the names that were given, with batches and without", () => {
    const options = { init: { phi: gaussian.init(randomKey(1)) }, bound: elbo, samples: 1, optimizer, steps: 1 };
    const named = {
      schedules: { beta: linear({ from: 0, to: 1, over: 3 }) },
      stages: { draws: stepwise({ 0: 0, 5: 2 }), name: stepwise({ 0: "hvm", 5: "iwhvi" }) },
    };
    const batches = undefined as unknown as Minibatches;
    void (() =>
      fitProblem({
        ...options,
        ...named,
        key: randomKey(1),
        problem: (at) => {
          expectTypeOf(at.beta).toEqualTypeOf<Scalar>();
          expectTypeOf(at.draws).toEqualTypeOf<0 | 2>();
          expectTypeOf(at.name).toEqualTypeOf<"hvm" | "iwhvi">();
          // @ts-expect-error there is no such name
          at.gamma;
          return problem;
        },
      }));
    void (() =>
      fitProblem({
        ...options,
        key: randomKey(1),
        batches,
        problem: (batch, at) => {
          expectTypeOf(batch).toEqualTypeOf<Minibatch>();
          expectTypeOf(at.beta).toEqualTypeOf<Scalar>();
          return problem;
        },
        schedules: named.schedules,
      }));
    // @ts-expect-error a schedule is no stage: it would be recorded anew at every step
    void (() => fitProblem({ ...options, key: randomKey(1), problem: () => problem, stages: named.schedules }));
    disposeParameters(options.init.phi);
  });

  it("tells how long a stage lasts", () => {
    const times = timetable({
      samples: stepwise({ 0: 1, 10: 2 }),
      stages: { draws: stepwise({ 0: 0, 4: 5 }), name: stepwise({ 0: "a", 10: "b" }) },
    });
    expect([0, 3, 4, 9, 10].map(times.stepsLeft)).toEqual([4, 1, 6, 1, Number.POSITIVE_INFINITY]);
    expect(times.stageAt(9)).toEqual({ samples: 1, values: { draws: 5, name: "a" } });
    expect(timetable({ samples: 3 }).stepsLeft(0)).toBe(Number.POSITIVE_INFINITY);
  });
});
