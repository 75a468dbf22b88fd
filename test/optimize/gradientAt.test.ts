import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Scalar, tf } from "../../src/engine/tf.js";
import { arm } from "../../src/gradients/arm.js";
import { gumbelSoftmax } from "../../src/gradients/gumbelSoftmax.js";
import { rebar } from "../../src/gradients/rebar.js";
import { withFixedModel } from "../../src/models/problem.js";
import { adam } from "../../src/optimize/adam.js";
import type { Compilation } from "../../src/optimize/compiledSteps.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { linear } from "../../src/optimize/schedules.js";
import { stepwise } from "../../src/optimize/stepwise.js";
import { backends, expectClose } from "../engine/support.js";
import { chainCase } from "../gradients/support.js";

const optimizer = adam({ learningRate: 0.05 });

/** A chain of three bits whose model is fixed. */
function chain() {
  const { problem, theta, phi, exact } = chainCase(3, elbo, 4);
  tf.dispose(exact);
  return { problem: withFixedModel(problem, theta), phi, dispose: () => tf.dispose({ theta, phi }) };
}

/** Logits and trace after some steps of a temperature that falls from 2 to `to`. */
async function annealed(options: {
  readonly compile?: Compilation;
  readonly to: number;
  readonly steps?: number;
  readonly of?: (temperature: Scalar) => ReturnType<typeof gumbelSoftmax>;
}) {
  const { compile, to, steps = 70, of = (temperature) => gumbelSoftmax({ temperature }) } = options;
  const { problem, phi, dispose } = chain();
  const fitted = await fitProblem({
    problem,
    schedules: { temperature: linear({ from: 2, to, over: 40 }) },
    gradientAt: ({ temperature }) => of(temperature),
    init: { phi },
    bound: elbo,
    samples: 4,
    optimizer,
    steps,
    traceEvery: 1,
    key: randomKey(5),
    compile,
  });
  const logits = Array.from(fitted.phi.logits.dataSync());
  fitted.dispose();
  dispose();
  return { logits, trace: fitted.trace.map(({ value }) => value) };
}

describe.each(backends)("a fit whose gradient has a schedule, on %s", (backend) => {
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  it("is an eager one, compiled, at the temperature of each step", async () => {
    const before = tf.memory().numTensors;
    const [eager, compiled] = [
      await annealed({ compile: "none", to: 0.2 }),
      await annealed({ compile: "graph", to: 0.2 }),
    ];
    expectClose(compiled.logits, eager.logits, 1e-4);
    expectClose(compiled.trace, eager.trace, 1e-4);
    const constant = await annealed({ compile: "graph", to: 2 });
    expect(constant.trace[0]).toBeCloseTo(compiled.trace[0]!, 5); // the same temperature yet
    expect(Math.max(...constant.logits.map((l, i) => Math.abs(l - compiled.logits[i]!)))).toBeGreaterThan(0.05);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("a fit whose gradient has a schedule", () => {
  beforeAll(async () => void (await ready()));

  it("is by XLA the eager one but for rounding, and records no graph a step", async () => {
    let made = 0;
    const of = (temperature: Scalar) => {
      made++;
      return rebar({ temperature });
    };
    const compiled = await annealed({ compile: "xla", to: 0.2, steps: 20, of });
    expect(made).toBeLessThan(10);
    const eager = await annealed({ compile: "none", to: 0.2, steps: 20, of });
    expectClose(compiled.logits, eager.logits, 1e-3);
  });

  it("tells a checkpoint of another gradient from its own, and takes stages", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gradient-at-"));
    const { problem, phi } = chain();
    const run = async (steps: number, cold: boolean) =>
      (
        await fitProblem({
          problem,
          stages: { hot: stepwise({ 0: true, 6: false }) },
          gradientAt: ({ hot }) => (hot && !cold ? arm : rebar({ temperature: 0.5 })),
          init: { phi },
          bound: elbo,
          samples: 4,
          optimizer,
          steps,
          key: randomKey(5),
          checkpoint: { path: join(folder, "run"), every: { steps: 4 } },
        })
      ).dispose();
    await run(8, false);
    await expect(run(12, true)).rejects.toThrow("gradient");
    rmSync(folder, { recursive: true });
  });

  it("refuses two gradients, or a gradient of nothing", async () => {
    const { problem, phi } = chain();
    const rest = { problem, init: { phi }, bound: elbo, samples: 4, optimizer, steps: 2, key: randomKey(1) };
    const gradientAt = () => arm;
    await expect(fitProblem({ ...rest, gradientAt })).rejects.toThrow("there are none; give schedules, or gradient");
    const schedules = { temperature: linear({ from: 1, to: 0.5, over: 3 }) };
    await expect(fitProblem({ ...rest, schedules, gradientAt, gradient: arm })).rejects.toThrow("not both");
    await expect(fitProblem({ ...rest, schedules, gradient: arm } as never)).rejects.toThrow(
      "function of their values",
    );
  });
});
