import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { interval } from "../../src/transforms/interval.js";
import { lowerCholesky } from "../../src/transforms/lowerCholesky.js";
import { positive } from "../../src/transforms/positive.js";
import { real } from "../../src/transforms/real.js";
import { simplex } from "../../src/transforms/simplex.js";
import { unconstrained } from "../../src/transforms/unconstrained.js";
import { expectClose, expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const supports = { mu: real(), tau: positive(), theta: real([3]), share: simplex(3), scale: lowerCholesky(2) };

describe("unconstrained", () => {
  it("names the coordinates and hands every unknown its part, typed by its support", () => {
    const seen: Record<string, readonly number[]> = {};
    const model = unconstrained({
      supports,
      logJoint: (values) => {
        expectTypeOf(values.mu).toEqualTypeOf<Tensor1D>();
        expectTypeOf(values.theta).toEqualTypeOf<Tensor2D>();
        expectTypeOf(values.scale).toEqualTypeOf<Tensor3D>();
        // @ts-expect-error there is no such unknown
        void values.sigma;
        for (const [name, value] of Object.entries(values)) seen[name] = (value as Tensor).shape;
        return tf.neg(values.mu);
      },
    });
    expect(model.dimension).toBe(10);
    expect(model.names).toEqual([
      ...["mu", "tau", "theta[0]", "theta[1]", "theta[2]", "share[0]", "share[1]"],
      ...["scale[0]", "scale[1]", "scale[2]"],
    ]);
    const u = tf.tensor2d(Array.from({ length: 4 }, (_, k) => Array.from({ length: 10 }, (_, d) => (k - d) / 10)));
    expect(model.logDensity(u).shape).toEqual([4]);
    expect(model.logDensity(tf.reshape(u, [4, 1, 10])).shape).toEqual([4, 1]);
    expect(seen).toEqual({ mu: [4], tau: [4], theta: [4, 3], share: [4, 3], scale: [4, 2, 2] });
    expectClose(read(model.unconstrain(model.constrain(u))), Array.from(u.dataSync()), 1e-5);
    expectNoLeak(() => model.logDensity(u));
    expectNoLeak(() => Object.values(model.constrain(u)));
  });

  it("is the density of the transformed unknown: it integrates to what the original does", () => {
    // log p = −2 log… : a Gamma(3, 2) and a Beta(2, 5) up to constants, whose integrals are Γ(3)/2³ and B(2, 5).
    const { logDensity } = unconstrained({
      supports: { rate: positive(), p: interval({ low: 0, high: 1 }) },
      logJoint: ({ rate, p }) =>
        tf.add(tf.sub(tf.mul(2, tf.log(rate)), tf.mul(2, rate)), tf.add(tf.log(p), tf.mul(4, tf.log1p(tf.neg(p))))),
    });
    const step = 0.05;
    const line = Array.from({ length: 320 }, (_, i) => -8 + i * step);
    const values = read(logDensity(tf.tensor2d(line.flatMap((a) => line.map((b) => [a, b])))));
    const integral = values.reduce((sum, log) => sum + Math.exp(log) * step * step, 0);
    expect(integral).toBeCloseTo((2 / 8) * (1 / 30), 6);
  });

  it("refuses what does not fit in a sentence", () => {
    expect(() => unconstrained({ supports: {}, logJoint: () => tf.scalar(0) })).toThrow("supports is empty");
    const wrong = unconstrained({ supports: { theta: real([3]) }, logJoint: ({ theta }) => theta });
    expect(() => wrong.logDensity(tf.zeros([5, 3]))).toThrow(
      "logJoint must return one log-density for each of the 5 values, [5], but it returned [5, 3]",
    );
    expect(() => wrong.logDensity(tf.zeros([5, 4]))).toThrow("unconstrained: u has the shape [5, 4]");
    expect(() => wrong.unconstrain({} as never)).toThrow('a value for "theta" is missing');
  });
});
