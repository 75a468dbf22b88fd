import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { withIndependentSets } from "../../src/models/factorReplacement.js";
import { gammaNormalSeries, simulateGammaNormalSeries } from "../../src/models/gammaNormalSeries.js";
import { expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

function given() {
  const { labs } = simulateGammaNormalSeries({ states: 2, patients: 2, visits: 3, labs: 2, key: randomKey(1) });
  const series = gammaNormalSeries({ states: 2, labs });
  const zeros = tf.zeros([1, series.dimension]) as Tensor2D;
  const draw = (seed: number) => tf.mul(normal(randomKey(seed), [2, 1, series.dimension]), 0.4) as Tensor3D;
  return { series, phi: { mean: zeros, logScale: zeros }, z: draw(2), proposed: draw(3) };
}

describe("withIndependentSets", () => {
  it("replaces each coordinate by itself: the change of its blanket is that of log p", () => {
    const { series, phi, z, proposed } = given();
    const problem = withIndependentSets({ problem: series.problem, sets: series.independentSets });
    const replaced = read(problem.replaced({}, phi, z, proposed));
    const before = read(problem.factors({}, phi, z).logP);
    const whole = read(problem.logP({}, z));
    for (let n = 0; n < series.dimension; n++) {
      const own = tf.reshape(tf.oneHot(tf.tensor1d([n], "int32"), series.dimension), [1, 1, -1]);
      const moved = tf.add(tf.mul(z, tf.sub(1, own)), tf.mul(proposed, own)) as Tensor3D;
      const after = read(problem.logP({}, moved));
      for (const k of [0, 1]) {
        const change = replaced[k * series.dimension + n] - before[k * series.dimension + n];
        expect(Math.abs(change - (after[k] - whole[k]))).toBeLessThan(1e-4);
      }
    }
    expectNoLeak(() => problem.replaced({}, phi, z, proposed));
  });

  it("refuses sets that are no partition, and draws of another dimension", () => {
    const { series, phi } = given();
    const of = (sets: number[][]) => withIndependentSets({ problem: series.problem, sets });
    expect(() => of([[0, 1], [1]])).toThrow("hold 3 numbers, 2 of them different");
    expect(() => of([[0, 2]])).toThrow("each of the coordinates 0, …, D − 1 once");
    expect(() => of([])).toThrow("hold 0 numbers");
    const z = tf.zeros([1, 1, 3]) as Tensor3D;
    expect(() => of([[0, 1]]).replaced({}, phi, z, z)).toThrow("for D = 2 coordinates, but z has 3");
  });
});
