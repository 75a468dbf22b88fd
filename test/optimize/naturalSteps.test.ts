import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
import { adam } from "../../src/optimize/adam.js";
import { naturalSteps } from "../../src/optimize/naturalSteps.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

const other = adam({ learningRate: 0.1 });

describe.each(backends)("naturalSteps on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });
  const at = () => ({ phi: { q: { linear: tf.tensor1d([1, -2]) }, quotient: tf.tensor1d([3]) }, theta: {} });
  const slopes = () => ({ phi: { q: { linear: tf.tensor1d([0.5, 4]) }, quotient: tf.tensor1d([-2]) }, theta: {} });

  it("moves the record by ρ times its slope, up or down by the step's sign alone, and leaves all else to the other", () => {
    const [parameters, gradient] = [at(), slopes()];
    const optimizer = naturalSteps({ optimizer: other, rate: 0.25 });
    const state = optimizer.init(parameters);
    for (const size of [0.1, -0.1, 1e-9]) {
      const learningRate = tf.scalar(size);
      const { parameters: moved } = optimizer.step({ parameters, gradient, state, learningRate });
      expectClose(read(moved.phi.q.linear), [1 - Math.sign(size) * 0.125, -2 - Math.sign(size)], 1e-6);
      const alone = other.step({ parameters, gradient, state: other.init(parameters), learningRate }).parameters;
      // Its name begins with q's, and it is none of its parameters.
      expectClose(read(moved.phi.quotient), read(alone.phi.quotient), 1e-6);
    }
    const learningRate = tf.scalar(-0.1);
    expectNoLeak(() => {
      const next = optimizer.step({ parameters, gradient, state, learningRate });
      return [next.parameters.phi.q.linear, next.parameters.phi.quotient, ...Object.values(next.state as object)];
    });
  });

  it("takes one tensor, or a path of one's own", () => {
    const optimizer = naturalSteps({ optimizer: other, rate: 1, path: "phi.quotient" });
    const [parameters, gradient] = [at(), slopes()];
    const learningRate = tf.scalar(-1e-6);
    const { parameters: moved } = optimizer.step({
      parameters,
      gradient,
      state: optimizer.init(parameters),
      learningRate,
    });
    expectClose(read(moved.phi.quotient), [1], 1e-6);
    expectClose(read(moved.phi.q.linear), [1, -2], 1e-4);
  });
});

describe("naturalSteps", () => {
  it("refuses a rate out of range and a path that is not there", () => {
    for (const rate of [0, -1, 2, Number.NaN])
      expect(() => naturalSteps({ optimizer: other, rate })).toThrow(`rate must be in (0, 1], not ${rate}.`);
    expect(() => naturalSteps({ optimizer: other, rate: 1 }).init({ phi: { a: tf.scalar(0) } })).toThrow(
      'naturalSteps: there is no parameter "phi.q"; there are phi.a.',
    );
  });
});
