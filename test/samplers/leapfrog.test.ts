import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { onOwnTape } from "../../src/engine/ownTape.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { leapfrog, type PhasePoint } from "../../src/samplers/leapfrog.js";
import { type LogDensity, slopeAt } from "../../src/samplers/slope.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { banana, bananaDraws, quartic, standardNormal } from "./targets.js";

function startAt(logDensity: LogDensity, position: Tensor, momentum: Tensor): PhasePoint {
  return { position, momentum, ...onOwnTape(() => slopeAt(logDensity, position)) };
}

function energies({ logDensity, momentum }: PhasePoint): number[] {
  return read(tf.tidy(() => tf.sub(tf.mul(tf.sum(tf.square(momentum), -1), 0.5), logDensity)));
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("one step of the oscillator is the map q′ = (1 − ε²/2) q + ε r, r′ = r − ε (q + q′)/2", () => {
    const start = startAt(standardNormal, tf.tensor2d([[1], [-0.5]]), tf.tensor2d([[0.25], [2]]));
    const end = leapfrog({ logDensity: standardNormal, start, stepSize: tf.scalar(0.5), leapfrogSteps: 1 });
    expectClose(read(end.position), [0.875 + 0.125, -0.4375 + 1], 1e-6);
    expectClose(read(end.momentum), [0.25 - 0.5, 2 - 0.25 * (-0.5 + 0.5625)], 1e-6);
    expectClose(read(end.gradient), [-1, -0.5625], 1e-6);
    expectClose(read(end.logDensity), [-0.5, -(0.5625 ** 2) / 2], 1e-6);
  });

  test("runs back on itself when the momentum is negated", () => {
    const start = startAt(banana, bananaDraws(randomKey(1), 50), normal(randomKey(2), [50, 2]));
    const options = { logDensity: banana, stepSize: tf.scalar(0.05), leapfrogSteps: 20 };
    const end = leapfrog({ ...options, start });
    const back = leapfrog({ ...options, start: { ...end, momentum: tf.neg(end.momentum) } });
    // Float32 errors grow along twice twenty steps; the distance covered is of order 1.
    expectClose(read(back.position), read(start.position), 5e-4);
    expectClose(read(tf.neg(back.momentum)), read(start.momentum), 5e-4);
  });

  test("its energy error falls as ε²", () => {
    const start = startAt(quartic, normal(randomKey(3), [400, 2]), normal(randomKey(4), [400, 2]));
    const before = energies(start);
    const error = (stepSize: number): number => {
      const end = leapfrog({
        logDensity: quartic,
        start,
        stepSize: tf.scalar(stepSize),
        leapfrogSteps: Math.round(1.2 / stepSize),
      });
      const after = energies(end);
      return Math.sqrt(after.reduce((sum, value, i) => sum + (value - before[i]) ** 2, 0) / after.length);
    };
    const [coarse, fine] = [error(0.1), error(0.05)];
    expect(coarse).toBeGreaterThan(1e-3); // far above rounding
    expect(coarse / fine).toBeGreaterThan(3.6);
    expect(coarse / fine).toBeLessThan(4.4);
  });

  test("preserves volume: the Jacobian determinant of (q, r) ↦ (q′, r′) is 1", () => {
    // Rows: both coordinates shifted by ±h and ±h/2; Richardson's combination is exact to h⁴.
    const shifts = [1, -1, 0.5, -0.5].flatMap((k) => [
      [k / 16, 0],
      [0, k / 16],
    ]);
    const at = [
      [0.3, 0.4],
      [-1.2, 0.9],
      [0.8, -1.5],
    ];
    const points = at.flatMap(([q, r]) => shifts.map(([dq, dr]) => [q + dq, r + dr]));
    const start = startAt(quartic, tf.tensor2d(points.map(([q]) => [q])), tf.tensor2d(points.map(([, r]) => [r])));
    const end = leapfrog({ logDensity: quartic, start, stepSize: tf.scalar(0.4), leapfrogSteps: 3 });
    const [q, r] = [read(end.position), read(end.momentum)];
    at.forEach((_, i) => {
      const slope = (y: number[], which: number): number => {
        const difference = (k: number): number => (y[8 * i + 2 * k + which] - y[8 * i + 2 * k + 2 + which]) / 2;
        return ((4 * difference(2)) / (1 / 32) - difference(0) / (1 / 16)) / 3;
      };
      const determinant = slope(q, 0) * slope(r, 1) - slope(q, 1) * slope(r, 0);
      expect(Math.abs(determinant - 1)).toBeLessThan(2e-3);
    });
  });

  test("a scale is a change of units", () => {
    const [q, r] = [normal(randomKey(5), [10, 2]), normal(randomKey(6), [10, 2])];
    const scale = tf.tensor1d([3, 0.2]);
    const stretched = (x: Tensor): Tensor => quartic(tf.div(x, scale));
    const options = { stepSize: tf.scalar(0.3), leapfrogSteps: 4 };
    const plain = leapfrog({ ...options, logDensity: quartic, start: startAt(quartic, q, r) });
    const scaled = leapfrog({
      ...options,
      logDensity: stretched,
      scale,
      start: startAt(stretched, tf.mul(q, scale), r),
    });
    expectClose(read(tf.div(scaled.position, scale)), read(plain.position), 2e-5);
    expectClose(read(scaled.momentum), read(plain.momentum), 2e-5);
  });

  test("each chain may have its own step size", () => {
    const start = startAt(quartic, tf.tensor2d([[1], [1]]), tf.tensor2d([[0.5], [0.5]]));
    const run = (stepSize: Tensor): number[] =>
      read(leapfrog({ logDensity: quartic, start, stepSize, leapfrogSteps: 3 }).position);
    const own = run(tf.tensor1d([0.1, 0.2]));
    expect(own[0]).toBe(run(tf.scalar(0.1))[0]);
    expect(own[1]).toBe(run(tf.scalar(0.2))[1]);
  });

  test("L steps cost L gradients, and leave nothing behind", () => {
    let calls = 0;
    const counted = (q: Tensor): Tensor => {
      calls++;
      return quartic(q);
    };
    const start = startAt(quartic, tf.ones([2, 2]), tf.ones([2, 2]));
    const stepSize = tf.scalar(0.1);
    expectNoLeak(() => Object.values(leapfrog({ logDensity: counted, start, stepSize, leapfrogSteps: 7 })) as Tensor[]);
    expect(calls).toBe(7);
  });

  test("a long trajectory is short ones in a row, compiled or not", () => {
    const start = startAt(quartic, normal(randomKey(5), [10, 2]), normal(randomKey(6), [10, 2]));
    const options = { logDensity: quartic, stepSize: tf.scalar(0.1) };
    const long = leapfrog({ ...options, start, leapfrogSteps: 20 });
    let short = start;
    for (let i = 0; i < 4; i++) short = leapfrog({ ...options, start: short, leapfrogSteps: 5 });
    expectClose(read(long.position), read(short.position), 2e-5);
    expectClose(read(long.momentum), read(short.momentum), 2e-5);
    const compiled = compile(({ start }: { start: PhasePoint }) => leapfrog({ ...options, start, leapfrogSteps: 20 }));
    expect(read(compiled({ start }).momentum)).toEqual(
      read(leapfrog({ ...options, start, leapfrogSteps: 20 }).momentum),
    );
    compiled.dispose();
  });

  test("says what does not fit", () => {
    const start = startAt(quartic, tf.ones([4, 2]), tf.ones([4, 2]));
    const options = { logDensity: quartic, start, stepSize: tf.scalar(0.1), leapfrogSteps: 1 };
    expect(() => leapfrog({ ...options, leapfrogSteps: 0 })).toThrow("leapfrogSteps must be a positive integer, not 0");
    expect(() => leapfrog({ ...options, leapfrogSteps: 1.5 })).toThrow("not 1.5");
    expect(() => leapfrog({ ...options, stepSize: tf.ones([2]) })).toThrow(
      "stepSize has the shape [2], but needs [] or one number a chain, [4]",
    );
    expect(() => leapfrog({ ...options, scale: tf.ones([4]) })).toThrow(
      "scale has the shape [4], but needs [2] or [4, 2]",
    );
  });
});
