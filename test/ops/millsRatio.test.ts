import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
import { millsRatio } from "../../src/ops/millsRatio.js";
import { upperTailRatio } from "../distributions/exactLaws.js";
import { backends, read } from "../engine/support.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("is Φ(−x)/φ(x) from 0 to 1e4", () => {
    const points = [0, 1e-3, 0.5, 1, 2.9, 3.1, 10, 50, 1e4];
    for (const [i, value] of read(millsRatio(tf.tensor1d(points))).entries())
      expect(Math.abs(value / upperTailRatio(points[i]!) - 1)).toBeLessThan(1e-6);
  });
});

test("the truth itself: its two formulas meet, and R(0) = √(π/2)", () => {
  expect(upperTailRatio(0)).toBeCloseTo(Math.sqrt(Math.PI / 2), 14);
  expect(upperTailRatio(3 + 1e-9) / upperTailRatio(3)).toBeCloseTo(1, 8);
  expect(upperTailRatio(1)).toBeCloseTo(0.655679542418798, 13); // mpmath
});
