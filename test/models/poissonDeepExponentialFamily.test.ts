import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import type { Corpus } from "../../src/data/ldaC.js";
import { estimateMean } from "../../src/diagnostics/moments.js";
import { logGamma } from "../../src/diagnostics/specialFunctions.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor3D, tf } from "../../src/engine/tf.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { poissonDeepExponentialFamily } from "../../src/models/poissonDeepExponentialFamily.js";
import { adam } from "../../src/optimize/adam.js";
import { polyakAveraging } from "../../src/optimize/averaging.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { expectClose, read } from "../engine/support.js";
import { logPoisson, tinyElbo, tinyEvidence, tinyPoissonDef } from "./tinyPoissonDef.js";

beforeAll(async () => {
  await ready();
});

/** Three documents over four words; the second lacks most, the fourth word is nowhere. */
const corpus: Corpus = {
  size: 3,
  vocabulary: 4,
  offsets: Int32Array.from([0, 3, 4, 6]),
  words: Int32Array.from([0, 1, 2, 1, 0, 2]),
  counts: Float64Array.from([2, 1, 5, 3, 1, 1]),
};
const layers = [2, 3];
const prior = { weightShape: 0.4, weightRate: 0.7, topRate: 0.6, floor: 0.05 };
const made = () => poissonDeepExponentialFamily({ corpus, layers, ...prior, start: { spread: 0.4 } });

/** Draws of a q far from its prior, and its parameters. */
function given(K: number, seed: number) {
  const def = made();
  const phi = def.family.init(randomKey(seed));
  return { def, phi, z: def.problem.sample(phi, randomKey(seed + 1), K) };
}

describe("poissonDeepExponentialFamily", () => {
  it("has the density that is written down, every count and weight once", () => {
    const { def, z } = given(1, 1);
    const { counts, weights } = def.unknowns(z);
    const [z1, z2] = counts.map((t) => t.arraySync()[0]);
    const [w0, w1] = weights.map((t) => t.arraySync()[0]);
    const x = [
      [2, 1, 5, 0],
      [0, 3, 0, 0],
      [1, 0, 1, 0],
    ];
    let total = 0;
    for (const w of [...w0, ...w1].flat()) {
      const { weightShape: a, weightRate: b } = prior;
      total += a * Math.log(b) - logGamma(a) + (a - 1) * Math.log(w) - b * w;
    }
    for (let d = 0; d < 3; d++) {
      for (const count of z2[d]) total += logPoisson(count, prior.topRate);
      z1[d].forEach((count, k) => {
        total += logPoisson(count, prior.floor + z2[d].reduce((sum, parent, j) => sum + parent * w1[j][k], 0));
      });
      x[d].forEach((count, v) => {
        total += logPoisson(count, prior.floor + z1[d].reduce((sum, parent, k) => sum + parent * w0[k][v], 0));
      });
    }
    expect(def.dimension).toBe(3 * 5 + 2 * 4 + 3 * 2);
    expectClose(read(def.problem.logP({}, z)), [total], 1e-5);
  });

  it("declares blankets that hold every term of a coordinate, and replaces each by itself", () => {
    const { def, phi, z } = given(2, 3);
    const proposed = def.problem.sample(phi, randomKey(9), 2);
    const whole = read(def.problem.logP({}, z));
    const before = read(def.problem.factors({}, phi, z).logP);
    const replaced = read(def.problem.replaced({}, phi, z, proposed));
    expectClose(read(def.problem.replaced({}, phi, z, z)), before, 1e-4);
    let changes = 0;
    for (let n = 0; n < def.dimension; n++) {
      const own = tf.tidy(() => tf.reshape(tf.oneHot(tf.tensor1d([n], "int32"), def.dimension), [1, 1, -1]));
      const moved = tf.add(tf.mul(z, tf.sub(1, own)), tf.mul(proposed, own)) as Tensor3D;
      const after = read(def.problem.logP({}, moved));
      const alone = read(def.problem.factors({}, phi, moved).logP);
      for (const k of [0, 1]) {
        const at = k * def.dimension + n;
        const change = after[k] - whole[k];
        expect(Math.abs(replaced[at] - before[at] - change)).toBeLessThan(2e-4 * (1 + Math.abs(change)));
        expect(Math.abs(alone[at] - before[at] - change)).toBeLessThan(2e-4 * (1 + Math.abs(change)));
        if (Math.abs(change) > 1e-3) changes++;
      }
    }
    expect(changes).toBeGreaterThan(1.2 * def.dimension);
  });

  it("declares log q a coordinate, and the words' mean rates under q", () => {
    const { def, phi, z } = given(2, 5);
    const each = def.problem.factors({}, phi, z).logQ;
    expectClose(read(tf.sum(each, 2)), read(def.problem.logQ(phi, z, randomKey(1))), 1e-4);
    const n = 40_000;
    const { counts, weights } = def.unknowns(def.problem.sample(phi, randomKey(6), n));
    const rates = tf.add(prior.floor, tf.matMul(counts[0], weights[0]));
    const { mean, variance } = tf.moments(rates, 0);
    const [found, spread, exact] = [read(mean), read(variance), read(def.meanRates(phi))];
    for (const [i, value] of exact.entries())
      expect(Math.abs(found[i] - value)).toBeLessThan(4.5 * Math.sqrt(spread[i] / n));
  });

  it("is fitted to a maximum of the exact ELBO, which is below log p(x): one document, one word", async () => {
    const def = tinyPoissonDef();
    const before = tf.memory().numTensors;
    const init = { phi: def.family.init(randomKey(1)) };
    const how = { problem: def.problem, bound: elbo, samples: 64, gradient: raoBlackwell(), key: randomKey(2) };
    const averaging = polyakAveraging({ from: 200 });
    const fitted = await fitProblem({ ...how, init, optimizer: adam({ learningRate: 0.03 }), steps: 600, averaging });
    const { logRate, logConcentration, logMean } = fitted.average!.phi;
    const best = [logRate, logConcentration, logMean].map((tensor) => tensor.dataSync()[0]) as [number, number, number];
    const top = tinyElbo(best);
    expect(top).toBeLessThan(tinyEvidence());
    for (const i of [0, 1, 2])
      for (const step of [-0.15, 0.15])
        expect(tinyElbo(best.map((value, j) => (j === i ? value + step : value)) as typeof best)).toBeLessThan(top);
    const n = 40_000;
    const z = def.problem.sample(fitted.average!.phi, randomKey(3), n);
    const logW = read(
      tf.tidy(() => tf.sub(def.problem.logP({}, z), def.problem.logQ(fitted.average!.phi, z, randomKey(4)))),
    );
    const { value, standardError } = estimateMean(logW);
    expect(Math.abs(value - top)).toBeLessThan(4 * standardError);
    fitted.dispose();
    for (const tensor of [z, ...Object.values(init.phi)]) tensor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses what it cannot take", () => {
    const at = { corpus, layers };
    const empty = { ...corpus, offsets: new Int32Array(4), words: new Int32Array(0), counts: new Float64Array(0) };
    expect(() => poissonDeepExponentialFamily({ ...at, layers: [] })).toThrow("layers must be one or more positive");
    expect(() => poissonDeepExponentialFamily({ ...at, layers: [2, 0] })).toThrow("not [2, 0]");
    expect(() => poissonDeepExponentialFamily({ ...at, floor: 0 })).toThrow("floor must be positive and finite, not 0");
    expect(() => poissonDeepExponentialFamily({ ...at, corpus: empty })).toThrow("the corpus holds no words");
  });
});
