import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { foldIn, type Key, normal, randomKey } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { estimateGradient, type Gradient } from "../../src/gradients/gradient.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { gammaNormalSeries, simulateGammaNormalSeries } from "../../src/models/gammaNormalSeries.js";
import { lgamma } from "../../src/ops/lgamma.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const [P, T, L, F] = [2, 3, 2, 2];
const law = {
  states: F,
  initialMean: 1.2,
  initialVariance: 0.1,
  driftVariance: 0.05,
  weightScale: 0.8,
  offsetScale: 1.5,
  noise: 0.6,
};

function given() {
  const { labs } = simulateGammaNormalSeries({ ...law, patients: P, visits: T, labs: L, key: randomKey(1) });
  const seen = tf.tensor3d([1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1], [P, T, L]);
  return { labs, seen, series: gammaNormalSeries({ ...law, labs, seen }) };
}

const at = (K: number, seed: number): Tensor3D =>
  tf.mul(normal(randomKey(seed), [K, 1, P * T * F + P * L + L * F]), 0.5);

function logGammaFunction(x: number): number {
  return read(lgamma(tf.scalar(x)))[0];
}

describe("gammaNormalSeries", () => {
  it("has the density that is written down, term by term, over what is seen", () => {
    const { labs, seen, series } = given();
    const z = at(1, 2);
    const values = Array.from(z.dataSync());
    const [l, mask] = [labs, seen].map((tensor) => Array.from(tensor.dataSync()));
    const normalDensity = (x: number, mean: number, scale: number) =>
      -0.5 * ((x - mean) / scale) ** 2 - Math.log(scale) - 0.5 * Math.log(2 * Math.PI);
    const logX = (p: number, t: number, f: number) => values[(p * T + t) * F + f];
    const offset = (p: number, d: number) => values[P * T * F + p * L + d];
    const weight = (d: number, f: number) => values[P * T * F + P * L + d * F + f];
    let total = 0;
    for (let p = 0; p < P; p++)
      for (let t = 0; t < T; t++) {
        for (let f = 0; f < F; f++) {
          const mean = t === 0 ? law.initialMean : Math.exp(logX(p, t - 1, f));
          const variance = t === 0 ? law.initialVariance : law.driftVariance;
          const [alpha, beta, u] = [mean ** 2 / variance, mean / variance, logX(p, t, f)];
          total += alpha * Math.log(beta) + alpha * u - beta * Math.exp(u) - logGammaFunction(alpha); // of log x
        }
        for (let d = 0; d < L; d++) {
          const i = (p * T + t) * L + d;
          let mean = offset(p, d);
          for (let f = 0; f < F; f++) mean += weight(d, f) * Math.exp(logX(p, t, f));
          total += mask[i] * normalDensity(l[i], mean, law.noise);
        }
      }
    for (let p = 0; p < P; p++) for (let d = 0; d < L; d++) total += normalDensity(offset(p, d), 0, law.offsetScale);
    for (let d = 0; d < L; d++) for (let f = 0; f < F; f++) total += normalDensity(weight(d, f), 0, law.weightScale);
    expectClose(read(series.problem.logP({}, z)), [total], 1e-5);
    expect(series.logLikelihood(z).shape).toEqual([1, P, T, L]);
    expect(series.heldOut).toEqual([2, 5, 10]);
    const { states, offsets, weights } = series.unknowns(z);
    const [x, o, w] = [read(states), read(offsets), read(weights)];
    const means = labs
      .arraySync()
      .flatMap((visits, p) =>
        visits.flatMap((visit, t) =>
          visit.map(
            (_, d) => o[p * L + d]! + w[d * F]! * x[(p * T + t) * F]! + w[d * F + 1]! * x[(p * T + t) * F + 1]!,
          ),
        ),
      );
    expectClose(read(series.labMeans(z)), means, 1e-5);
  });

  it("declares blankets that hold every term of a coordinate, and sets that share none", () => {
    const { series } = given();
    const phi = {
      mean: tf.zeros([1, series.dimension]) as Tensor2D,
      logScale: tf.zeros([1, series.dimension]) as Tensor2D,
    };
    const z = at(1, 3);
    const start = read(series.problem.factors({}, phi, z).logP);
    const whole = read(series.problem.logP({}, z))[0];
    expect(read(series.blankets(tf.squeeze(z, [1])))).toEqual(start);
    expect([...series.independentSets.flat()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: series.dimension }, (_, n) => n),
    );
    for (let n = 0; n < series.dimension; n++) {
      const moved = tf.add(z, tf.mul(0.4, tf.oneHot(tf.tensor1d([n], "int32"), series.dimension))) as Tensor3D;
      const factors = read(series.problem.factors({}, phi, moved).logP);
      expect(Math.abs(factors[n] - start[n] - (read(series.problem.logP({}, moved))[0] - whole))).toBeLessThan(1e-4);
      expect(Math.abs(factors[n] - start[n])).toBeGreaterThan(1e-3);
      const others = series.independentSets.find((set) => set.includes(n))!.filter((m) => m !== n);
      for (const m of others) expect(factors[m]).toBe(start[m]);
    }
  });

  it("gives Rao–Blackwell the reparameterised gradient's mean, at far less variance than the naive one", async () => {
    const { series } = given();
    const replicates = 200;
    const phi = {
      mean: tf.fill([1, series.dimension], 0.1) as Tensor2D,
      logScale: tf.fill([1, series.dimension], -1) as Tensor2D,
    };
    const moments = (gradient: Gradient, seed: number) => {
      const step = compile(
        (inputs: { key: Key }) =>
          estimateGradient(gradient, { problem: series.problem, bound: elbo, theta: {}, phi, samples: 8, ...inputs })
            .gradient.phi,
      );
      const draws = Array.from({ length: replicates }, (_, i) => {
        const { mean, logScale } = step({ key: foldIn(randomKey(seed), i) }) as typeof phi;
        return [...read(mean), ...read(logScale)];
      });
      step.dispose();
      return draws[0].map((_, i) => {
        const values = draws.map((draw) => draw[i]);
        const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
        return { mean, variance: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1) };
      });
    };
    const [path, blackwell, naive] = [
      moments(reparameterised, 1),
      moments(raoBlackwell(), 2),
      moments(scoreFunction(), 3),
    ];
    path.forEach((own, i) => {
      const error = Math.sqrt((own.variance + blackwell[i].variance) / replicates);
      expect(Math.abs(own.mean - blackwell[i].mean)).toBeLessThan(4.5 * error);
    });
    const total = (of: typeof path) => of.reduce((sum, { variance }) => sum + variance, 0);
    expect(total(naive) / total(blackwell)).toBeGreaterThan(3);
  });

  it("is simulated with the moments of its law", () => {
    const patients = 4000;
    const { labs, truth } = simulateGammaNormalSeries({ ...law, patients, visits: 3, labs: 1, key: randomKey(4) });
    const last = read(tf.slice(truth.states, [0, 0, 2, 0], [1, -1, 1, 1]));
    const mean = last.reduce((sum, x) => sum + x, 0) / patients;
    const variance = last.reduce((sum, x) => sum + (x - mean) ** 2, 0) / patients;
    const exact = law.initialVariance + 2 * law.driftVariance; // a martingale whose steps have one variance
    expect(Math.abs(mean - law.initialMean)).toBeLessThan(4 * Math.sqrt(exact / patients));
    expect(Math.abs(variance / exact - 1)).toBeLessThan(0.15);
    const { states, offsets, weights } = truth;
    const fitted = tf.add(
      tf.sum(tf.mul(states, tf.reshape(weights, [1, 1, 1, F])), 3),
      tf.reshape(offsets, [1, patients, 1]),
    );
    const noise = read(tf.sub(labs, tf.reshape(fitted, [patients, 3, 1])));
    const square = noise.reduce((sum, e) => sum + e * e, 0) / noise.length;
    expect(Math.abs(square / law.noise ** 2 - 1)).toBeLessThan(0.06);
  });

  it("is fitted, compiled, by Rao–Blackwell, and leaves nothing behind", async () => {
    const { labs, series } = given();
    labs.dispose(); // the model has read them
    const init = {
      mean: tf.zeros([1, series.dimension]) as Tensor2D,
      logScale: tf.fill([1, series.dimension], -1) as Tensor2D,
    };
    const before = tf.memory().numTensors;
    const fitted = await fitProblem({
      problem: series.problem,
      init: { phi: init },
      bound: elbo,
      samples: 8,
      gradient: raoBlackwell(),
      optimizer: adam({ learningRate: 0.05 }),
      steps: 30,
      key: randomKey(5),
    });
    const value = (phi: typeof init): number =>
      tf.tidy(() => tf.mean(series.problem.logP({}, series.problem.sample(phi, randomKey(6), 500))).dataSync()[0]);
    expect(value(fitted.phi)).toBeGreaterThan(value(init));
    fitted.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("takes a single visit, and refuses what it cannot take", () => {
    const labs = tf.zeros([1, 1, 1]) as Tensor3D;
    const before = tf.memory().numTensors;
    const series = gammaNormalSeries({ states: 1, labs });
    expect(tf.memory().numTensors).toBe(before);
    expect(series.problem.logP({}, tf.zeros([4, 1, 3])).shape).toEqual([4, 1]);
    expect(series.independentSets).toEqual([[0], [1], [2]]);
    expect(() => gammaNormalSeries({ states: 0, labs })).toThrow("states must be a positive integer, not 0");
    expect(() => gammaNormalSeries({ states: 1, labs, noise: 0 })).toThrow("noise must be positive, not 0");
    expect(() => gammaNormalSeries({ states: 1, labs: tf.fill([1, 1, 1], Number.NaN) })).toThrow("a lab is not finite");
    expect(() => gammaNormalSeries({ states: 1, labs, seen: tf.fill([1, 1, 1], 0.5) })).toThrow(
      "1 where a lab is seen",
    );
    expect(() => gammaNormalSeries({ states: 1, labs, seen: tf.zeros([2, 1, 1]) })).toThrow("gammaNormalSeries: seen");
    expect(() => gammaNormalSeries({ states: 1, labs: tf.zeros([0, 1, 1]) })).toThrow("there are no labs");
    const sizes = { states: 1, patients: 1, visits: 0, labs: 1, key: randomKey(1) };
    expect(() => simulateGammaNormalSeries(sizes)).toThrow("visits must be a positive integer, not 0");
  });
});
