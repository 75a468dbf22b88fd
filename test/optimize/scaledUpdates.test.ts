import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { tf } from "../../src/engine/tf.js";
import { adam } from "../../src/optimize/adam.js";
import { scaledUpdates } from "../../src/optimize/scaledUpdates.js";
import { read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const start = () => ({ net: { w: tf.tensor1d([1, 2]), b: tf.tensor1d([3]) }, logScale: tf.tensor1d([-1, 4]) });
const gradient = () => ({ net: { w: tf.tensor1d([0.3, -2]), b: tf.tensor1d([5]) }, logScale: tf.tensor1d([7, -0.1]) });

describe("scaledUpdates", () => {
  it("gives each parameter the path that Adam takes at its own step size", () => {
    const both = scaledUpdates({
      optimizer: adam({ learningRate: 0.01 }),
      factors: { logScale: 0.2, "net.b": 3 },
    });
    const alone = (learningRate: number) => {
      const optimizer = adam({ learningRate });
      let [parameters, state] = [start(), optimizer.init(start())];
      for (let i = 0; i < 20; i++) {
        ({ parameters, state } = optimizer.step({ parameters, gradient: gradient(), state, learningRate }));
      }
      return parameters;
    };
    let [parameters, state] = [start(), both.init(start())];
    for (let i = 0; i < 20; i++) {
      ({ parameters, state } = both.step({ parameters, gradient: gradient(), state, learningRate: 0.01 }));
    }
    const close = (a: number[], b: number[]): void => {
      for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i], 5);
    };
    close(read(parameters.net.w), read(alone(0.01).net.w));
    close(read(parameters.net.b), read(alone(0.03).net.b));
    close(read(parameters.logScale), read(alone(0.002).logScale));
  });

  it("keeps a parameter of factor 0 to the bit, and lets the longer of two paths count", () => {
    const optimizer = scaledUpdates({ optimizer: adam({ learningRate: 0.1 }), factors: { net: 0, "net.b": 1 } });
    const parameters = start();
    const next = optimizer.step({
      parameters,
      gradient: gradient(),
      state: optimizer.init(parameters),
      learningRate: 0.1,
    }).parameters;
    expect(read(next.net.w)).toEqual([1, 2]);
    expect(read(next.net.b)[0]).toBeCloseTo(2.9, 5);
  });

  it("compiles to the same bits, and leaks nothing", () => {
    const optimizer = scaledUpdates({ optimizer: adam({ learningRate: 0.1 }), factors: { logScale: 0.3 } });
    const parameters = start();
    const inputs = { parameters, gradient: gradient(), state: optimizer.init(parameters) };
    const eager = read(optimizer.step({ ...inputs, learningRate: 0.1 }).parameters.logScale);
    const step = compile((given: typeof inputs) => optimizer.step({ ...given, learningRate: 0.1 }));
    const before = tf.memory().numTensors;
    const replayed = step(inputs);
    expect(Array.from(replayed.parameters.logScale.dataSync())).toEqual(eager);
    disposeParameters(replayed);
    expect(tf.memory().numTensors).toBe(before);
    step.dispose();
  });

  it("puts its factors into a checkpoint's settings", () => {
    const optimizer = scaledUpdates({ optimizer: adam({ learningRate: 0.1 }), factors: { net: 2 } });
    expect(optimizer.settings).toMatchObject({ beta1: 0.9, "factor of net": 2 });
  });

  it("refuses factors that make no sense, and paths that name nothing", () => {
    const optimizer = adam({ learningRate: 0.1 });
    expect(() => scaledUpdates({ optimizer, factors: {} })).toThrow("give at least one factor");
    expect(() => scaledUpdates({ optimizer, factors: { net: -1 } })).toThrow(
      'the factor of "net" must be finite and not negative, not -1',
    );
    expect(() => scaledUpdates({ optimizer, factors: { nat: 1 } }).init(start())).toThrow(
      'there is no parameter "nat"; there are net.w, net.b, logScale.',
    );
    expect(() => scaledUpdates({ optimizer, factors: { logScal: 1 } }).init(start())).toThrow("there is no parameter");
  });
});
