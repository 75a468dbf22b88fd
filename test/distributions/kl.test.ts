import { beforeAll, describe, expect, test } from "vitest";
import { Independent } from "../../src/distributions/independent.js";
import { klDivergence } from "../../src/distributions/kl.js";
import { MultivariateNormal } from "../../src/distributions/multivariateNormal.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { backends, expectClose, expectNoLeak, mean, read, variance } from "../engine/support.js";
import { differenceQuotient, gradientOf } from "../ops/support.js";

const exact = (mp: number, sp: number, mq: number, sq: number): number =>
  Math.log(sq / sp) + (sp ** 2 + (mp - mq) ** 2) / (2 * sq ** 2) - 0.5;

const pair = (...[meanP, trilP, meanQ, trilQ]: Tensor[]): [MultivariateNormal, MultivariateNormal] => [
  new MultivariateNormal({ mean: meanP!, scaleTril: trilP! }),
  new MultivariateNormal({ mean: meanQ!, scaleTril: trilQ! }),
];
const planes = (): Tensor[] => [
  tf.tensor2d([
    [0.3, -0.6],
    [1, 0.5],
  ]),
  tf.tensor2d([
    [1.2, 0],
    [-0.5, 0.8],
  ]),
  tf.tensor1d([0.1, 0.4]),
  tf.tensor3d([0.9, 0, 0.4, 1.3, 1.5, 0, -0.2, 0.7], [2, 2, 2]),
];

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("between normals: the closed form, 0 for equals, and a sum over an event", () => {
    const p = new Normal({ mean: tf.tensor1d([0, 1]), scale: tf.tensor1d([1, 0.3]) });
    const q = new Normal({ mean: 0.5, scale: 2 });
    const each = [exact(0, 1, 0.5, 2), exact(1, 0.3, 0.5, 2)];
    expectClose(read(klDivergence(p, q)), each, 1e-6);
    expectClose(read(klDivergence(p, p)), [0, 0], 1e-6);
    const wide = new Normal({ mean: tf.tensor1d([0.5, 0.5]), scale: 2 });
    const vectors = [p, wide].map((base) => new Independent({ base, eventRank: 1 }));
    expectClose(read(klDivergence(vectors[0]!, vectors[1]!)), [each[0]! + each[1]!], 1e-6);
    expectNoLeak(() => klDivergence(p, q));
    expectNoLeak(() => klDivergence(vectors[0]!, vectors[1]!));
  });

  test("between multivariate normals: diagonal ones sum their dimensions, equals give 0", () => {
    const scale = (a: number, b: number): Tensor => tf.tensor2d([a, 0, 0, b], [2, 2]);
    const [p, q] = pair(tf.tensor1d([0, 1]), scale(1, 0.3), tf.tensor1d([0.5, 0.5]), scale(2, 1.5));
    expectClose(read(klDivergence(p, q)), [exact(0, 1, 0.5, 2) + exact(1, 0.3, 0.5, 1.5)], 1e-6);
    expectClose(read(klDivergence(p, p)), [0], 1e-6);
  });

  test("between correlated multivariate normals: the mean of log p − log q within 4 s.e., with broadcast batches", () => {
    const [p, q] = pair(...planes());
    const kl = klDivergence(p, q);
    expect(kl.shape).toEqual([2]);
    const closed = read(kl);
    const n = 40_000;
    const x = p.sample(randomKey(2), [n]);
    const differences = read(tf.sub(p.logProb(x), q.logProb(x)));
    for (const b of [0, 1]) {
      const column = differences.filter((_, i) => i % 2 === b);
      expect(Math.abs(mean(column) - closed[b]!)).toBeLessThan(4 * Math.sqrt(variance(column) / n));
    }
    expectNoLeak(() => klDivergence(p, q));
  });

  test("has the gradient of its difference quotients", () => {
    const f = (...inputs: Tensor[]): Tensor => klDivergence(...pair(...inputs));
    const at = planes();
    for (const which of at.keys()) expectClose(read(gradientOf(f, at, which)), differenceQuotient(f, at, which), 2e-3);
  });
});
