import { beforeAll, describe, expect, test } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { type MeanFieldParameters, meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { densityProblem } from "../../src/models/problem.js";
import { adam } from "../../src/optimize/adam.js";
import { fit } from "../../src/optimize/fit.js";
import { snapshots } from "../../src/optimize/snapshots.js";

beforeAll(async () => {
  await ready();
});

const run = async (steps: number, path?: ReturnType<typeof snapshots<MeanFieldParameters>>, traceEvery = 5) => {
  const family = meanFieldGaussian({ dimension: 2 });
  const init = { phi: family.init(randomKey(1)) };
  const problem = densityProblem({ family, logDensity: (z) => tf.mul(-0.5, tf.sum(tf.square(tf.sub(z, 3)), 2)) });
  const optimizer = adam({ learningRate: 0.1 });
  const common = { problem, init, bound: elbo, samples: 4, optimizer, key: randomKey(2), traceEvery };
  const result = await fit({ ...common, steps, ...(path && { stop: path.rule }) });
  tf.dispose([init.phi.mean, init.phi.logScale]);
  return result;
};

describe("snapshots", () => {
  test("keeps what a shorter run would have ended with, and lets the fit go on", async () => {
    const before = tf.memory().numTensors;
    const path = snapshots<MeanFieldParameters>([30, 10, 30]);
    const whole = await run(40, path);
    expect(whole.steps).toBe(40);
    expect(path.taken.map(({ step }) => step)).toEqual([10, 30]);
    for (const { step, phi } of path.taken) {
      const short = await run(step);
      expect(phi.mean.arraySync()).toEqual(short.phi.mean.arraySync());
      expect(phi.logScale.arraySync()).toEqual(short.phi.logScale.arraySync());
      short.dispose();
    }
    expect(path.taken[1]!.seconds).toBeGreaterThan(path.taken[0]!.seconds);
    whole.dispose();
    path.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("says what is wrong with its input", async () => {
    expect(() => snapshots([0])).toThrow("a step must be a positive integer, not 0");
    await expect(run(40, snapshots<MeanFieldParameters>([12]))).rejects.toThrow("step 12 is no point of the trace");
  });
});
