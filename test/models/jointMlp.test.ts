import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { jointMlp } from "../../src/models/jointMlp.js";
import { mlp } from "../../src/models/mlp.js";
import { expectClose, expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const many = () => tf.reshape(tf.linspace(-2, 2, 3 * 4 * 2 * 3), [3, 4, 2, 3]); // [K, M, B, 3]
const data = () => tf.tensor2d([0.3, -1, 2, 0.7], [2, 2]); // [B, 2]

describe("jointMlp", () => {
  it.each([
    ["two hidden layers", [5, 4], "softplus"],
    ["one", [5], "relu"],
    ["none", [], "tanh"],
  ] as const)("is the perceptron of the concatenated input, with %s", (_name, hidden, activation) => {
    const joint = jointMlp({ input: 3, context: 2, hidden, output: 2, activation });
    const whole = mlp({ sizes: [5, ...hidden, 2], activation });
    const parameters = joint.init(randomKey(1));
    const [mine, plain] = tf.tidy(() => {
      const repeated = tf.add(tf.zeros([3, 4, 2, 2]), data());
      return [joint.given(parameters, data())(many()), whole.apply(parameters, tf.concat([many(), repeated], -1))];
    });
    expect(mine.shape).toEqual([3, 4, 2, 2]);
    expectClose(read(mine), read(plain), 1e-5);
  });

  it("needs no data where it has no context", () => {
    const joint = jointMlp({ input: 3, context: 0, hidden: [4], output: 1, activation: "tanh" });
    const parameters = joint.init(randomKey(2));
    const whole = mlp({ sizes: [3, 4, 1], activation: "tanh" });
    const [mine, plain] = tf.tidy(() => [joint.given(parameters)(many()), whole.apply(parameters, many())]);
    expectClose(read(mine), read(plain), 1e-6);
    expectNoLeak(() => tf.tidy(() => joint.given(parameters)(tf.ones([2, 3]))));
  });

  it("says what is wrong", () => {
    const joint = jointMlp({ input: 3, context: 2, hidden: [4], output: 1, activation: "tanh" });
    const parameters = joint.init(randomKey(3));
    expect(() => tf.tidy(() => void joint.given(parameters))).toThrow("looks at data x [B, 2], but none were given");
    expect(() => tf.tidy(() => void joint.given(parameters, tf.zeros([2, 5]) as Tensor2D))).toThrow("jointMlp: x");
    expect(() => tf.tidy(() => joint.given(parameters, data())(tf.zeros([2, 4])))).toThrow("jointMlp: the input");
    expect(() => jointMlp({ input: 0, context: 2, hidden: [], output: 1, activation: "tanh" })).toThrow(
      "input must be",
    );
    expect(() => jointMlp({ input: 1, context: -1, hidden: [], output: 1, activation: "tanh" })).toThrow(
      "context must",
    );
  });
});
