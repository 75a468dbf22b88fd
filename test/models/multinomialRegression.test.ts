import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { logisticRegression } from "../../src/models/logisticRegression.js";
import { multinomialRegression } from "../../src/models/multinomialRegression.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

const data = [
  [2, 1, 0.5],
  [0, 1, -1.2],
  [1, 1, 2],
  [2, 1, -0.3],
];
const [inputs, classes] = [2, 3];
const model = multinomialRegression({ inputs, classes });

/** The definition, in Float64: z holds the classes' coefficients one after another. */
const logits = (z: readonly number[], x: readonly number[]): number[] =>
  Array.from({ length: classes }, (_, c) => x.reduce((sum, value, i) => sum + value * z[c * inputs + i], 0));
const logLikelihood = (z: readonly number[], [y, ...x]: readonly number[]): number => {
  const all = logits(z, x);
  return all[y] - Math.log(all.reduce((sum, logit) => sum + Math.exp(logit), 0));
};

describe.each(backends)("multinomialRegression on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });
  const points = [
    [0.3, -0.8, 1, 0.2, -0.5, 0.9],
    [2, 1, -1, 0, 0.5, -2],
  ];

  it("is the definition, with a normalised likelihood", () => {
    const rows = tf.tensor2d(data);
    const z = tf.tensor3d(points.map((point) => [point]));
    const likelihood = model.logLikelihood(z, rows);
    expect(likelihood.shape).toEqual([2, 4]);
    expectClose(
      read(likelihood),
      points.flatMap((point) => data.map((row) => logLikelihood(point, row))),
      1e-6,
    );
    const sums = Array.from({ length: classes }, (_, y) =>
      read(model.logLikelihood(z, tf.tensor2d(data.map(([, ...x]) => [y, ...x])))),
    );
    expectClose(
      sums[0].map((_, i) => sums.reduce((sum, logs) => sum + Math.exp(logs[i]), 0)),
      new Array(8).fill(1),
      1e-6,
    );
    const joint = points.map((point) =>
      data.reduce(
        (sum, row) => sum + logLikelihood(point, row),
        point.reduce((sum, w) => sum - 0.5 * w * w - 0.5 * Math.log(2 * Math.PI), 0),
      ),
    );
    expectClose(read(model.logJoint(tf.tensor2d(points), rows)), joint, 1e-6);
  });

  it("is logistic regression in the difference of two classes", () => {
    const two = multinomialRegression({ inputs: 2, classes: 2, priorScale: 3 });
    const rows = tf.tensor2d(data.map(([y, ...x]) => [y > 0 ? 1 : 0, ...x]));
    const z = tf.tensor2d([[0.3, -0.8, 1, 0.2]]);
    const difference = tf.tensor2d([[1 - 0.3, 0.2 + 0.8]]);
    const binary = logisticRegression({ inputs: 2, priorScale: 3 });
    expectClose(read(two.logLikelihood(z, rows)), read(binary.logLikelihood(difference, rows)), 1e-6);
  });

  it("has the gradient Σ_n (1{y_n = c} − p_nc) x_n − w_c/σ²", () => {
    const point = points[0];
    const expected = point.map((w, d) => {
      const [c, i] = [Math.floor(d / inputs), d % inputs];
      return data.reduce((sum, [y, ...x]) => {
        const odds = logits(point, x).map(Math.exp);
        const share = odds[c] / odds.reduce((total, value) => total + value, 0);
        return sum + ((y === c ? 1 : 0) - share) * x[i];
      }, -w);
    });
    const gradient = tf.grad((z: Tensor) => model.logJoint(z, tf.tensor2d(data)));
    expectClose(read(gradient(tf.tensor1d(point))), expected, 2e-6);
  });

  it("replays as eager and leaves no tensor behind", () => {
    const rows = tf.tensor2d(data);
    const z = normal(randomKey(1), [3, 1, 6]) as Tensor3D;
    expectNoLeak(() => [model.logPrior(z), model.logLikelihood(z, rows), model.logJoint(z, rows)]);
    const step = compile(({ z, rows }: { z: Tensor3D; rows: Tensor2D }) => model.logLikelihood(z, rows));
    step({ z, rows });
    const others = tf.tensor2d(data.map(([y, ...x]) => [(y + 1) % 3, ...x]));
    expectClose(read(step({ z, rows: others })), read(model.logLikelihood(z, others)), 1e-6);
    step.dispose();
  });

  it("refuses one class", () => {
    expect(() => multinomialRegression({ inputs: 2, classes: 1 })).toThrow(
      "multinomialRegression: classes must be an integer of at least 2, not 1.",
    );
    expect(() => multinomialRegression({ inputs: 1.5, classes: 2 })).toThrow("inputs must be a positive integer");
  });
});
