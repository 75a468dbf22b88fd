import { beforeAll, describe, expect, it } from "vitest";
import { estimateMean } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { foldIn, randomKey } from "../../src/engine/random.js";
import { randomFunction } from "../../src/models/randomFunction.js";
import { expectNoLeak } from "../engine/support.js";

describe("randomFunction", () => {
  beforeAll(async () => {
    await ready();
  });
  const options = { dimension: 2, lengthScale: 0.8, variance: 1.7 };

  it("has the process's mean and covariance", () => {
    const points = [0, 0, 0.5, -0.3, 2, 1];
    const draws = Array.from({ length: 3000 }, (_, i) =>
      randomFunction({ ...options, features: 20, key: foldIn(randomKey(3), i) })(points),
    );
    for (let a = 0; a < 3; a++) {
      const level = estimateMean(draws.map((f) => f[a]));
      expect(Math.abs(level.value)).toBeLessThan(4 * level.standardError);
      for (let b = 0; b <= a; b++) {
        const square = (points[2 * a] - points[2 * b]) ** 2 + (points[2 * a + 1] - points[2 * b + 1]) ** 2;
        const product = estimateMean(draws.map((f) => f[a] * f[b]));
        const exact = 1.7 * Math.exp(-square / (2 * 0.8 ** 2));
        expect(Math.abs(product.value - exact)).toBeLessThan(4 * product.standardError);
        expect(product.standardError).toBeLessThan(0.1);
      }
    }
  });

  it("is one function a key, and leaves no tensor", () => {
    const f = randomFunction({ ...options, key: randomKey(1) });
    expect(f([1, 2, 3, 4])[1]).toBe(f([3, 4])[0]);
    expect(randomFunction({ ...options, key: randomKey(1) })([3, 4])).toEqual(f([3, 4]));
    expect(randomFunction({ ...options, key: randomKey(2) })([3, 4])).not.toEqual(f([3, 4]));
    expectNoLeak(() => {
      randomFunction({ ...options, key: randomKey(1) });
      return [];
    });
  });

  it("refuses what is none", () => {
    const key = randomKey(1);
    expect(() => randomFunction({ ...options, key, features: 0 })).toThrow(
      "features must be a positive integer, not 0.",
    );
    expect(() => randomFunction({ ...options, key, dimension: 1.5 })).toThrow("dimension must be a positive integer");
    expect(() => randomFunction({ ...options, key, lengthScale: 0 })).toThrow("lengthScale must be positive");
    expect(() => randomFunction({ ...options, key, variance: -1 })).toThrow("variance must be positive");
    expect(() => randomFunction({ ...options, key })([1, 2, 3])).toThrow("at least one point of 2 coordinates");
  });
});
