import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { disposeParameters, type Parameters } from "../../src/engine/parameters.js";
import { type Scalar, tf } from "../../src/engine/tf.js";
import { adaGrad } from "../../src/optimize/adaGrad.js";
import { signedSteps } from "../../src/optimize/signedSteps.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const start = () => ({ q: { mean: tf.tensor1d([1, 2]) }, tau: { tau: tf.tensor1d([2, 1.05, 19.97, 5]) } });
const gradient = () => ({ q: { mean: tf.tensor1d([3, -4]) }, tau: { tau: tf.tensor1d([1e6, 1e-9, -3, 0]) } });
const optimizer = () =>
  signedSteps({ optimizer: adaGrad({ learningRate: 0.5 }), path: "tau", size: 0.1, range: [1, 20] });

describe("signedSteps", () => {
  it("moves by the sign within the range, downhill and up, and leaves the others to the optimizer", () => {
    const parameters = start();
    const state = optimizer().init(parameters);
    const down = optimizer().step({ parameters, gradient: gradient(), state, learningRate: 0.5 }).parameters;
    const up = optimizer().step({
      parameters,
      gradient: gradient(),
      state,
      learningRate: tf.scalar(-0.5) as Scalar,
    }).parameters;
    expectClose(read(down.tau.tau), [1.9, 1, 20, 5], 1e-6);
    expectClose(read(up.tau.tau), [2.1, 1.15, 19.87, 5], 1e-6);
    expectClose(read(down.q.mean), [0.5, 2.5], 1e-6);
  });

  it("compiles to the same numbers and leaks nothing", () => {
    const [parameters, slope, method] = [start(), gradient(), optimizer()];
    const inputs = { parameters, gradient: slope, state: method.init(parameters) };
    const before = tf.memory().numTensors;
    const eager = method.step({ ...inputs, learningRate: 0.1 });
    const step = compile((given: typeof inputs) => method.step({ ...given, learningRate: 0.1 }));
    const compiled = step(inputs);
    expect(read(compiled.parameters.tau.tau)).toEqual(read(eager.parameters.tau.tau));
    for (const made of [eager, compiled]) disposeParameters(made as unknown as Parameters);
    step.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses a path without a parameter, a size that is not positive and an empty range", () => {
    const at = { optimizer: adaGrad({ learningRate: 1 }), path: "tau", size: 0.1, range: [1, 20] } as const;
    expect(() => signedSteps({ ...at, path: "tau.t" }).init(start())).toThrow(
      'there is no parameter "tau.t"; there are q.mean, tau.tau',
    );
    expect(() => signedSteps({ ...at, size: 0 })).toThrow("size must be positive and finite, not 0");
    expect(() => signedSteps({ ...at, range: [2, 2] })).toThrow("low < high, not [2, 2]");
  });
});
