import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Scalar, tf } from "../../src/engine/tf.js";
import { adam } from "../../src/optimize/adam.js";
import { constant, exponentialDecay, linear, piecewise } from "../../src/optimize/schedules.js";
import { read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

describe("adam", () => {
  it("follows the sequence of Kingma & Ba's Algorithm 1, written out in Float64", () => {
    const gradients = [2, -1, 0.5, 0, 30];
    let [theta, m, v] = [1, 0, 0];
    const optimizer = adam({ learningRate: 0.1, beta1: 0.8, beta2: 0.99, epsilon: 1e-3 });
    let parameters = { x: tf.scalar(1) };
    let state = optimizer.init(parameters);
    gradients.forEach((g, i) => {
      m = 0.8 * m + 0.2 * g;
      v = 0.99 * v + 0.01 * g * g;
      theta -= (0.1 * (m / (1 - 0.8 ** (i + 1)))) / (Math.sqrt(v / (1 - 0.99 ** (i + 1))) + 1e-3);
      const next = optimizer.step({ parameters, gradient: { x: tf.scalar(g) }, state, learningRate: 0.1 });
      ({ parameters, state } = next);
      expect(parameters.x.dataSync()[0]).toBeCloseTo(theta, 5);
    });
  });

  it("moves by the learning rate at its first step, whatever the gradient's size", () => {
    for (const size of [1e-4, 1, 1e6]) {
      const optimizer = adam({ learningRate: 0.01 });
      const parameters = { x: tf.tensor1d([5, 5]) };
      const next = optimizer.step({
        parameters,
        gradient: { x: tf.tensor1d([size, -size]) },
        state: optimizer.init(parameters),
        learningRate: 0.01,
      });
      const [down, up] = read(next.parameters.x);
      expect(down).toBeCloseTo(4.99, 5);
      expect(up).toBeCloseTo(5.01, 5);
    }
  });

  it("takes the learning rate as a tensor too, to the same bits", () => {
    const optimizer = adam({ learningRate: 0.03 });
    const parameters = { x: tf.tensor1d([5, -1]) };
    const state = optimizer.init(parameters);
    const move = (learningRate: number | Scalar): number[] =>
      read(optimizer.step({ parameters, gradient: { x: tf.tensor1d([0.3, -7]) }, state, learningRate }).parameters.x);
    expect(move(tf.scalar(-0.03))).toEqual(move(-0.03));
  });

  it("works on nested records, and leaves its arguments and no other tensors", () => {
    const optimizer = adam({ learningRate: 0.01 });
    const parameters = { net: { layers: [{ w: tf.ones([2, 3]) }, { w: tf.zeros([3]) }] }, s: tf.scalar(2) as Scalar };
    const state = optimizer.init(parameters);
    const before = tf.memory().numTensors;
    const next = optimizer.step({ parameters, gradient: parameters, state, learningRate: 0.01 });
    expect(tf.memory().numTensors - before).toBe(3 + 3); // parameters, and three of state
    expect(next.parameters.net.layers[1].w.shape).toEqual([3]);
    expect(read(parameters.s)).toEqual([2]);
  });

  it("refuses settings that make no sense", () => {
    expect(() => adam({ learningRate: 0 })).toThrow("learning rate must be positive");
    expect(() => adam({ learningRate: 0.1, beta1: 1 })).toThrow("beta1 must be in [0, 1)");
    expect(() => adam({ learningRate: 0.1, epsilon: 0 })).toThrow("epsilon");
  });
});

describe("schedules", () => {
  it("are what their formulas say", () => {
    expect([0, 99].map(constant(0.3))).toEqual([0.3, 0.3]);
    expect([0, 9, 10, 25].map(exponentialDecay({ initial: 1, factor: 0.5, every: 10 }))).toEqual([1, 1, 0.5, 0.25]);
    expect([0, 1, 3, 4, 100].map(linear({ from: 1, to: 0, over: 4 }))).toEqual([1, 0.75, 0.25, 0, 0]);
    const third = linear({ from: 0.1, to: 0.7, over: 3 });
    expect([third(0), third(3)]).toEqual([0.1, 0.7]); // both ends to the bit
    const stages = piecewise([
      { steps: 2, learningRate: 0.1 },
      { steps: 3, learningRate: 0.01 },
    ]);
    expect([0, 1, 2, 4, 5, 100].map(stages)).toEqual([0.1, 0.1, 0.01, 0.01, 0.01, 0.01]);
  });

  it("refuse what is not positive", () => {
    expect(() => constant(-1)).toThrow("must be positive");
    expect(() => exponentialDecay({ initial: 1, factor: 2, every: 1 })).toThrow("factor");
    expect(() => exponentialDecay({ initial: 1, factor: 0.5, every: 0 })).toThrow("every");
    expect(() => linear({ from: 0, to: Number.NaN, over: 4 })).toThrow("linear: to must be a finite number, not NaN");
    expect(() => linear({ from: 0, to: 1, over: 0 })).toThrow("linear: over must be a positive integer");
    expect(() => piecewise([])).toThrow("at least one stage");
  });
});
