import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StudentT } from "../../src/distributions/studentT.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { backends, expectClose, kolmogorovSmirnov, read } from "../engine/support.js";

describe.each(backends)("StudentT on %s", (backend) => {
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  test("is Cauchy's at ν = 1 and nearly the normal law at ν = 1e6", () => {
    const x = [-1e3, -2, 0, 0.5, 30];
    const at = (degreesOfFreedom: number) => read(new StudentT({ degreesOfFreedom }).logProb(tf.tensor1d(x)));
    expectClose(
      at(1),
      x.map((value) => -Math.log(Math.PI * (1 + value * value))),
      3e-6,
    );
    const normal = (value: number): number => (-value * value) / 2 - Math.log(2 * Math.PI) / 2;
    expectClose(at(1e6).slice(1, 4), x.slice(1, 4).map(normal), 1e-5);
    const draws = read(new StudentT({ degreesOfFreedom: 1, location: 0.5, scale: 2 }).sample(randomKey(1), [20_000]));
    expect(kolmogorovSmirnov(draws, (value) => 0.5 + Math.atan((value - 0.5) / 2) / Math.PI)).toBeLessThan(1.95);
    // ν = 2: F(x) = ½ + x/(2 √(2 + x²)).
    const two = read(new StudentT({ degreesOfFreedom: 2 }).sample(randomKey(2), [20_000]));
    expect(kolmogorovSmirnov(two, (value) => 0.5 + value / (2 * Math.sqrt(2 + value * value)))).toBeLessThan(1.95);
  });

  test("says where there is no mean and no variance", () => {
    const law = new StudentT({ degreesOfFreedom: tf.tensor1d([0.5, 1.5, 4]), location: 3, scale: 2 });
    expect(read(law.mean())).toEqual([Number.NaN, 3, 3]);
    expect(read(law.variance())).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 8]);
  });
});

test("StudentT refuses what is no degree of freedom or scale", () => {
  expect(() => new StudentT({ degreesOfFreedom: 0 })).toThrow(
    "StudentT: degreesOfFreedom must be positive and finite, not 0",
  );
  expect(() => new StudentT({ degreesOfFreedom: 1, scale: -1 })).toThrow("StudentT: scale must be positive");
  expect(() => new StudentT({ degreesOfFreedom: tf.ones([2]), location: tf.ones([3]) })).toThrow(
    "degreesOfFreedom [2] and location [3]",
  );
});
