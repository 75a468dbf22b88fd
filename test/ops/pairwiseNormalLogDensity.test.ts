import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { normal, randomKey, split } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { logSumExp } from "../../src/ops/logSumExp.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { pairwiseNormalLogDensity, pairwiseNormalLogMeanExp } from "../../src/ops/pairwiseNormalLogDensity.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { gradientOf, type Operation } from "./support.js";

/** log N(z_s; μ_k, σ) in Float64 from what float32 made of the arguments; σ broadcasts as `[K | 1, D | 1]`. */
function reference(z: Tensor, mean: Tensor, scale: Tensor): number[][] {
  const [zs, means] = [z.arraySync(), mean.arraySync()] as number[][][];
  const scales = tf.add(tf.zeros(mean.shape), scale).arraySync() as number[][];
  return zs!.map((point) =>
    means!.map((centre, k) =>
      point.reduce((sum, x, d) => {
        const sigma = scales[k]![d]!;
        return sum - 0.5 * ((x - centre[d]!) / sigma) ** 2 - Math.log(sigma) - 0.5 * Math.log(2 * Math.PI);
      }, 0),
    ),
  );
}

function logMeanExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, x) => sum + Math.exp(x - largest), 0) / values.length);
}

/** S points, each beside the component whose index it has (modulo K), at a distance of about σ. */
function scene(S: number, K: number, D: number, sigma: number): { z: Tensor; mean: Tensor } {
  const [left, right] = split(randomKey(7));
  const mean = normal(left, [K, D]);
  const own = tf.gather(
    mean,
    tf.tensor1d(
      Array.from({ length: S }, (_, s) => s % K),
      "int32",
    ),
  );
  return { z: tf.add(own, tf.mul(normal(right, [S, D]), sigma)), mean };
}

const scales = (K: number, D: number): { name: string; scale: Tensor; products: boolean }[] => {
  const values = Array.from({ length: K * D }, (_, i) => 0.5 + ((i * 7) % 11) / 11);
  return [
    { name: "a scalar", scale: tf.scalar(0.7), products: true },
    { name: "[D]", scale: tf.tensor1d(values.slice(0, D)), products: true },
    { name: "[1, D]", scale: tf.tensor2d(values.slice(0, D), [1, D]), products: true },
    { name: "[K, 1]", scale: tf.tensor2d(values.slice(0, K), [K, 1]), products: true },
    { name: "[K, D]", scale: tf.tensor2d(values, [K, D]), products: false },
  ];
};

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test.each([2, 6])("in %i dimensions, either form is the closed form for every shape of scale", (D) => {
    const { z, mean } = scene(7, 4, D, 0.5);
    for (const { scale, products } of scales(4, D)) {
      const exact = reference(z, mean, scale);
      for (const form of products ? (["direct", "products", undefined] as const) : (["direct", undefined] as const)) {
        const options = form ? { form } : {};
        const matrix = pairwiseNormalLogDensity(z, mean, scale, options);
        expect(matrix.shape).toEqual([7, 4]);
        expectClose(read(matrix), exact.flat(), 3e-6);
        expectClose(read(pairwiseNormalLogMeanExp(z, mean, scale, options)), exact.map(logMeanExp), 3e-6);
      }
    }
    expectClose(read(pairwiseNormalLogDensity(z, mean, 0.7)), reference(z, mean, tf.scalar(0.7)).flat(), 3e-6);
  });

  test("keeps its digits where σ is a thousandth of the spread of the components", () => {
    for (const D of [6, 48]) {
      const sigma = 1e-3;
      const { z, mean } = scene(40, 20, D, sigma);
      const exact = reference(z, mean, tf.scalar(sigma));
      const nearest = (matrix: number[][]): number[] => matrix.map((row, s) => row[s % 20]!);
      const products = pairwiseNormalLogDensity(z, mean, sigma, { form: "products" }).arraySync() as number[][];
      const direct = pairwiseNormalLogDensity(z, mean, sigma, { form: "direct" }).arraySync() as number[][];
      const largest = read(tf.max(tf.abs(tf.div(z, sigma))))[0]!;
      const distance = Math.sqrt(D);
      const bound = 6e-8 * (distance ** 2 + distance * largest * Math.sqrt(D) + (largest ** 2 * D ** 1.5) / 4000);
      const worst = (matrix: number[][]): number =>
        Math.max(...nearest(matrix).map((x, s) => Math.abs(x - nearest(exact)[s]!)));
      expect(worst(products)).toBeLessThan(bound); // .002 and .07, where the expanded square is off by 2 and by 24
      expect(worst(direct)).toBeLessThan(1e-4);
    }
  });

  test("takes batches of scenes, and components that they share", () => {
    const [a, b] = [scene(3, 4, 5, 0.5), scene(3, 4, 5, 0.3)];
    const z = tf.stack([a.z, b.z]);
    for (const form of ["direct", "products"] as const) {
      for (const { scale, products } of scales(4, 5)) {
        if (form === "products" && !products) continue;
        const shared = pairwiseNormalLogDensity(z, a.mean, scale, { form });
        expect(shared.shape).toEqual([2, 3, 4]);
        expectClose(
          read(shared),
          [...reference(a.z, a.mean, scale).flat(), ...reference(b.z, a.mean, scale).flat()],
          3e-6,
        );
        const separate = pairwiseNormalLogMeanExp(z, tf.stack([a.mean, b.mean]), scale, { form });
        const exact = [...reference(a.z, a.mean, scale), ...reference(b.z, b.mean, scale)].map(logMeanExp);
        expectClose(read(separate), exact, 3e-6);
      }
    }
  });

  test("adds each point's own component", () => {
    const { z, mean } = scene(5, 3, 2, 0.5);
    const own = { mean: tf.add(z, 0.3), scale: tf.tensor1d([0.4, 0.9]) };
    const others = reference(z, mean, tf.scalar(0.8));
    const exact = others.map((row, s) => {
      const point = [z, own.mean].map((x) => tf.slice(x, [s, 0], [1, 2])) as [Tensor, Tensor];
      return logMeanExp([...row, reference(point[0], point[1], own.scale)[0]![0]!]);
    });
    expectClose(read(pairwiseNormalLogMeanExp(z, mean, 0.8, { own })), exact, 2e-6);
  });

  test.each([2, 5])("in %i dimensions, has the gradients and second derivatives of its elementary form", (D) => {
    const { z, mean } = scene(3, 2, D, 0.6);
    const elementary: Operation = (z, mean, scale) => normalLogDensity(tf.expandDims(z!, 1), mean!, scale!, 1);
    const pairs: readonly (readonly [Operation, Operation])[] = [
      [(z, mean, scale) => pairwiseNormalLogDensity(z!, mean!, scale!), elementary],
      [
        (z, mean, scale) => pairwiseNormalLogMeanExp(z!, mean!, scale!),
        (...inputs) => tf.sub(logSumExp(elementary(...inputs)), Math.LN2),
      ],
    ];
    for (const { scale } of scales(2, D)) {
      const at = [z, mean, scale];
      for (const [f, g] of pairs) {
        for (const which of at.keys()) {
          expectClose(read(gradientOf(f, at, which)), read(gradientOf(g, at, which)), 2e-5);
          const slope =
            (h: Operation): Operation =>
            (...moved) =>
              gradientOf(h, moved, which);
          for (const other of at.keys())
            expectClose(read(gradientOf(slope(f), at, other)), read(gradientOf(slope(g), at, other)), 1e-4);
        }
        expectNoLeak(() => f(...at));
        expectNoLeak(() => gradientOf(f, at, 0));
      }
    }
  });

  test("names what does not fit", () => {
    const of = (z: number[], mean: number[], scale: number[]) => () =>
      pairwiseNormalLogDensity(tf.zeros(z), tf.zeros(mean), tf.ones(scale));
    expect(of([5, 2], [4, 3], [])).toThrow("pairwiseNormalLogDensity: mean has the shape [4, 3]");
    expect(of([5, 2], [4, 2], [3])).toThrow("do not fit as [..., S, D], [..., K, D]");
    expect(of([5, 2], [6, 4, 2], [])).toThrow("do not fit");
    expect(() =>
      pairwiseNormalLogDensity(tf.zeros([5, 2]), tf.zeros([4, 2]), tf.ones([4, 2]), { form: "products" }),
    ).toThrow("use the direct form");
  });
});
