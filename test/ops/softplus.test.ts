import { beforeAll, describe, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
import { logSigmoid } from "../../src/ops/logSigmoid.js";
import { softplus } from "../../src/ops/softplus.js";
import { backends, expectClose, read } from "../engine/support.js";

const points = [-80, -40, -17, -3, -0.1, 0, 0.1, 3, 17, 40, 300, 3e38];
const exact = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("softplus keeps its relative accuracy in both tails", () => {
    const ratio = read(softplus(tf.tensor1d(points))).map((y, i) => y / exact(points[i]!));
    expectClose(
      ratio,
      points.map(() => 1),
      5e-7,
    );
  });

  test("logSigmoid keeps its relative accuracy in both tails", () => {
    const ratio = read(logSigmoid(tf.tensor1d(points.map((x) => -x)))).map((y, i) => y / -exact(points[i]!));
    expectClose(
      ratio,
      points.map(() => 1),
      5e-7,
    );
  });
});
