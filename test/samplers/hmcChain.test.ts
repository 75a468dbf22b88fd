import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { foldIn, type Key, normal, randomKey } from "../../src/engine/random.js";
import { type Scalar, type Tensor, tf } from "../../src/engine/tf.js";
import { type HmcChain, hmcChain } from "../../src/samplers/hmcChain.js";
import { hmcState, hmcTransition } from "../../src/samplers/hmcTransition.js";
import { adaptedStepSize } from "../../src/samplers/stepSizeAdaptation.js";
import { backends, expectClose, expectNoLeak, kolmogorovSmirnov, normalCdf, read } from "../engine/support.js";
import { quartic, standardNormal } from "./targets.js";

const leavesOf = ({ positions, state, acceptanceProbability }: HmcChain): Tensor[] => [
  positions,
  acceptanceProbability,
  state.position,
  state.logDensity,
  state.gradient,
];

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("is its transitions one after the other, burn-in dropped", () => {
    const position = normal(randomKey(1), [5, 2]);
    const kernel = { logDensity: quartic, stepSize: tf.scalar(0.5), leapfrogSteps: 2 };
    const chain = hmcChain({ ...kernel, position, burnIn: 2, samples: 3, key: randomKey(2) });
    let state = hmcState(quartic, position);
    const positions: number[] = [];
    for (let t = 0; t < 5; t++) {
      state = hmcTransition({ ...kernel, state, key: foldIn(randomKey(2), t) }).state;
      if (t >= 2) positions.push(...read(tf.clone(state.position)));
    }
    expect(chain.positions.shape).toEqual([3, 5, 2]);
    expect(read(chain.positions)).toEqual(positions);
    expect(read(chain.state.gradient)).toEqual(read(state.gradient));
    expect(chain.acceptanceProbability.shape).toEqual([5]);
  });

  test("is the same where burn-in is long enough to become a loop", () => {
    const position = normal(randomKey(1), [5, 2]);
    const kernel = { logDensity: quartic, stepSize: tf.scalar(0.5), leapfrogSteps: 2, jitter: 0.2 };
    const long = (): HmcChain => hmcChain({ ...kernel, position, burnIn: 12, samples: 2, key: randomKey(2) });
    const chain = long();
    let state = hmcState(quartic, position);
    const positions: number[] = [];
    const acceptance = new Float64Array(5);
    for (let t = 0; t < 14; t++) {
      const step = hmcTransition({ ...kernel, state, key: foldIn(randomKey(2), t) });
      state = step.state;
      read(tf.clone(step.acceptanceProbability)).forEach((value, i) => {
        acceptance[i] += value / 14;
      });
      if (t >= 12) positions.push(...read(tf.clone(state.position)));
    }
    expect(read(chain.positions)).toEqual(positions);
    expectClose(read(chain.acceptanceProbability), Array.from(acceptance), 1e-6);
    expectNoLeak(() => leavesOf(tf.tidy(() => long() as never)));
  });

  test("inside a training step it is a constant, and nothing is left behind", () => {
    const z = tf.tensor2d([[0.5], [-1]]);
    const a = tf.scalar(0.8);
    const stepSize = tf.scalar(0.4);
    const chainOf = (a: Tensor): HmcChain =>
      hmcChain({
        logDensity: (e) => tf.add(standardNormal(e), standardNormal(tf.sub(z, tf.mul(a, e)))),
        position: tf.zeros([2, 1]),
        stepSize,
        leapfrogSteps: 3,
        burnIn: 1,
        samples: 2,
        key: randomKey(4),
      });
    const loss = ({ a }: { a: Tensor }): Scalar => tf.sum(tf.mul(a, chainOf(a).positions)) as Scalar;
    const { gradient, value } = valueAndGradient(loss, { a });
    const sum = tf.tidy(() => tf.sum(chainOf(a).positions));
    expectClose(read(gradient.a), read(sum), 1e-5);
    value.dispose();
    expectNoLeak(() => {
      const { value, gradient } = valueAndGradient(loss, { a });
      return [value, gradient.a];
    });
    expectNoLeak(() => leavesOf(tf.tidy(() => chainOf(a) as never)));
  });
});

describe("against the truth", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  test("started at a draw of the reverse conditional, it ends at one: z = a ε + σ u", () => {
    const [chains, a, sigma] = [20_000, 1.5, 0.7];
    const epsilon = normal(randomKey(1), [chains, 1]);
    const z = tf.add(tf.mul(epsilon, a), tf.mul(normal(randomKey(2), [chains, 1]), sigma));
    const { state } = hmcChain({
      logDensity: (e) => tf.add(standardNormal(e), standardNormal(tf.div(tf.sub(z, tf.mul(e, a)), sigma))),
      position: epsilon,
      stepSize: tf.scalar(0.3),
      leapfrogSteps: 3,
      burnIn: 2,
      samples: 2,
      key: randomKey(3),
    });
    // q(ε | z) = N(a z / (a² + σ²), σ² / (a² + σ²)).
    const total = a ** 2 + sigma ** 2;
    const standardised = (e: Tensor): number[] =>
      read(tf.tidy(() => tf.div(tf.sub(e, tf.mul(z, a / total)), sigma / Math.sqrt(total))));
    const [before, after] = [standardised(epsilon), standardised(state.position)];
    expect(kolmogorovSmirnov(after, normalCdf)).toBeLessThan(1.95);
    // and four transitions have carried it away from the start.
    const kept = before.reduce((sum, x, i) => sum + x * after[i], 0) / chains;
    expect(Math.abs(kept)).toBeLessThan(0.2);
  });

  test.each([2, 12])("compiled, it gives the numbers of eager, after %d transitions of burn-in", (burnIn) => {
    const chainOf = ({ position, stepSize, key }: { position: Tensor; stepSize: Tensor; key: Key }): HmcChain =>
      hmcChain({ logDensity: quartic, position, stepSize, leapfrogSteps: 3, jitter: 0.2, burnIn, samples: 2, key });
    const compiled = compile(chainOf);
    const position = normal(randomKey(1), [6, 2]);
    for (const [seed, step] of [
      [5, 0.4],
      [6, 0.9],
    ]) {
      const inputs = { position, stepSize: tf.scalar(step), key: randomKey(seed) };
      expect(read(compiled(inputs).positions)).toEqual(read(chainOf(inputs).positions));
    }
    compiled.dispose();
  });

  test("adapted after every training step, its acceptance reaches the target", () => {
    const position = normal(randomKey(1), [64, 10]);
    const step = compile(({ stepSize, key }: { stepSize: Tensor; key: Key }) => {
      const chain = hmcChain({
        logDensity: standardNormal,
        position,
        stepSize,
        leapfrogSteps: 5,
        burnIn: 1,
        samples: 1,
        key,
      });
      return {
        stepSize: adaptedStepSize(stepSize, chain.acceptanceProbability),
        acceptance: tf.mean(chain.acceptanceProbability),
      };
    });
    let stepSize: Tensor = tf.scalar(0.2);
    const [steps, last] = [800, 300];
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const next = step({ stepSize, key: foldIn(randomKey(9), i) });
      stepSize.dispose();
      stepSize = next.stepSize;
      const [acceptance] = read(next.acceptance);
      if (i >= steps - last) sum += acceptance / last;
    }
    step.dispose();
    // 128 acceptances a step with a spread of about .15: the mean of 300 steps is known to .001.
    expect(Math.abs(sum - 0.9)).toBeLessThan(0.005);
    expect(read(stepSize)[0]).toBeGreaterThan(0.5); // it started far too cautious
  });

  test("says what is wrong with its counts", () => {
    const options = {
      logDensity: standardNormal,
      position: tf.zeros([2, 1]),
      stepSize: tf.scalar(0.1),
      leapfrogSteps: 1,
      key: randomKey(1),
    };
    expect(() => hmcChain({ ...options, burnIn: -1, samples: 1 })).toThrow(
      "burnIn must be a non-negative integer, not -1",
    );
    expect(() => hmcChain({ ...options, burnIn: 0, samples: 0 })).toThrow("samples must be a positive integer, not 0");
  });
});
