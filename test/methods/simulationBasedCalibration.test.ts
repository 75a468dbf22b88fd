import { beforeAll, describe, expect, it } from "vitest";
import { kolmogorovSmirnov } from "../../src/diagnostics/kolmogorovSmirnov.js";
import { normalQuantile } from "../../src/diagnostics/normalQuantile.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { logGamma } from "../../src/diagnostics/specialFunctions.js";
import { ready } from "../../src/engine/backend.js";
import { type Key, normal, randomKey, split, uniform } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { laplace } from "../../src/methods/laplace.js";
import { simulationBasedCalibration } from "../../src/methods/simulationBasedCalibration.js";
import { read } from "../engine/support.js";

beforeAll(async () => {
  await ready({ backend: "cpu" });
});

const draw = (key: Key, n = 1): number[] => read(normal(key, [n]));

/** z ~ N(0, 1), x ~ N(z, 1): the posterior is N(x/2, ½). */
const simulate = (key: Key): { truth: { z: number }; data: number } => {
  const [a, b] = split(key);
  const z = draw(a)[0];
  return { truth: { z }, data: z + draw(b)[0] };
};
const q =
  (shift: number, scale: number) =>
  (x: number, key: Key): { z: number[] } => ({
    z: draw(key, 400).map((noise) => x / 2 + shift + scale * Math.SQRT1_2 * noise),
  });
const run = (shift: number, scale: number) =>
  simulationBasedCalibration({ simulate, approximate: q(shift, scale), replicates: 400, key: randomKey(1) });

/** Φ(t) = ½ + φ(t) (t + t³/3 + t⁵/15 + …). */
function cdf(t: number): number {
  if (Math.abs(t) > 7) return t > 0 ? 1 : 0;
  let [sum, term] = [0, t];
  for (let k = 1; k < 100; k++) {
    sum += term;
    term *= t ** 2 / (2 * k + 1);
  }
  return 0.5 + (Math.exp(-(t ** 2) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

describe("simulationBasedCalibration", () => {
  it("finds the exact posterior uniform and symmetric", async () => {
    const [z] = await run(0, 1);
    expect(z.name).toBe("z");
    expect(z.probabilities).toHaveLength(400);
    expect(z.uniformity.pValue).toBeGreaterThan(0.01);
    expect(z.symmetry.pValue).toBeGreaterThan(0.01);
  });

  it("finds a q too narrow symmetric, but not uniform", async () => {
    const [z] = await run(0, 0.4);
    expect(z.uniformity.pValue).toBeLessThan(1e-4);
    expect(z.symmetry.pValue).toBeGreaterThan(0.01);
  });

  it("finds a biased q not symmetric, and says which way", async () => {
    const [high] = await run(0.4, 1);
    expect(high.symmetry.pValue).toBeLessThan(1e-4);
    expect(high.symmetry.bias.value).toBeLessThan(-4 * high.symmetry.bias.standardError);
    const [low] = await run(-0.4, 1);
    expect(low.symmetry.bias.value).toBeGreaterThan(4 * low.symmetry.bias.standardError);
  });

  it.each([5, 10, 20])("passes the exact posterior on 1000 data sets with %s draws each", async (S) => {
    const exact = (x: number, key: Key): { z: number[] } => ({
      z: draw(key, S).map((noise) => x / 2 + Math.SQRT1_2 * noise),
    });
    const [z] = await simulationBasedCalibration({ simulate, approximate: exact, replicates: 1000, key: randomKey(3) });
    expect(z.uniformity.pValue).toBeGreaterThan(0.01);
    expect(z.symmetry.pValue).toBeGreaterThan(0.01);
    // Of few draws the ranks as they are, (below + ½)/(S + 1), would not pass: each of the S + 1 has its share of data sets.
    const ranks = z.probabilities.map((p) => (Math.floor(p * (S + 1)) + 0.5) / (S + 1));
    if (S <= 10) expect(kolmogorovSmirnov(ranks, (x) => x).pValue).toBeLessThan(1e-3);
    const wide = (x: number, key: Key): { z: number[] } => ({
      z: draw(key, S).map((noise) => x / 2 + 1.5 * Math.SQRT1_2 * noise),
    });
    const [bad] = await simulationBasedCalibration({
      simulate,
      approximate: wide,
      replicates: 1000,
      key: randomKey(3),
    });
    expect(bad.uniformity.pValue).toBeLessThan(1e-4);
  });

  it("passes the exact posterior of a coin, whose draws tie with the truth", async () => {
    // z = 0 or 1, each ½; x equals z with probability .8, and so does z equal x.
    const flip = (key: Key, z: number): number => (draw(key)[0] < normalQuantile(0.8) ? z : 1 - z);
    const [z] = await simulationBasedCalibration({
      simulate: (key) => {
        const [a, b] = split(key);
        const truth = draw(a)[0] < 0 ? 0 : 1;
        return { truth: { z: truth }, data: flip(b, truth) };
      },
      approximate: (x, key) => ({ z: split(key, 10).map((each) => flip(each, x)) }),
      replicates: 600,
      key: randomKey(4),
    });
    expect(z.uniformity.pValue).toBeGreaterThan(0.01);
    expect(z.symmetry.pValue).toBeGreaterThan(0.01);
  });

  it("finds Laplace's method on a rate biased upwards, by as much as quadrature says", async () => {
    // λ ~ Gamma(2, 1), x ~ Poisson(λ): z = log λ given x has the density of a log-gamma with a = 2 + x and b = 2, which leans to the left of its mode log a/b.
    const S = 50;
    const numbers = (key: Key, n: number): number[] => read(uniform(key, [n]));
    const [rate] = await simulationBasedCalibration({
      simulate: (key) => {
        const [first, second, u] = numbers(key, 3);
        const lambda = -Math.log(first) - Math.log(second);
        let [x, p] = [0, Math.exp(-lambda)];
        for (let below = p; below < u; below += p) p *= lambda / ++x;
        return { truth: { logRate: Math.log(lambda) }, data: x };
      },
      approximate: async (x, key) => {
        const logDensity = (z: Tensor): Tensor =>
          tf.tidy(() => tf.reshape(tf.sub(tf.mul(2 + x, z), tf.mul(2, tf.exp(z))), z.shape.slice(0, -1)));
        const { posterior } = await laplace({ logDensity, dimension: 1 });
        return { logRate: tf.tidy(() => read(posterior.distribution({}).sample(key, [S]))) };
      },
      replicates: 1200,
      key: randomKey(5),
    });
    // E[Φ((z − log a/b) √a)] over x, whose law is a negative binomial, and z given x.
    const rule = trapezoid(-12, 6, 2001);
    let expected = 0;
    for (let x = 0; x < 80; x++) {
      const a = 2 + x;
      const probability = (x + 1) * 2 ** -a;
      const logs = rule.points.map((z) => a * Math.log(2) - logGamma(a) + a * z - 2 * Math.exp(z));
      rule.points.forEach((z, i) => {
        const share = cdf((z - Math.log(a / 2)) * Math.sqrt(a));
        expected += probability * Math.exp(logs[i] + rule.logWeights[i]) * share;
      });
    }
    const bias = (S * expected + 0.5) / (S + 1) - 0.5;
    expect(bias).toBeLessThan(-0.05);
    expect(Math.abs(rate.symmetry.bias.value - bias)).toBeLessThan(4 * rate.symmetry.bias.standardError);
    expect(rate.symmetry.bias.value).toBeLessThan(-3 * rate.symmetry.bias.standardError);
    expect(rate.symmetry.pValue).toBeLessThan(0.01);
    expect(rate.uniformity.pValue).toBeLessThan(0.01);
  });

  it("tells how far it is, and refuses bad input in a sentence", async () => {
    const seen: number[] = [];
    const options = { simulate, approximate: q(0, 1), replicates: 5, key: randomKey(2) };
    await simulationBasedCalibration({ ...options, onProgress: ({ done }) => void seen.push(done) });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    await expect(simulationBasedCalibration({ ...options, replicates: 4 })).rejects.toThrow("at least 5, not 4");
    await expect(simulationBasedCalibration({ ...options, approximate: () => ({}) })).rejects.toThrow(
      'approximate returned no draws of "z"',
    );
    const nan = { ...options, approximate: () => ({ z: [1, Number.NaN] }) };
    await expect(simulationBasedCalibration(nan)).rejects.toThrow('draw 1 of "z" for data set 0 is NaN');
    const wild = { ...options, simulate: (key: Key) => ({ ...simulate(key), truth: { z: Infinity } }) };
    await expect(simulationBasedCalibration(wild)).rejects.toThrow('the true "z" of data set 0 is Infinity');
    let calls = 0;
    const forgets = { ...options, simulate: () => ({ truth: calls++ === 0 ? { z: 0 } : { y: 0 }, data: 0 }) };
    await expect(
      simulationBasedCalibration({ ...forgets, approximate: () => ({ z: [0], y: [0] }) } as typeof options),
    ).rejects.toThrow("simulate knows y in data set 1, but z in the first");
  });
});
