import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { hierarchicalLinear } from "../../src/models/hierarchicalLinear.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

const rows = [
  [1.2, 0.5, 0],
  [0.3, -1, 1],
  [2.2, 0.1, 0],
  [0.7, 1.5, 1],
];
const logNormal = (x: number, mean: number, scale: number): number =>
  -0.5 * ((x - mean) / scale) ** 2 - Math.log(scale) - 0.5 * Math.log(2 * Math.PI);

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("has the log-joint written out in Float64, with every constant", () => {
    const { logJoint, supports } = hierarchicalLinear({ rows: tf.tensor2d(rows) });
    const [mu, tau, slope, sigma, intercepts] = [0.8, 1.3, -0.4, 0.6, [1.5, 0.2]];
    const expected =
      logNormal(mu, 0, 5) +
      logNormal(slope, 0, 5) +
      logNormal(tau, 0, 1) +
      logNormal(sigma, 0, 1) +
      2 * Math.LN2 +
      intercepts.reduce((sum, a) => sum + logNormal(a, mu, tau), 0) +
      rows.reduce((sum, [y, x, g]) => sum + logNormal(y, intercepts[g] + slope * x, sigma), 0);
    const one = (value: number): ReturnType<typeof tf.tensor1d> => tf.tensor1d([value]);
    const at = {
      mu: one(mu),
      tau: one(tau),
      slope: one(slope),
      sigma: one(sigma),
      intercepts: tf.tensor2d([intercepts]),
    };
    expectClose(read(logJoint(at)), [expected], 1e-6);
    expectNoLeak(() => logJoint(at));
    expect(supports.intercepts.shape).toEqual([2]);
  });
});

describe("bad input", () => {
  it("is refused in a sentence", () => {
    const make = (given: number[][]) => () => hierarchicalLinear({ rows: tf.tensor2d(given, [given.length, 3]) });
    expect(make([])).toThrow("there are no rows");
    expect(make([[1, 2, 0.5]])).toThrow("the group of row 0 is 0.5");
    expect(make([[1, 2, -1]])).toThrow("the group of row 0 is -1");
    expect(make([[1, 2, 1]])).toThrow("group 0 of 2 has no row");
    expect(make([[Number.NaN, 2, 0]])).toThrow("rows[0, 0] is NaN");
    expect(() => hierarchicalLinear({ rows: tf.zeros([2, 4]) as Tensor2D })).toThrow("hierarchicalLinear: rows");
  });
});
