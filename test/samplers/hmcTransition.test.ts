import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { onOwnTape } from "../../src/engine/ownTape.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { foldIn, normal, randomKey, uniform } from "../../src/engine/random.js";
import { type Scalar, type Tensor, tf } from "../../src/engine/tf.js";
import { stopGradient } from "../../src/ops/stopGradient.js";
import { where } from "../../src/ops/where.js";
import { type HmcKernel, type HmcState, hmcState, hmcTransition, propose } from "../../src/samplers/hmcTransition.js";
import { slopeAt } from "../../src/samplers/slope.js";
import { backends, expectClose, expectNoLeak, kolmogorovSmirnov, normalCdf, read } from "../engine/support.js";
import { banana, bananaDraws, column, doubleWell, standardNormal } from "./targets.js";

/** The state after several transitions, those between disposed. */
function moved(kernel: HmcKernel, from: HmcState, transitions: number, seed: number): HmcState {
  let state = from;
  for (let t = 0; t < transitions; t++) {
    const step = hmcTransition({ ...kernel, state, key: foldIn(randomKey(seed), t) });
    tf.dispose([step.accepted, step.acceptanceProbability]);
    if (state !== from) disposeParameters(state);
    state = step.state;
  }
  return state;
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("keeps log-density and gradient in step with the position, chain by chain", () => {
    const state = hmcState(doubleWell, normal(randomKey(1), [40, 1]));
    const kernel = { logDensity: doubleWell, stepSize: tf.scalar(0.9), leapfrogSteps: 2 };
    const { state: next, accepted, acceptanceProbability } = hmcTransition({ ...kernel, state, key: randomKey(2) });
    const [before, after, took] = [read(state.position), read(tf.clone(next.position)), read(accepted)];
    const share = took.filter(Boolean).length;
    expect(share).toBeGreaterThan(3);
    expect(share).toBeLessThan(38);
    after.forEach((q, c) => {
      if (took[c]) expect(q).not.toBe(before[c]);
      else expect(q).toBe(before[c]);
    });
    for (const probability of read(acceptanceProbability)) expect(probability).toBeLessThanOrEqual(1);
    const fresh = onOwnTape(() => slopeAt(doubleWell, next.position));
    expectClose(read(next.logDensity), read(fresh.logDensity), 1e-6);
    expectClose(read(next.gradient), read(fresh.gradient), 1e-6);
  });

  test("depends on the key alone", () => {
    const state = hmcState(banana, bananaDraws(randomKey(1), 10));
    const run = (seed: number): number[] =>
      read(
        hmcTransition({
          logDensity: banana,
          stepSize: tf.scalar(0.2),
          leapfrogSteps: 3,
          jitter: 0.3,
          state,
          key: randomKey(seed),
        }).state.position,
      );
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
  });

  test("never accepts a position outside the support, whether its log-density is −∞, NaN or +∞", () => {
    const inside = (q: Tensor): Tensor => stopGradient(() => tf.less(tf.abs(q), 1));
    const box = (outside: number) => (q: Tensor) => tf.sum(where(inside(q), tf.mul(q, 0.5), tf.scalar(outside)), -1);
    for (const outside of [Number.NEGATIVE_INFINITY, Number.NaN, Number.POSITIVE_INFINITY]) {
      const logDensity = box(outside);
      const state = hmcState(logDensity, uniform(randomKey(1), [200, 1], { low: -0.9, high: 0.9 }));
      const end = moved({ logDensity, stepSize: tf.scalar(0.4), leapfrogSteps: 3 }, state, 10, 2);
      for (const q of read(end.position)) expect(Math.abs(q)).toBeLessThan(1);
      for (const value of [...read(end.logDensity), ...read(end.gradient)]) expect(value).not.toBeNaN();
    }
  });

  test("a trajectory that overflows is rejected with probability 1, and leaves the state as it was", () => {
    const state = hmcState(banana, bananaDraws(randomKey(1), 30));
    const step = hmcTransition({
      logDensity: banana,
      stepSize: tf.scalar(1e6),
      leapfrogSteps: 5,
      state,
      key: randomKey(3),
    });
    expect(read(step.acceptanceProbability)).toEqual(new Array(30).fill(0));
    expect(read(step.state.position)).toEqual(read(state.position));
    expect(read(step.state.gradient)).toEqual(read(state.gradient));
  });

  test("a chain that starts where the density is 0 may enter the support, and none is stuck on NaN", () => {
    const logDensity = (q: Tensor): Tensor =>
      tf.sum(
        where(
          stopGradient(() => tf.greater(q, 0)),
          tf.neg(q),
          tf.scalar(Number.NEGATIVE_INFINITY),
        ),
        -1,
      );
    const state = hmcState(logDensity, tf.fill([100, 1], -0.1));
    const end = moved({ logDensity, stepSize: tf.scalar(0.5), leapfrogSteps: 2 }, state, 20, 4);
    for (const q of read(end.position)) expect(q).toBeGreaterThan(0);
  });

  test("takes any leading shape: [K, B, D] moves as its rows do", () => {
    const q = normal(randomKey(1), [6, 2]);
    const kernel = { logDensity: standardNormal, stepSize: tf.scalar(0.7), leapfrogSteps: 2 };
    const run = (position: Tensor): HmcState =>
      hmcTransition({ ...kernel, state: hmcState(standardNormal, position), key: randomKey(9) }).state;
    const [flat, nested] = [run(q), run(tf.reshape(q, [3, 2, 2]))];
    expect(nested.position.shape).toEqual([3, 2, 2]);
    expect(nested.logDensity.shape).toEqual([3, 2]);
    expectClose(read(nested.position), read(flat.position), 1e-6);
  });

  test("runs inside a derivative as a constant, and leaves nothing behind there or outside", () => {
    const position = normal(randomKey(1), [5, 2]);
    const scale = tf.tensor1d([1, 2]);
    const stepSize = tf.scalar(0.3);
    const transition = (units: Tensor): HmcState => {
      const logDensity = (q: Tensor): Tensor => standardNormal(tf.div(q, units));
      const state = hmcState(logDensity, position);
      return hmcTransition({ logDensity, stepSize, leapfrogSteps: 3, jitter: 0.1, state, key: randomKey(2) }).state;
    };
    const { value, gradient } = valueAndGradient(
      ({ scale }) => tf.sum(tf.mul(scale, tf.square(transition(scale).position))) as Scalar,
      { scale },
    );
    // The positions depend on the scale, but as constants: d/ds Σ s q² = Σ q².
    const squares = tf.tidy(() => tf.sum(tf.square(transition(scale).position), 0));
    expectClose(read(gradient.scale), read(squares), 1e-5);
    value.dispose();
    const logDensity = standardNormal;
    const state = hmcState(logDensity, position);
    const key = randomKey(3);
    expectNoLeak(() => {
      const step = hmcTransition({ logDensity, stepSize, leapfrogSteps: 2, state, key });
      return [...Object.values(step.state), step.accepted, step.acceptanceProbability] as Tensor[];
    });
  });
});

describe("against the truth", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  test("detailed balance, by quadrature over (q, r): ∫∫ p(q) φ(r) α f(q) g(q′) is symmetric in f and g", () => {
    const [n, width, height] = [501, 2.6, 5.5];
    const cells = Array.from({ length: n * n }, (_, i) => [
      -width + (2 * width * Math.floor(i / n)) / (n - 1),
      -height + (2 * height * (i % n)) / (n - 1),
    ]);
    const q = cells.map(([q]) => q);
    const { ends, probabilities } = tf.tidy(() => {
      const state = hmcState(doubleWell, tf.tensor2d(q, [n * n, 1]));
      const momentum = tf.tensor2d(
        cells.map(([, r]) => r),
        [n * n, 1],
      );
      const proposal = propose({
        logDensity: doubleWell,
        state,
        momentum,
        stepSize: tf.scalar(0.45),
        leapfrogSteps: 3,
      });
      return {
        ends: Array.from(proposal.position.dataSync()),
        probabilities: Array.from(proposal.acceptanceProbability.dataSync()),
      };
    });
    const weights = cells.map(([q, r]) => Math.exp(-((q * q - 1) ** 2) - r ** 2 / 2));
    const total = weights.reduce((sum, w) => sum + w, 0);
    const expectation = (of: (i: number) => number): number =>
      weights.reduce((sum, w, i) => sum + (w === 0 ? 0 : (w / total) * of(i)), 0);
    const f = (x: number): number => Math.sin(2 * x);
    const g = (x: number): number => x + x ** 2;
    const flow = (first: (x: number) => number, second: (x: number) => number, alpha: (i: number) => number): number =>
      expectation((i) => (alpha(i) === 0 ? 0 : alpha(i) * first(q[i]) * second(ends[i])));
    const accepted = (i: number): number => probabilities[i];
    expect(expectation(accepted)).toBeLessThan(0.9); // a kernel that rejects: the acceptance is what is tested
    expect(Math.abs(flow(f, g, accepted) - flow(g, f, accepted))).toBeLessThan(2e-4);
    // Without the acceptance the same quadrature sees the asymmetry.
    const always = (i: number): number => (Number.isFinite(ends[i]) ? 1 : 0);
    expect(Math.abs(flow(f, g, always) - flow(g, f, always))).toBeGreaterThan(2e-3);
  });

  test("draws from the target stay draws from it, however coarse, jittered or uneven the steps", () => {
    const chains = 40_000;
    const start = bananaDraws(randomKey(7), chains);
    const state = hmcState(banana, start);
    const stepSize = tf.linspace(0.2, 0.6, chains); // one a chain
    const kernel = { logDensity: banana, stepSize, leapfrogSteps: 4, jitter: 0.5, scale: tf.tensor1d([0.8, 1.5]) };
    const end = moved(kernel, state, 4, 8);
    const stayed = read(
      tf.tidy(() => tf.mean(tf.cast(tf.equal(column(end.position, 0), column(start, 0)), "float32"))),
    );
    expect(stayed[0]).toBeGreaterThan(0.02); // some have only ever been rejected,
    expect(stayed[0]).toBeLessThan(0.4); // but most have moved
    // z₁ and (z₂ + z₁² + 1 − .9 z₁)/√.19 are independent standard normals.
    const first = read(column(end.position, 0));
    const second = read(column(end.position, 1)).map(
      (z, i) => (z + first[i] ** 2 + 1 - 0.9 * first[i]) / Math.sqrt(0.19),
    );
    expect(kolmogorovSmirnov(first, normalCdf)).toBeLessThan(1.95);
    expect(kolmogorovSmirnov(second, normalCdf)).toBeLessThan(1.95);
    const correlation = first.reduce((sum, x, i) => sum + x * second[i], 0) / chains;
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(chains));
  });

  test("forgets its start for a density that is NaN outside its support: Gamma(3)", () => {
    const logDensity = (q: Tensor): Tensor => tf.sum(tf.sub(tf.mul(tf.log(q), 2), q), -1);
    const state = hmcState(logDensity, tf.fill([20_000, 1], 0.5));
    const end = moved({ logDensity, stepSize: tf.scalar(0.8), leapfrogSteps: 3, jitter: 0.2 }, state, 40, 12);
    const cdf = (x: number): number => (x <= 0 ? 0 : 1 - Math.exp(-x) * (1 + x + (x * x) / 2));
    expect(kolmogorovSmirnov(read(end.position), cdf)).toBeLessThan(1.95);
  });

  test("says what does not fit", () => {
    const state = hmcState(standardNormal, tf.ones([4, 2]));
    const options = {
      logDensity: standardNormal,
      state,
      stepSize: tf.scalar(0.1),
      leapfrogSteps: 2,
      key: randomKey(1),
    };
    expect(() => hmcTransition({ ...options, leapfrogSteps: 0 })).toThrow("leapfrogSteps must be a positive integer");
    expect(() => hmcTransition({ ...options, jitter: 1 })).toThrow("jitter must be in [0, 1), not 1");
    expect(() => hmcTransition({ ...options, stepSize: tf.ones([3]) })).toThrow("stepSize has the shape [3]");
    expect(() => hmcTransition({ ...options, state: { ...state, gradient: tf.ones([4]) } })).toThrow(
      "state.gradient has the shape [4], but needs [4, 2]",
    );
    expect(() => hmcState(standardNormal, tf.scalar(1))).toThrow("position must have the shape [..., D], not []");
  });
});
