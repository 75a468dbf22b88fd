import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { beta, dirichlet, gamma } from "../../src/engine/gamma.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { recordKernels } from "../../src/engine/kernelReplay.js";
import { leaves, mapParameters, type Parameters } from "../../src/engine/parameters.js";
import { poisson } from "../../src/engine/poisson.js";
import {
  bernoulli,
  categorical,
  exponential,
  foldIn,
  gumbel,
  type Key,
  normal,
  randomKey,
  split,
  uniform,
} from "../../src/engine/random.js";
import { randomPermutation } from "../../src/engine/randomPermutation.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { type MlpParameters, mlp } from "../../src/models/mlp.js";
import { adam } from "../../src/optimize/adam.js";
import { bits, expectSameBits, held, kernelBackends, shifted, type TensorStep } from "./kernelReplaySupport.js";

const vector = (): Tensor => tf.tensor1d([0.5, 2, 3]);
const key = randomKey(1);

/** One step of Adam on a small perceptron with noise at its input, and the state it starts with. */
function training(): { readonly init: Parameters; readonly step: (state: Parameters, key: Key) => Parameters } {
  const net = mlp({ sizes: [2, 8, 1], activation: "relu" });
  const optimizer = adam({ learningRate: 0.01 });
  const parameters = net.init(randomKey(2));
  return {
    init: { parameters, state: optimizer.init(parameters) },
    step: (given, key) => {
      const { parameters, state } = given as { parameters: MlpParameters; state: Parameters };
      const { value, gradient } = valueAndGradient(
        (at) => tf.mean(tf.square(tf.sub(net.apply(at, normal(key, [16, 2])), 1))),
        parameters,
      );
      return { value, ...optimizer.step({ parameters, gradient, state, learningRate: 0.01 }) };
    },
  };
}

/** A step over a record as one over a list. */
function listed(like: Parameters, step: (state: Parameters, key: Key) => Parameters): TensorStep {
  return (inputs, [key]) => {
    let next = 0;
    return leaves(
      step(
        mapParameters(like, () => inputs[next++]!),
        key!,
      ),
    ).map(({ tensor }) => tensor);
  };
}

describe.each(kernelBackends)("recordKernels on %s", (backend) => {
  beforeAll(() => ready({ backend }));

  test("every draw is made anew from the keys of the call", () => {
    const draws: TensorStep = (_, [key]) => {
      const keys = split(foldIn(key!, 3), 7);
      return [
        normal(keys[0]!, [5]),
        uniform(keys[1]!, [4], { low: -1, high: 2 }),
        exponential(keys[2]!, [3]),
        gumbel(keys[3]!, [3]),
        categorical(keys[4]!, tf.tensor1d([1, 2, 3]), [9]),
        bernoulli(keys[5]!, tf.fill([40], 0.5)),
        randomPermutation(keys[6]!, 20),
      ];
    };
    expectSameBits(draws, () => []);
  });

  test("a draw that JavaScript makes of a tensor is made anew from the tensor of the call", () => {
    const draws: TensorStep = ([x], [key]) => {
      const keys = split(key!, 5);
      return [
        gamma(keys[0]!, x!, [4]),
        beta(keys[1]!, x!, tf.exp(x!)),
        dirichlet(keys[2]!, tf.square(x!)),
        poisson(keys[3]!, tf.reshape(x!, [3, 1]), [2]),
        poisson(keys[4]!, tf.scalar(3)), // of a constant
        gamma(randomKey(5), x!), // with a constant key
      ];
    };
    expectSameBits(
      draws,
      shifted(() => [vector()]),
    );
  });

  test("a key from elsewhere is a constant of the step", () => {
    expectSameBits(
      ([x]) => [tf.mul(x!, normal(key, [3]))],
      shifted(() => [vector()]),
    );
  });

  test("a state that is fed back a thousand times has the bits of eager steps and leaves nothing behind", () => {
    const { init, step } = training();
    const before = held();
    const run = listed(init, step);
    const start = leaves(init).map(({ tensor }) => tensor);
    const recording = recordKernels(run, { inputs: start, keys: [key] });
    let replayed: readonly Tensor[] = recording.outputs.slice(1);
    recording.outputs[0]!.dispose();
    const during = held();
    let eager = replayed.map((tensor) => tf.clone(tensor));
    for (let i = 0; i < 1000; i++) {
      const inputs = replayed;
      const [value, ...state] = recording.replay(inputs, [foldIn(key, i)]);
      replayed = state;
      if (i < 20) {
        const given = eager;
        const [expected, ...next] = tf.tidy(() => [...run(given, [foldIn(key, i)])]);
        eager = next;
        expect([value!, ...state].map(bits)).toEqual([expected!, ...next].map(bits));
        tf.dispose([expected!, ...given]);
      }
      tf.dispose([value!, ...inputs]);
    }
    tf.dispose(eager);
    expect(held()).toEqual(during);
    tf.dispose([...replayed]);
    recording.dispose();
    expect(held()).toEqual(before);
    tf.dispose(start);
  });

  test("inputs and outputs that share data are told apart and freed apart", () => {
    const shared = vector();
    const step: TensorStep = ([a, b]) => {
      const sum = tf.add(tf.reshape(a!, [3, 1]), tf.clone(b!));
      return [a!, tf.reshape(b!, [1, 3]), sum, sum, tf.reshape(sum, [9]), shared];
    };
    expectSameBits(step, (i) =>
      tf.tidy(() => {
        const a = tf.add(vector(), i);
        return [a, i === 0 ? tf.clone(a) : tf.mul(a, 2)]; // recorded with the same data twice
      }),
    );
    const [x, y] = [vector(), vector()];
    const recording = recordKernels(step, { inputs: [x, y], keys: [] });
    const outputs = recording.replay([x, y], []);
    tf.dispose([x, y, shared, ...recording.outputs]);
    recording.dispose();
    expect(Array.from(outputs[0]!.dataSync())).toEqual([0.5, 2, 3]);
    expect(Array.from(outputs[4]!.dataSync().slice(0, 3))).toEqual([1, 2.5, 3.5]);
    tf.dispose(outputs);
  });

  test("it keeps what the step captures alive, and runs no more than the results need", () => {
    const captured = vector();
    const x = vector();
    const recording = recordKernels(
      ([x]) => {
        tf.exp(tf.add(x!, 1)); // nobody reads it
        const product = tf.mul(tf.clone(tf.reshape(x!, [3])), captured);
        return [tf.add(product, tf.exp(captured))]; // the exponential is the same at every call
      },
      { inputs: [x], keys: [] },
    );
    captured.dispose();
    expect(recording.kernels).toBe(2);
    const [y] = recording.replay([x], []);
    expect(bits(y!)).toBe(bits(recording.outputs[0]!));
    tf.dispose([x, y!, ...recording.outputs]);
    recording.dispose();
  });
});
