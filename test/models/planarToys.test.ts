import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { randomKey } from "../../src/engine/random.js";
import { type Scalar, tf } from "../../src/engine/tf.js";
import { banana, multimodal, type PlanarToy, xShaped } from "../../src/models/planarToys.js";
import { backends, expectClose, expectNoLeak, kolmogorovSmirnov, mean, normalCdf, read } from "../engine/support.js";

const toys = [banana, multimodal, xShaped];

/** ∫ p(z) f(z) dz by the trapezoidal rule, which is exact to rounding for what falls off as these do. */
function integrate(toy: PlanarToy, f: (z: readonly [number, number]) => number): number {
  const step = 0.05;
  const [from, to] = toy === banana ? [-70, 6] : [-13, 13];
  let sum = 0;
  for (let x = -13; x <= 13; x += step)
    for (let y = from; y <= to; y += step) sum += toy.density([x, y]) * f([x, y]) * step * step;
  return sum;
}

const points: readonly [number, number][] = [
  [0.3, -1.2],
  [-1.7, -4.5],
  [2.5, 0.4],
  [-2, 0],
  [1.1, 1.3],
  [0, 0],
];

describe.each(toys)("$name", (toy) => {
  it("integrates to 1 and has the moments that it says", () => {
    const [[vx, covariance], [, vy]] = toy.covariance;
    const [mx, my] = toy.mean;
    expect(integrate(toy, () => 1)).toBeCloseTo(1, 9);
    expect(integrate(toy, ([x]) => x)).toBeCloseTo(mx, 9);
    expect(integrate(toy, ([, y]) => y)).toBeCloseTo(my, 9);
    expect(integrate(toy, ([x]) => (x - mx) ** 2)).toBeCloseTo(vx, 9);
    expect(integrate(toy, ([, y]) => (y - my) ** 2)).toBeCloseTo(vy, 9);
    expect(integrate(toy, ([x, y]) => (x - mx) * (y - my))).toBeCloseTo(covariance, 9);
    expect(toy.covariance[1][0]).toBe(covariance);
  });
});

it("is the paper's: the densities at a point by hand", () => {
  // (z₁, z₂ + z₁² + 1) = (1, 1): the form is (1 − 1.8 + 1)/.19.
  expect(banana.density([1, -1])).toBeCloseTo(Math.exp(-0.1 / 0.19) / (2 * Math.PI * Math.sqrt(0.19)), 12);
  expect(multimodal.density([-2, 0])).toBeCloseTo((1 + Math.exp(-8)) / (4 * Math.PI), 12);
  // At (1, 1) the forms are .4/.76 and 7.6/.76.
  const two = Math.exp(-0.2 / 0.76) + Math.exp(-5);
  expect(xShaped.density([1, 1])).toBeCloseTo(two / (4 * Math.PI * Math.sqrt(0.76)), 12);
});

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it.each(toys)("$name has one log-density in tensors and in Float64, compiled too", (toy) => {
    const z = tf.reshape(tf.tensor2d(points.map((point) => [...point])), [points.length, 1, 2]);
    const exact = points.map((point) => Math.log(toy.density(point)));
    expectNoLeak(() => toy.logDensity(z));
    const logDensity = toy.logDensity(z);
    expect(logDensity.shape).toEqual([points.length, 1]);
    expectClose(read(logDensity), exact, 3e-6);
    const compiled = compile((inputs: { z: tf.Tensor }) => ({ logDensity: toy.logDensity(inputs.z) }));
    for (let call = 0; call < 2; call++) expectClose(read(compiled({ z }).logDensity), exact, 3e-6);
    compiled.dispose();
  });

  it.each(toys)("$name has the gradient of its log-density", (toy) => {
    const { gradient } = valueAndGradient(({ z }) => tf.sum(toy.logDensity(z)) as Scalar, {
      z: tf.tensor2d(points.map((point) => [...point])),
    });
    const h = 1e-5;
    const log = (x: number, y: number): number => Math.log(toy.density([x, y]));
    const exact = points.flatMap(([x, y]) => [
      (log(x + h, y) - log(x - h, y)) / (2 * h),
      (log(x, y + h) - log(x, y - h)) / (2 * h),
    ]);
    expectClose(read(gradient.z), exact, 1e-5);
  });

  it.each(toys)("$name has draws with its moments", (toy) => {
    const n = 20_000;
    const before = tf.memory().numTensors;
    const draws = toy.sample(randomKey(7), n);
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(draws.shape).toEqual([n, 2]);
    const flat = read(draws);
    const [x, y] = [0, 1].map((d) => flat.filter((_, i) => i % 2 === d));
    const [mx, my] = toy.mean;
    const within = (values: readonly number[], expected: number): void => {
      const average = mean(values);
      const error = Math.sqrt(mean(values.map((value) => (value - average) ** 2)) / n);
      expect(Math.abs(average - expected) / error).toBeLessThan(4);
    };
    within(x, mx);
    within(y, my);
    within(
      x.map((value) => (value - mx) ** 2),
      toy.covariance[0][0],
    );
    within(
      y.map((value) => (value - my) ** 2),
      toy.covariance[1][1],
    );
    within(
      x.map((value, i) => (value - mx) * (y[i] - my)),
      toy.covariance[0][1],
    );
    // E p is a functional that no moment gives away.
    within(
      x.map((value, i) => toy.density([value, y[i]])),
      integrate(toy, (z) => toy.density(z)),
    );
  });

  it("draws the banana from its two independent normals", () => {
    const flat = read(banana.sample(randomKey(8), 5000));
    const pairs = Array.from({ length: 5000 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
    expect(
      kolmogorovSmirnov(
        pairs.map(([x]) => x),
        normalCdf,
      ),
    ).toBeLessThan(1.95);
    const rest = pairs.map(([x, y]) => (y + x * x + 1 - 0.9 * x) / Math.sqrt(0.19));
    expect(kolmogorovSmirnov(rest, normalCdf)).toBeLessThan(1.95);
  });
});

it("draws the same for the same key", () => {
  const draw = (seed: number): number[] => read(xShaped.sample(randomKey(seed), 5));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

it("says what is wrong", () => {
  expect(() => banana.logDensity(tf.zeros([4, 3]))).toThrow("needs z of the shape [..., 2], not [4,3]");
  expect(() => banana.logDensity(tf.scalar(1))).toThrow("needs z of the shape");
  expect(() => multimodal.sample(randomKey(1), 0)).toThrow("the number of draws must be a positive integer, not 0");
});
