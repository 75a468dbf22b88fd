import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { disposeParameters, type Parameters } from "../../src/engine/parameters.js";
import { type Tensor1D, tf } from "../../src/engine/tf.js";
import { adaGrad } from "../../src/optimize/adaGrad.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

describe("adaGrad", () => {
  it("takes the steps that are written down, the first of length η", () => {
    const optimizer = adaGrad({ learningRate: 0.5 });
    let parameters = { x: tf.tensor1d([3, -40, 1]) as Tensor1D };
    let state: Parameters = optimizer.init(parameters);
    const [x, squares] = [
      [3, -40, 1],
      [0, 0, 0],
    ];
    for (let t = 0; t < 5; t++) {
      const slope = x.map((value, i) => (i === 2 ? 0 : value - t));
      ({ parameters, state } = optimizer.step({
        parameters,
        gradient: { x: tf.tensor1d(slope) },
        state,
        learningRate: optimizer.schedule(t),
      }));
      slope.forEach((g, i) => {
        squares[i] += g * g;
        if (g !== 0) x[i] -= (0.5 * g) / Math.sqrt(squares[i]);
      });
      const found = Array.from(parameters.x.dataSync());
      if (t === 0) expectClose(found, [2.5, -39.5, 1], 1e-6);
      expectClose(found, x, 1e-5);
    }
  });

  it("converges under constant noise, where a constant step would not", () => {
    const optimizer = adaGrad({ learningRate: 1 });
    let parameters = { x: tf.tensor1d([5]) as Tensor1D };
    let state: Parameters = optimizer.init(parameters);
    for (let t = 0; t < 200; t++) {
      const noise = t % 2 === 0 ? 4 : -4;
      const gradient = { x: tf.add(parameters.x, noise) as Tensor1D };
      ({ parameters, state } = optimizer.step({ parameters, gradient, state, learningRate: 1 }));
    }
    expect(Math.abs(read(parameters.x)[0])).toBeLessThan(0.2);
  });

  it("compiles to the same numbers, leaks nothing, and refuses an ε that is not positive", () => {
    const optimizer = adaGrad({ learningRate: 0.1 });
    const parameters = { x: tf.tensor1d([1, 2]) as Tensor1D };
    const inputs = { parameters, gradient: { x: tf.tensor1d([3, -4]) as Tensor1D }, state: optimizer.init(parameters) };
    const before = tf.memory().numTensors;
    const eager = optimizer.step({ ...inputs, learningRate: 0.1 });
    const step = compile((given: typeof inputs) => optimizer.step({ ...given, learningRate: 0.1 }));
    const compiled = step(inputs);
    expect(read(compiled.parameters.x)).toEqual(read(eager.parameters.x));
    for (const made of [eager, compiled]) disposeParameters(made as unknown as Parameters);
    step.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(() => adaGrad({ learningRate: 1, epsilon: 0 })).toThrow("epsilon must be positive, not 0");
  });
});
