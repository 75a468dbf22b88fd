import { beforeAll, describe, expect, it } from "vitest";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { Bernoulli } from "../../src/distributions/bernoulli.js";
import { Concatenated } from "../../src/distributions/concatenated.js";
import type { Distribution } from "../../src/distributions/distribution.js";
import { coordinateLogProb, exponentialMembers } from "../../src/distributions/exponentialMember.js";
import { Gamma } from "../../src/distributions/gamma.js";
import { Independent } from "../../src/distributions/independent.js";
import { LogGamma } from "../../src/distributions/logGamma.js";
import { Normal } from "../../src/distributions/normal.js";
import { Poisson } from "../../src/distributions/poisson.js";
import { StudentT } from "../../src/distributions/studentT.js";
import { ready } from "../../src/engine/backend.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { expectClose, expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const vectors = (base: Distribution): Distribution => new Independent({ base, eventRank: 1 });
const row = (...values: number[]): Tensor => tf.tensor2d([values]);

/** Each family from its coordinates, with points, and log g of its base measure. */
const families: Readonly<
  Record<string, { make(...c: Tensor[]): Distribution; at: number[][]; points: number[]; logBase(z: number): number }>
> = {
  normal: {
    make: (mean, logScale) => new Normal({ mean, scale: tf.exp(logScale) }),
    at: [
      [0.3, -1],
      [-0.4, 0.5],
    ],
    points: [-2, -0.1, 0.9, 3],
    logBase: () => 0,
  },
  gamma: {
    make: (logAlpha, logMean) =>
      new Gamma({ concentration: tf.exp(logAlpha), rate: tf.exp(tf.sub(logAlpha, logMean)) }),
    at: [
      [-1, 1.5],
      [0.4, -0.3],
    ],
    points: [0.02, 0.5, 1.7, 6],
    logBase: () => 0,
  },
  "log-gamma": {
    make: (logAlpha, logMean) =>
      new LogGamma({ concentration: tf.exp(logAlpha), rate: tf.exp(tf.sub(logAlpha, logMean)) }),
    at: [
      [-1, 1.5],
      [0.4, -0.3],
    ],
    points: [-5, -0.5, 0.4, 1.6],
    logBase: () => 0,
  },
  Poisson: {
    make: (logRate) => new Poisson({ rate: tf.exp(logRate) }),
    at: [[-0.5, 1.4]],
    points: [0, 1, 3, 7],
    logBase: (z) => -Array.from({ length: z }, (_, i) => Math.log(i + 1)).reduce((sum, v) => sum + v, 0),
  },
  Bernoulli: {
    make: (logits) => new Bernoulli({ logits }),
    at: [[-0.7, 1.3]],
    points: [0, 1],
    logBase: () => 0,
  },
};

describe.each(Object.entries(families))("the %s family", (_name, { make, at, points, logBase }) => {
  const z = (): Tensor =>
    tf.tensor3d(
      points.flatMap((point) => [point, point]),
      [points.length, 1, 2],
    );

  it("has the scores that differentiation gives, in the coordinates it names", () => {
    const coordinates = at.map((values) => row(...values));
    const [member] = exponentialMembers(vectors(make(...coordinates)))!;
    for (const [i, coordinate] of member.coordinates.entries())
      expectClose(Array.from(coordinate.dataSync()), at[i], 1e-5);
    const scores = member.scores(z());
    // The derivative of the sum over draws is the sum of the scores; of each point by itself, its score.
    points.forEach((_, k) => {
      const own = tf.slice(z(), k, 1);
      const slopes = tf.grads((...c: Tensor[]) => tf.sum(make(...c).logProb(own)))(coordinates);
      for (const [i, slope] of slopes.entries()) expectClose(read(tf.slice(scores[i], k, 1)), read(slope), 2e-4);
    });
  });

  it("is overdispersed by dividing its natural parameters by τ, q itself at τ = 1", () => {
    const [member] = exponentialMembers(vectors(make(...at.map((values) => row(...values)))))!;
    for (const tau of [1, 2, 7.5]) {
      const logR = read(member.overdispersed(row(tau, tau)).logProb(z()));
      const logQ = read(member.law.logProb(z()));
      // log r − log g − (log q − log g)/τ is a constant in z.
      for (const d of [0, 1]) {
        const rest = points.map((p, k) => logR[2 * k + d] - logBase(p) - (logQ[2 * k + d] - logBase(p)) / tau);
        for (const value of rest) expect(Math.abs(value - rest[0])).toBeLessThan(2e-5 * (1 + Math.abs(rest[0])));
      }
      if (tau === 1) expectClose(logR, logQ, 1e-5);
    }
  });
});

describe("exponentialMembers", () => {
  it("has a second moment of the gamma's weights for α > (τ − 1)/(2τ − 1) alone, and of the log-gamma's always", () => {
    const tau = 2;
    const tail = (make: (alpha: number) => Distribution, low: number, alpha: number): number => {
      const [member] = exponentialMembers(vectors(make(alpha)))!;
      const { points, logWeights } = trapezoid(low, 4, 3000); // in log z
      const isLog = member.law instanceof LogGamma;
      const z = tf.tensor3d(
        Array.from(points, (y) => (isLog ? y : Math.exp(y))),
        [points.length, 1, 1],
      );
      const logQ = read(member.law.logProb(z));
      const logR = read(member.overdispersed(row(tau)).logProb(z));
      return points.reduce((sum, y, i) => sum + Math.exp(logWeights[i] + 2 * logQ[i] - logR[i] + (isLog ? 0 : y)), 0);
    };
    const gamma = (alpha: number) => new Gamma({ concentration: row(alpha), rate: row(1) });
    const logGamma = (alpha: number) => new LogGamma({ concentration: row(alpha), rate: row(1) });
    // Above 1/3 more of the left tail changes nothing, below it the integral grows without end.
    expect(tail(gamma, -80, 0.6) / tail(gamma, -40, 0.6)).toBeLessThan(1.001);
    expect(tail(gamma, -80, 0.2) / tail(gamma, -40, 0.2)).toBeGreaterThan(1e3);
    expect(tail(logGamma, -160, 0.2) / tail(logGamma, -80, 0.2)).toBeLessThan(1.001);
  });

  it("narrows a Poisson law of mean above 1 and widens one below", () => {
    const [member] = exponentialMembers(vectors(new Poisson({ rate: row(9, 0.25) })))!;
    expectClose(read(member.overdispersed(row(2, 2)).mean()), [3, 0.5], 1e-5);
  });

  it("takes concatenated families in their order, and knows no others", () => {
    const both = new Concatenated({
      parts: [vectors(new Poisson({ rate: row(2, 3) })), vectors(new Gamma({ concentration: row(1.5), rate: row(2) }))],
    });
    expect(exponentialMembers(both)!.map(({ law }) => law.constructor)).toEqual([Poisson, Gamma]);
    const z = tf.tensor3d([[[1, 4, 0.3]], [[0, 2, 1.1]]]);
    const each = read(coordinateLogProb(both, z));
    const total = read(both.logProb(z));
    expectClose([each[0] + each[1] + each[2], each[3] + each[4] + each[5]], total, 1e-5);
    const other = vectors(new StudentT({ degreesOfFreedom: 3, location: row(0), scale: row(1) }));
    expect(exponentialMembers(other)).toBeUndefined();
    expect(exponentialMembers(new Concatenated({ parts: [other, other] }))).toBeUndefined();
    expect(() => coordinateLogProb(other, z)).toThrow("must be a product of normal, gamma");
    expectNoLeak(() => coordinateLogProb(both, z));
  });
});
