import { beforeAll, describe, expect, it } from "vitest";
import { simulated } from "../../src/data/simulated.js";
import { logGamma } from "../../src/diagnostics/specialFunctions.js";
import { ready } from "../../src/engine/backend.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { poissonRegression } from "../../src/models/poissonRegression.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

const data = [
  [3, 1, 0.5],
  [0, 1, -1.2],
  [7, 1, 1.4],
];

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("has the log-joint written out in Float64, with every constant", () => {
    const { logJoint } = poissonRegression({ rows: tf.tensor2d(data), priorScale: 1.5 });
    const expected = [
      [0.3, 0.8],
      [-1, 0.2],
    ].map((beta) =>
      data.reduce(
        (sum, [y, ...x]) => {
          const eta = x[0] * beta[0] + x[1] * beta[1];
          return sum + y * eta - Math.exp(eta) - logGamma(y + 1);
        },
        beta.reduce((sum, b) => sum - (b / 1.5) ** 2 / 2 - Math.log(1.5) - Math.log(2 * Math.PI) / 2, 0),
      ),
    );
    const coefficients = tf.tensor2d([
      [0.3, 0.8],
      [-1, 0.2],
    ]);
    expectClose(read(logJoint({ coefficients })), expected, 1e-6);
    expectNoLeak(() => logJoint({ coefficients }));
  });
});

describe("bad input", () => {
  it("is refused in a sentence", () => {
    const make =
      (rows: number[][], priorScale = 1) =>
      () =>
        poissonRegression({ rows: tf.tensor2d(rows, [rows.length, rows[0]?.length ?? 0]), priorScale });
    expect(make([[1]])).toThrow("need at least one row (y, x) with one input");
    expect(make([[1.5, 1]])).toThrow("the count of row 0 is 1.5");
    expect(make([[-1, 1]])).toThrow("the count of row 0 is -1");
    expect(make([[1, Number.NaN]])).toThrow("rows[0, 1] is not finite");
    expect(make([[1, 1]], 0)).toThrow("priorScale must be positive");
    expect(() => poissonRegression({ rows: tf.zeros([3]) as unknown as Tensor2D, priorScale: 1 })).toThrow("rows");
  });

  it("is not what the shipped counts are", async () => {
    const { table } = await simulated("poisson");
    expect(() =>
      poissonRegression({ rows: tf.tensor2d(Float32Array.from(table.values), [100, 5]), priorScale: 1 }),
    ).not.toThrow();
  });
});
