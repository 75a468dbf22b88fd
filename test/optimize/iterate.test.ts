import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { foldIn, type Key, normal, randomKey } from "../../src/engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../../src/engine/tf.js";
import { tidied } from "../../src/engine/values.js";
import { callLength } from "../../src/optimize/calls.js";
import { type IterateOptions, iterate } from "../../src/optimize/iterate.js";
import type { ManySteps, ManyStepsInputs, Step } from "../../src/optimize/step.js";
import { gradientBelow, plateau, timeLimit } from "../../src/optimize/stopping.js";
import { read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

type Walk = { readonly x: Tensor1D; readonly moments: { readonly square: Scalar } };
const start = (): Walk => ({ x: tf.tensor1d([1, 2, 3]), moments: { square: tf.scalar(0) } });

/** A noisy contraction: x ← 0.95 x + 0.1 ε, with the value −x² and a gradient norm. */
const walk: Step<Walk> = ({ state, key }) => {
  const x = tf.add(tf.mul(state.x, 0.95), tf.mul(0.1, normal(key, [3]))) as Tensor1D;
  const square = tf.add(state.moments.square, tf.sum(tf.square(x))) as Scalar;
  return {
    state: { x, moments: { square } },
    value: tf.neg(tf.square(x)),
    gradientNorm: tf.norm(state.x) as Scalar,
  };
};

/** Many steps in a call, as a compiled loop takes them; it tells how long its calls are. */
function many<State extends Walk>(step: Step<State>, stepsPerCall: number, calls: number[] = []): ManySteps<State> {
  return {
    stepsPerCall,
    run: ({ state: first, key, step: from, count }: ManyStepsInputs<State>) => {
      calls.push(count);
      let state = first;
      const values: Tensor[] = [];
      const norms: Tensor[] = [];
      for (let i = 0; i < count; i++) {
        const next = step({ state, key: foldIn(key, from + i), step: from + i });
        state = next.state;
        values.push(next.value);
        norms.push(next.gradientNorm!);
      }
      return { state, values: tf.stack(values), gradientNorms: tf.stack(norms) };
    },
  };
}

interface Outcome {
  readonly x: number[];
  readonly square: number[];
  readonly trace: readonly (readonly (number | null)[])[];
  readonly steps: number;
}

/** Runs, checks that nothing is left behind, and gives back all that must not depend on time. */
async function run(
  options: Partial<IterateOptions<Walk>> & { advance?: Step<Walk>; advanceMany?: ManySteps<Walk> },
): Promise<Outcome> {
  const init = start();
  const before = tf.memory().numTensors;
  const { state, trace, steps } = await iterate({
    init,
    advance: walk,
    steps: 100,
    key: randomKey(1),
    ...options,
  });
  expect(tf.memory().numTensors - before).toBe(2);
  const rows = trace.map(({ step, value, gradientNorm }) => [step, value, gradientNorm]);
  const outcome = { x: read(state.x), square: read(state.moments.square), trace: rows, steps };
  tf.dispose([init.x, init.moments.square]);
  return outcome;
}

describe("iterate", () => {
  it("gives each step its own key and number", async () => {
    const seen: [number, Key][] = [];
    await run({
      steps: 3,
      advance: (inputs) => {
        seen.push([inputs.step, inputs.key]);
        return walk(inputs);
      },
    });
    expect(seen).toEqual([0, 1, 2].map((step) => [step, foldIn(randomKey(1), step)]));
  });

  it("traces the mean value and the root mean square of the gradient's norm as rows of a table", async () => {
    const each = await run({ steps: 10, traceEvery: 1 });
    const coarse = await run({ steps: 10, traceEvery: 4 });
    const norms = each.trace.map(([, , norm]) => norm!);
    expect(norms[0]).toBeCloseTo(Math.sqrt(14), 5);
    expect(coarse.trace.map(([step]) => step)).toEqual([4, 8, 10]);
    expect(coarse.trace[0]![2]).toBeCloseTo(Math.hypot(...norms.slice(0, 4)) / 2, 12);
    expect(coarse.trace[2]![2]).toBeCloseTo(Math.hypot(norms[8]!, norms[9]!) / Math.SQRT2, 12);
    expect(coarse.trace[1]![1]).toBeCloseTo(each.trace.slice(4, 8).reduce((sum, [, value]) => sum + value!, 0) / 4, 12);
    const silent = await run({
      steps: 2,
      advance: (inputs) => ({ state: walk(inputs).state, value: inputs.state.x }),
    });
    expect(silent.trace.map(([, , norm]) => norm)).toEqual([null, null]);
  });

  it("tells progress with its rate and the time left", async () => {
    const seen: { step: number; rate: number; left: number; norm: number | null }[] = [];
    await run({
      steps: 50,
      progressEvery: 0,
      onProgress: async ({ step, stepsPerSecond, secondsLeft, gradientNorm }) => {
        seen.push({ step, rate: stepsPerSecond, left: secondsLeft, norm: gradientNorm });
        await new Promise((resolve) => setTimeout(resolve, 2));
      },
    });
    expect(seen.map(({ step }) => step)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    const late = seen[40]!;
    expect(late.rate).toBeGreaterThan(1);
    expect(late.rate).toBeLessThan(500);
    expect(late.left).toBeCloseTo(9 / late.rate, 10);
    expect(seen.at(-1)!.left).toBe(0);
    expect(late.norm).toBeGreaterThan(0);
  });

  it("leaves nothing behind when a callback throws, and keeps the caller's tensors", async () => {
    const init = start();
    const before = tf.memory().numTensors;
    const fail = (): never => {
      throw new Error("the callback's own");
    };
    const options = { init, advance: walk, steps: 9, key: randomKey(1), progressEvery: 0 };
    const fails: Partial<IterateOptions<Walk>>[] = [
      { onProgress: fail },
      { onProgress: async () => fail() },
      { stop: fail },
      { stop: ({ step }) => step === 4 && fail() },
    ];
    for (const callback of fails) {
      await expect(iterate({ ...options, ...callback })).rejects.toThrow("the callback's own");
      await expect(iterate({ ...options, advanceMany: many(walk, 4), ...callback })).rejects.toThrow("the callback's");
    }
    const late: Step<Walk> = (inputs) => (inputs.step === 5 ? fail() : walk(inputs));
    await expect(iterate({ ...options, advance: late })).rejects.toThrow("the callback's own");
    await expect(iterate({ ...options, advanceMany: many(late, 4) })).rejects.toThrow("the callback's own");
    expect(tf.memory().numTensors).toBe(before);
    expect(read(tf.clone(init.x))).toEqual([1, 2, 3]);
  });
});

describe("iterate with many steps a call", () => {
  it("gives the same numbers however the steps are cut", async () => {
    const one = await run({ traceEvery: 7 });
    for (const stepsPerCall of [1, 3, 64, 1000]) {
      const calls: number[] = [];
      const some = await run({ traceEvery: 7, advanceMany: many(walk, stepsPerCall, calls) });
      expect(some).toEqual(one);
      expect(calls.reduce((a, b) => a + b)).toBe(100);
      expect(Math.max(...calls)).toBeLessThanOrEqual(stepsPerCall);
      if (stepsPerCall === 3) expect(calls.slice(0, 2)).toEqual([1, 2]);
    }
  });

  it("stops at the same step however they are cut", async () => {
    const rules = {
      plain: ({ step }: { readonly step: number }) => step === 37,
      plateau: plateau({ window: 20, patience: 1 }),
      gradient: gradientBelow(2.5),
    };
    for (const [name, stop] of Object.entries(rules)) {
      const one = await run({ stop, traceEvery: 2 });
      expect(one.steps, name).toBeLessThan(100);
      expect(await run({ stop, traceEvery: 2, advanceMany: many(walk, 16) }), name).toEqual(one);
    }
  });

  it("asks after calls of many steps where a rule allows it, and cuts them where a point is due", async () => {
    const calls: number[] = [];
    await run({ stop: timeLimit(1e9), advanceMany: many(walk, 1000, calls) });
    expect(Math.max(...calls)).toBeGreaterThan(3);
    const asked: number[] = [];
    const rule = Object.assign(({ step }: { readonly step: number }) => asked.push(step) < 0, {
      asked: "point" as const,
    });
    await run({ stop: rule, traceEvery: 30, advanceMany: many(walk, 1000) });
    expect(asked).toEqual([30, 60, 90]);
  });

  it("takes one step a call where progress is wanted after each", async () => {
    const calls: number[] = [];
    let shown = 0;
    await run({ steps: 12, advanceMany: many(walk, 8, calls), progressEvery: 0, onProgress: () => void shown++ });
    expect([calls, shown]).toEqual([new Array(12).fill(1), 12]);
  });

  it("keeps calls short: they double while they fit, and shrink when the steps slow down", () => {
    const length = callLength({ most: 1000, milliseconds: 50 });
    const taken = (perStep: number): number => {
      const count = length.next(1e9);
      length.took(count, count * perStep);
      return count;
    };
    expect([1, 1, 1, 1, 1, 1, 1].map(taken)).toEqual([1, 2, 4, 8, 16, 32, 50]);
    expect([10, 10, 10].map(taken)).toEqual([50, 5, 5]);
    expect([1000, 1000].map(taken)).toEqual([5, 1]);
    expect([1e-9, 1e-9].map(taken)).toEqual([1, 2]);
    expect(length.next(3)).toBe(3);
  });

  it("finds the step, tensor and index of what is not finite in the middle of a call", async () => {
    const init = start();
    const before = tf.memory().numTensors;
    const spoilt =
      (at: number, spoil: (result: ReturnType<Step<Walk>>) => ReturnType<Step<Walk>>): Step<Walk> =>
      (inputs) =>
        inputs.step === at ? spoil(walk(inputs)) : walk(inputs);
    const hole = (): Tensor1D => tf.tensor1d([0, Number.NaN, 0]);
    const message = async (advance: Step<Walk>, stepsPerCall?: number): Promise<string> => {
      const advanceMany = stepsPerCall === undefined ? undefined : many(advance, stepsPerCall);
      const running = iterate({ init, advance, ...(advanceMany && { advanceMany }), steps: 60, key: randomKey(1) });
      return running.then(
        () => "nothing",
        (error: Error) => error.message,
      );
    };
    const cases: [Step<Walk>, string][] = [
      [
        spoilt(41, (r) => ({ ...r, value: hole() })),
        "Step 41: the objective of datum 1 is NaN. Try a smaller learning rate",
      ],
      [
        spoilt(41, ({ state, ...r }) => ({ ...r, state: { ...state, x: tf.add(state.x, hole()) as Tensor1D } })),
        "Step 41: x[1] became NaN in its update. Try a smaller learning rate",
      ],
      [
        spoilt(41, ({ state, ...r }) => ({
          ...r,
          state: { ...state, moments: { square: tf.scalar(Number.POSITIVE_INFINITY) } },
          gradientNorm: tf.scalar(Number.NaN),
        })),
        "Step 41: the norm of the gradient is NaN, and moments.square became Infinity. Try",
      ],
      [
        spoilt(59, ({ state, ...r }) => ({ ...r, state: { ...state, x: hole() } })),
        "Step 59: x[1] became NaN in its update.",
      ],
      [
        spoilt(0, (r) => ({ ...r, value: hole() })),
        "Step 0: the objective of datum 1 is NaN. Nothing had been updated yet",
      ],
    ];
    for (const [advance, expected] of cases) {
      for (const stepsPerCall of [undefined, 1, 4, 64])
        expect(await message(advance, stepsPerCall)).toContain(expected);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says what the loop saw where single steps do not show it", async () => {
    const init = start();
    const before = tf.memory().numTensors;
    const bad: Step<Walk> = (inputs) =>
      inputs.step === 20
        ? { ...walk(inputs), value: tf.scalar(Number.NEGATIVE_INFINITY) }
        : { ...walk(inputs), value: tf.scalar(1) };
    await expect(
      iterate({ init, advance: walk, advanceMany: many(bad, 8), steps: 60, key: randomKey(1) }),
    ).rejects.toThrow("Step 20: the objective is -Infinity. Try a smaller learning rate");
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses a loop that returns too few rows, or takes no steps a call", async () => {
    const init = start();
    const before = tf.memory().numTensors;
    const short: ManySteps<Walk> = {
      stepsPerCall: 4,
      run: (inputs) => tidied(() => ({ ...many(walk, 4).run(inputs), values: tf.zeros([3, 2]) })),
    };
    const options = { init, advance: walk, steps: 60, key: randomKey(1) };
    await expect(iterate({ ...options, advanceMany: short })).rejects.toThrow(
      "advanceMany: the values of 1 steps have the shape [3, 2], but need 1 rows",
    );
    await expect(iterate({ ...options, advanceMany: { ...short, stepsPerCall: 0 } })).rejects.toThrow(
      "stepsPerCall must be a positive integer, not 0",
    );
    await expect(iterate({ ...options, traceEvery: 0.5 })).rejects.toThrow(
      "traceEvery must be a positive integer, not 0.5",
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
