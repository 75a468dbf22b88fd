import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { estimateBound } from "../../src/bounds/estimateBound.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { leaves, mapParameters, type Parameters } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { type Scalar, type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { fullRankGaussian } from "../../src/families/fullRankGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { densityProblem, latentVariableProblem, posteriorProblem } from "../../src/models/problem.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { adam } from "../../src/optimize/adam.js";
import { polyakAveraging } from "../../src/optimize/averaging.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { iterate } from "../../src/optimize/iterate.js";
import { minibatches } from "../../src/optimize/minibatches.js";
import type { Optimizer } from "../../src/optimize/optimizer.js";
import { exponentialDecay } from "../../src/optimize/schedules.js";
import { variationalStep } from "../../src/optimize/variationalStep.js";
import { read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

/** The Gaussian with mean (1, −2) and precision [[2, .8], [.8, 1]], unnormalised. */
const logDensity = (z: Tensor3D): Tensor =>
  tf.tidy(() => {
    const [x, y] = tf.unstack(tf.sub(z, tf.tensor1d([1, -2])), 2);
    return tf.mul(-0.5, tf.add(tf.add(tf.mul(2, tf.square(x)), tf.square(y)), tf.mul(1.6, tf.mul(x, y))));
  });
const optimizer = adam({ learningRate: exponentialDecay({ initial: 0.1, factor: 0.5, every: 60 }) });

describe("fit", () => {
  it("recovers a Gaussian: the full-rank q exactly, the mean-field one with variances 1/Λ_dd", async () => {
    const common = { bound: elbo, samples: 64, optimizer, steps: 400, key: randomKey(1) };
    const full = fullRankGaussian({ dimension: 2 });
    const fitted = await fitProblem({
      ...common,
      problem: densityProblem({ logDensity, family: full }),
      init: { phi: full.init(randomKey(2)) },
    });
    const q = full.distribution(fitted.phi);
    const [mx, my] = read(q.mean());
    expect(mx).toBeCloseTo(1, 1);
    expect(my).toBeCloseTo(-2, 1);
    const [vx, vy] = read(q.variance()); // Λ⁻¹ = [[1, −.8], [−.8, 2]] / 1.36
    expect(vx).toBeCloseTo(1 / 1.36, 1);
    expect(vy).toBeCloseTo(2 / 1.36, 1);
    const logEvidence = Math.log(2 * Math.PI) - 0.5 * Math.log(1.36);
    const reached = { theta: {}, bound: elbo, samples: 2000, replicates: 5, key: randomKey(9) };
    const exact = await estimateBound({
      ...reached,
      problem: densityProblem({ logDensity, family: full }),
      phi: fitted.phi,
    });
    expect(exact.value).toBeCloseTo(logEvidence, 2);
    expect(fitted.stoppedBecause).toBe("all steps taken");

    const mean = meanFieldGaussian({ dimension: 2 });
    const factorised = await fitProblem({
      ...common,
      problem: densityProblem({ logDensity, family: mean }),
      init: { phi: mean.init(randomKey(2)) },
    });
    const [ux, uy] = read(mean.distribution(factorised.phi).variance());
    expect(ux).toBeCloseTo(1 / 2, 1);
    expect(uy).toBeCloseTo(1, 1);
    // The gap is ½ log(Λ_11 Λ_22 / |Λ|).
    const { value, standardError } = await estimateBound({
      ...reached,
      problem: densityProblem({ logDensity, family: mean }),
      phi: factorised.phi,
    });
    const best = logEvidence - 0.5 * Math.log(2 / 1.36);
    expect(value).toBeLessThan(best + 4 * standardError);
    expect(value).toBeGreaterThan(best - 0.01 - 4 * standardError);
    expect(standardError).toBeLessThan(0.02);
  });

  it("gives the same numbers for the same key, and others for another", async () => {
    const family = meanFieldGaussian({ dimension: 2 });
    const run = async (seed: number) => {
      const { phi, trace } = await fitProblem({
        problem: densityProblem({ logDensity, family }),
        init: { phi: family.init(randomKey(2)) },
        bound: iwae,
        samples: 4,
        optimizer,
        steps: 20,
        key: randomKey(seed),
      });
      return [...read(phi.mean), ...read(phi.logScale), ...trace.map(({ value }) => value)];
    };
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(3));
  });

  it("learns a global posterior from minibatches with the scale N/S", async () => {
    const n = 60;
    const data = tf.tensor2d(
      Float32Array.from({ length: n }, (_, i) => 3 + Math.sin(7 * i)),
      [n, 1],
    );
    const total = read(tf.sum(data))[0];
    const family = meanFieldGaussian({ dimension: 1 });
    const { phi } = await fitProblem({
      problem: ({ x, scale }) =>
        posteriorProblem({
          family,
          x,
          scale,
          logPrior: (z) => normalLogDensity(z, 0, 1, 1),
          logLikelihood: (z, x) => normalLogDensity(tf.squeeze(z, [2]), tf.squeeze(x, [1]), 1),
        }),
      batches: minibatches({ data, size: 15, key: randomKey(3) }),
      init: { phi: family.init(randomKey(4)) },
      bound: elbo,
      samples: 8,
      optimizer: adam({ learningRate: exponentialDecay({ initial: 0.2, factor: 0.5, every: 75 }) }),
      steps: 600,
      key: randomKey(5),
    });
    // Conjugate: precision n + 1, mean Σx/(n + 1). Without N/S the precision would be 16.
    expect(read(phi.mean)[0]).toBeCloseTo(total / (n + 1), 1);
    expect(read(tf.exp(phi.logScale))[0] ** -2 / (n + 1)).toBeCloseTo(1, 1);
  });

  it("does not grow in memory, and leaves the caller's tensors alone", async () => {
    const family = meanFieldGaussian({ dimension: 2 });
    const problem = densityProblem({ logDensity, family });
    const phi = family.init(randomKey(2));
    const before = tf.memory().numTensors;
    const seen: number[] = [];
    const options = { problem, init: { phi }, bound: iwae, samples: 3, optimizer, key: randomKey(1) };
    const fitted = await fitProblem({
      ...options,
      steps: 12,
      progressEvery: 0,
      onProgress: () => void seen.push(tf.memory().numTensors),
    });
    expect(seen).toHaveLength(12);
    expect(new Set(seen.slice(1)).size).toBe(1);
    fitted.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(phi.mean.isDisposed).toBe(false);
  });

  it("gives the norm of the whole gradient", async () => {
    const family = meanFieldGaussian({ dimension: 2 });
    const problem = densityProblem({ logDensity, family });
    const state = { theta: {}, phi: family.init(randomKey(2)), optimizer: {} };
    const seen: Parameters[] = [];
    const spy: Optimizer = {
      name: "spy",
      schedule: () => 0.5,
      init: () => ({}),
      step: ({ parameters, gradient, state, learningRate }) => {
        expect(learningRate).toBe(-0.5);
        seen.push(mapParameters(gradient, (tensor) => tf.keep(tf.clone(tensor))));
        return { parameters: mapParameters(parameters, (tensor) => tf.clone(tensor)), state };
      },
    };
    const method = { bound: elbo, samples: 3, optimizer: spy };
    const { gradientNorm } = variationalStep(method, { problem, state, key: randomKey(1), step: 0 });
    const numbers = leaves(seen[0]!).flatMap(({ tensor }) => read(tensor));
    expect(numbers).toHaveLength(4);
    expect(read(gradientNorm)[0]).toBeCloseTo(Math.hypot(...numbers), 4);
  });

  it("feeds a learning rate in place of the schedule's, as a number or a tensor", () => {
    const family = meanFieldGaussian({ dimension: 2 });
    const phi = family.init(randomKey(2));
    const problem = densityProblem({ logDensity, family });
    const method = { bound: elbo, samples: 3, optimizer };
    const state = { theta: {}, phi, optimizer: optimizer.init({ phi }) };
    const moved = (learningRate?: number | Scalar): number[] => {
      const inputs = { problem, state, key: randomKey(1), step: 60, ...(learningRate && { learningRate }) };
      return read(variationalStep(method, inputs).state.phi.mean);
    };
    expect(moved(0.05)).toEqual(moved()); // the schedule at step 60
    expect(moved(tf.scalar(0.05))).toEqual(moved());
    expect(moved(0.1)).not.toEqual(moved());
  });

  it("averages the parameters over the last steps, nearer to the optimum than those are", async () => {
    const family = meanFieldGaussian({ dimension: 2 });
    // q's optimum has the mean (1, −2) and the variances (1/2, 1).
    const distance = ({ mean, logScale }: { readonly mean: Tensor; readonly logScale: Tensor }): number => {
      const [a, b, c, d] = [...mean.dataSync(), ...logScale.dataSync()] as unknown as [number, number, number, number];
      return Math.hypot(a - 1, b + 2, c + Math.log(2) / 2, d);
    };
    const distances: number[] = [];
    const fitted = await fitProblem({
      problem: densityProblem({ logDensity, family }),
      init: { phi: family.init(randomKey(2)) },
      bound: elbo,
      samples: 1,
      optimizer: adam({ learningRate: 0.1 }),
      averaging: polyakAveraging({ from: 200 }),
      steps: 700,
      key: randomKey(1),
      stop: ({ step, state }) => {
        if (step > 200) distances.push(distance(state.phi));
        return false;
      },
    });
    // Iterates of a fixed step size hover about the optimum; their mean has the error of some dozens of independent ones.
    expect(distance(fitted.average!.phi)).toBeLessThan(distances.reduce((sum, d) => sum + d, 0) / distances.length / 3);
    const before = tf.memory().numTensors;
    fitted.dispose();
    expect(before - tf.memory().numTensors).toBe(4);
  });

  it("stops when asked, and says so", async () => {
    const family = meanFieldGaussian({ dimension: 2 });
    const fitted = await fitProblem({
      problem: densityProblem({ logDensity, family }),
      init: { phi: family.init(randomKey(2)) },
      bound: elbo,
      samples: 1,
      optimizer,
      steps: 100,
      key: randomKey(1),
      stop: ({ step }) => step === 7,
    });
    expect([fitted.steps, fitted.stoppedBecause]).toEqual([7, "stop returned true"]);
    expect(fitted.trace.at(-1)?.step).toBe(7);
  });

  it("averages the trace over its intervals and reports progress to the end", async () => {
    const family = meanFieldGaussian({ dimension: 2 });
    const options = {
      problem: densityProblem({ logDensity, family }),
      init: { phi: family.init(randomKey(2)) },
      bound: elbo,
      samples: 1,
      optimizer,
      steps: 10,
      key: randomKey(1),
    };
    const each: number[] = [];
    const done: number[] = [];
    // What a notebook's live trace takes must be what a fit gives.
    const trace = (at: { step: number; steps: number; value: number; seconds: number }): void => {
      each.push(at.value);
      done.push(at.step / at.steps);
    };
    const fine = await fitProblem({ ...options, progressEvery: 0, onProgress: trace });
    expect(done).toEqual(each.map((_, i) => (i + 1) / 10));
    expect(fine.trace.map(({ value }) => value)).toEqual(each);
    const coarse = await fitProblem({ ...options, traceEvery: 4 });
    expect(coarse.trace.map(({ step }) => step)).toEqual([4, 8, 10]);
    expect(coarse.trace[0].value).toBeCloseTo((each[0] + each[1] + each[2] + each[3]) / 4, 12);
    expect(coarse.trace[2].value).toBeCloseTo((each[8] + each[9]) / 2, 12);
  });

  it("names step and tensor where a value is not finite, and leaves nothing behind", async () => {
    const family = meanFieldGaussian({ dimension: 2 });
    const phi = family.init(randomKey(2));
    const options = { init: { phi }, bound: elbo, samples: 2, key: randomKey(1), steps: 50 };
    const before = tf.memory().numTensors;
    await expect(
      fitProblem({
        ...options,
        optimizer: adam({ learningRate: 1e30 }),
        problem: densityProblem({ logDensity, family }),
      }),
    ).rejects.toThrow(/^Step \d+: .*(phi\.(mean|logScale)\[0, \d\] became|the objective is).*smaller learning rate/s);
    const undefinedThere = densityProblem({ logDensity: (z) => tf.log(tf.sum(tf.mul(z, 0), 2)), family });
    await expect(fitProblem({ ...options, optimizer, problem: undefinedThere })).rejects.toThrow(
      /^Step 0: the objective is -Infinity.*Nothing had been updated yet/s,
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it("names the datum that is not a number", async () => {
    const family = meanFieldGaussian({ dimension: 1, batchSize: 3 });
    const problem = latentVariableProblem({
      model: conjugateGaussian,
      family,
      x: tf.tensor2d([[1], [Number.NaN], [2]]),
      scale: 1,
    });
    await expect(
      fitProblem({
        problem,
        init: { phi: family.init(randomKey(1)) },
        bound: elbo,
        samples: 2,
        optimizer,
        steps: 5,
        key: randomKey(1),
      }),
    ).rejects.toThrow("Step 0: the objective of datum 1 is NaN");
  });

  it("refuses no samples, no steps, and a problem that does not go with its batches", async () => {
    const family = meanFieldGaussian({ dimension: 2 });
    const options = {
      problem: densityProblem({ logDensity, family }),
      init: { phi: family.init(randomKey(2)) },
      bound: elbo,
      optimizer,
      key: randomKey(1),
    };
    await expect(fitProblem({ ...options, samples: 0, steps: 10 })).rejects.toThrow(
      "K must be a positive integer, not 0",
    );
    await expect(fitProblem({ ...options, samples: 1, steps: 5, problem: () => options.problem })).rejects.toThrow(
      "give the batches too",
    );
    const batches = minibatches({ data: tf.zeros([4, 1]) as Tensor2D, size: 2, key: randomKey(1) });
    await expect(fitProblem({ ...options, samples: 1, steps: 5, batches })).rejects.toThrow("a function of the batch");
    await expect(fitProblem({ ...options, samples: 1, steps: 0 })).rejects.toThrow(
      "steps must be a positive integer, not 0",
    );
  });

  it("ends at an interrupt, before its next step", async () => {
    const slot = globalThis as Record<symbol, unknown>;
    const name = Symbol.for("marginalia.interrupt");
    const controller = new AbortController();
    slot[name] = controller.signal;
    let last = 0;
    const before = tf.memory().numTensors;
    const family = meanFieldGaussian({ dimension: 2 });
    const phi = family.init(randomKey(2));
    try {
      await expect(
        fitProblem({
          problem: densityProblem({ logDensity, family }),
          init: { phi },
          bound: elbo,
          samples: 1,
          optimizer,
          steps: 1000,
          key: randomKey(1),
          stop: ({ step }) => {
            last = step;
            if (step === 3) controller.abort();
            return false;
          },
        }),
      ).rejects.toThrow(expect.objectContaining({ name: "KeyboardInterrupt" }));
      expect(last).toBe(3);
      tf.dispose([phi.mean, phi.logScale]);
      expect(tf.memory().numTensors).toBe(before);
    } finally {
      delete slot[name];
    }
  });
});

describe("iterate", () => {
  it("drives any pure step", async () => {
    const { state, trace } = await iterate({
      init: { x: tf.scalar(8) as Scalar },
      advance: ({ state }) => ({ state: { x: tf.div(state.x, 2) as Scalar }, value: state.x }),
      steps: 3,
      key: randomKey(1),
    });
    expect(read(state.x)).toEqual([1]);
    expect(trace.map(({ value }) => value)).toEqual([8, 4, 2]);
  });

  it("keeps a tensor that a step passes on unchanged", async () => {
    const init = { fixed: tf.ones([2]) as Tensor, x: tf.scalar(1) as Tensor };
    const { state } = await iterate({
      init,
      advance: ({ state }) => ({ state: { fixed: state.fixed, x: tf.add(state.x, 1) }, value: state.x }),
      steps: 4,
      key: randomKey(1),
    });
    expect(state.fixed).toBe(init.fixed);
    expect(read(state.fixed)).toEqual([1, 1]);
    expect((state.x as Tensor2D).isDisposed).toBe(false);
  });
});
