import { beforeAll, describe, expect, test } from "vitest";
import { Independent } from "../../src/distributions/independent.js";
import { MultivariateNormal } from "../../src/distributions/multivariateNormal.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey, split } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { backends, expectClose, read } from "../engine/support.js";

const [k, b, d] = [5, 4, 3];

describe.each(backends)("latents [K, B, D] on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("Normal with a mean [B, D] takes x [K, B, D]; as vectors the log-density is [K, B]", () => {
    const base = new Normal({ mean: normal(randomKey(1), [b, d]), scale: 2 });
    const x = normal(randomKey(2), [k, b, d]);
    const elementwise = base.logProb(x);
    expect(elementwise.shape).toEqual([k, b, d]);
    const vectors = new Independent({ base, eventRank: 1 });
    expect([vectors.batchShape, vectors.eventShape]).toEqual([[b], [d]]);
    const joint = vectors.logProb(x);
    expect(joint.shape).toEqual([k, b]);
    expectClose(read(joint), read(tf.sum(elementwise, -1)), 1e-6);
  });

  test("one prior for all: Normal [D] takes x [K, B, D]", () => {
    const prior = new Independent({ base: new Normal({ mean: tf.zeros([d]), scale: 1 }), eventRank: 1 });
    expect(prior.logProb(normal(randomKey(2), [k, b, d])).shape).toEqual([k, b]);
  });

  test.each([
    ["one L for all", [], [b]],
    ["an L for every batch element", [b], [b]],
    ["an L that broadcasts", [1], [b]],
    ["a batch of L around one mean", [b], []],
  ])("MultivariateNormal, %s, agrees with the same L spelled out", (_, batchOfL, batchOfMean) => {
    const [left, right] = split(randomKey(3));
    const scaleTril = tf.tidy(() =>
      tf.linalg.bandPart(tf.add(tf.mul(normal(left, [...batchOfL, d, d]), 0.3), tf.mul(tf.eye(d), 1.5)), -1, 0),
    );
    const mean = normal(right, [...batchOfMean, d]);
    const distribution = new MultivariateNormal({ mean, scaleTril });
    expect([distribution.batchShape, distribution.eventShape]).toEqual([[b], [d]]);
    const x = distribution.sample(randomKey(4), [k]);
    expect(x.shape).toEqual([k, b, d]);
    const joint = distribution.logProb(x);
    expect(joint.shape).toEqual([k, b]);
    expect(distribution.entropy().shape).toEqual([b]);
    expect(distribution.variance().shape).toEqual([b, d]);
    const values = read(joint);
    for (let i = 0; i < b; i++) {
      const at = <T extends tf.Tensor>(tensor: T, rank: number): tf.Tensor =>
        tensor.rank === rank ? tensor : tf.gather(tensor, Math.min(i, tensor.shape[0]! - 1));
      const one = new MultivariateNormal({ mean: at(mean, 1), scaleTril: at(scaleTril, 2) });
      const expected = read(one.logProb(tf.squeeze(tf.slice(x, [0, i, 0], [k, 1, d]), [1])));
      expectClose(
        values.filter((_, j) => j % b === i),
        expected,
        1e-5,
      );
    }
  });

  test("the same draws, batched or not, follow from the same noise", () => {
    const mean = tf.tensor1d([1, 2, 3]);
    const full = new MultivariateNormal({ mean, scaleTril: tf.mul(tf.eye(d), 0.5) });
    const diagonal = new Independent({ base: new Normal({ mean, scale: 0.5 }), eventRank: 1 });
    expectClose(read(full.sample(randomKey(5), [k])), read(diagonal.sample(randomKey(5), [k])), 1e-6);
  });
});
