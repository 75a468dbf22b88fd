import { beforeAll, describe, expect, it } from "vitest";
import { OneHotCategorical } from "../../src/distributions/oneHotCategorical.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

const logits = [
  [
    [0.5, -1, 2],
    [0, 0.3, -0.4],
  ],
  [
    [40, 0, -40],
    [-1, -1, -1],
  ],
];
/** log-probabilities in Float64. */
const logP = logits.map((rows) =>
  rows.map((row) => {
    const largest = Math.max(...row);
    const total = largest + Math.log(row.reduce((sum, l) => sum + Math.exp(l - largest), 0));
    return row.map((l) => l - total);
  }),
);
const make = (): OneHotCategorical => new OneHotCategorical({ logits: tf.tensor4d([logits]).squeeze([0]) });

describe.each(backends)("OneHotCategorical on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("has the closed forms of its log p, entropy and moments", () => {
    const law = make();
    expect([law.batchShape, law.eventShape, law.reparameterised]).toEqual([[2], [6], false]);
    for (const [i, j] of [
      [0, 0],
      [2, 1],
      [1, 2],
    ] as const) {
      const row = [0, 1, 2].map((c) => Number(c === i)).concat([0, 1, 2].map((c) => Number(c === j)));
      const x = tf.tensor2d([row, row]);
      expectClose(
        read(law.logProb(x)),
        logP.map(([a, b]) => a![i]! + b![j]!),
        1e-6,
      );
    }
    const entropies = logP.map((rows) => -rows.flat().reduce((sum, l) => sum + Math.exp(l) * l, 0));
    expectClose(read(law.entropy()), entropies, 1e-6);
    const p = logP.flat(2).map(Math.exp);
    expectClose(read(law.mean()), p, 1e-6);
    expectClose(
      read(law.variance()),
      p.map((value) => value * (1 - value)),
      1e-6,
    );
  });

  it("draws one 1 a variable, as often as p says, the same for the same key", () => {
    const n = 20_000;
    const draws = make().sample(randomKey(1), [n]);
    expect(draws.shape).toEqual([n, 2, 6]);
    const ones = read(tf.sum(tf.reshape(draws, [n, 2, 2, 3]), -1));
    expect(ones.every((sum) => sum === 1)).toBe(true);
    const frequency = read(tf.mean(draws, 0));
    logP.flat(2).forEach((l, i) => {
      const p = Math.exp(l);
      expect(Math.abs(frequency[i]! - p), `${i}`).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / n) + 1e-7);
    });
    expect(read(make().sample(randomKey(2), [5]))).toEqual(read(make().sample(randomKey(2), [5])));
    expect(read(make().sample(randomKey(2), [50]))).not.toEqual(read(make().sample(randomKey(3), [50])));
  });

  it("has the gradients of log p in the logits, x − p, and in x, log p; and leaves nothing behind", () => {
    const x = tf.tensor2d([
      [1, 0, 0, 0, 1, 0],
      [0, 1, 0, 0, 0, 1],
    ]);
    const given = tf.tensor4d([logits]).squeeze<tf.Tensor3D>([0]);
    const slope = (f: (at: Tensor) => Tensor, at: Tensor) => read(tf.grad((t: Tensor) => tf.sum(f(t)))(at));
    const p = logP.flat(2).map(Math.exp);
    expectClose(
      slope((l) => new OneHotCategorical({ logits: l }).logProb(x), given),
      Array.from(x.dataSync(), (bit, i) => bit - p[i]!),
      1e-6,
    );
    expectClose(
      slope((at) => make().logProb(at), x),
      logP.flat(2),
      1e-6,
    );
    const law = make();
    expectNoLeak(() => [law.sample(randomKey(1), [3]), law.logProb(x), law.entropy(), law.mean(), law.variance()]);
  });
});

describe("OneHotCategorical", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("refuses logits without variables and events of another width", () => {
    expect(() => new OneHotCategorical({ logits: tf.zeros([3]) })).toThrow("must have the shape [..., N, C], not [3]");
    expect(() => new OneHotCategorical({ logits: tf.zeros([2, 3], "int32") })).toThrow("must be a float32 tensor");
    expect(() => make().logProb(tf.zeros([2, 5]))).toThrow("must end in the event shape [6]");
  });
});
