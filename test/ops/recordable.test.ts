import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { recordKernels } from "../../src/engine/kernelReplay.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { tidied } from "../../src/engine/values.js";
import { diagonal } from "../../src/ops/lowerTriangle.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { pairwiseNormalLogDensity } from "../../src/ops/pairwiseNormalLogDensity.js";
import { backends, expectClose, read } from "../engine/support.js";
import { cases } from "./cases.js";
import { gradientOf, type Operation } from "./support.js";

/** An operation's value, gradient and second derivatives at its inputs. */
function derivatives(f: Operation, inputs: Tensor[]): Tensor[] {
  return inputs.flatMap((_, which) => {
    const slope: Operation = (...moved) => gradientOf(f, moved, which);
    return [f(...inputs), slope(...inputs), ...inputs.map((_, other) => gradientOf(slope, inputs, other))];
  });
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test.each(cases)("$name is recorded at one point and replayed at another, derivatives and all", ({ f, inputs }) => {
    const [first, second] = [inputs(), inputs().map((x) => tf.mul(x, 1.03125))];
    const step = (given: readonly Tensor[]): Tensor[] => tf.tidy(() => derivatives(f, [...given]));
    let replayed: Tensor[];
    if (backend === "tensorflow") {
      const compiled = compile(({ given }: { given: Tensor[] }) => ({ results: step(given) }));
      compiled({ given: first });
      replayed = compiled({ given: second }).results;
      expect(compiled.graphs).toBe(1);
      compiled.dispose();
    } else {
      const recorded = recordKernels(step, { inputs: first, keys: [] });
      replayed = recorded.replay(second, []);
      recorded.dispose();
    }
    for (const [i, exact] of step(second).entries()) expectClose(read(replayed[i]!), read(exact), 1e-5);
  });
});

test("a graph keeps the splitting by which products keep their digits, compiled by XLA too", async () => {
  await ready({ backend: "tensorflow" });
  const [K, D, sigma] = [20, 16, 1e-3];
  const mean = normal(randomKey(1), [K, D]);
  const z = tf.add(mean, tf.mul(normal(randomKey(2), [K, D]), sigma));
  const step = ({ z, mean }: { z: Tensor; mean: Tensor }): { nearest: Tensor } =>
    tidied(() => ({ nearest: diagonal(pairwiseNormalLogDensity(z, mean, sigma, { form: "products" })) }));
  // With (x + C) − C simplified to x, the results would be off by 3.
  const exact = read(normalLogDensity(z, mean, sigma, 1));
  const centre = tf.mean(mean, 0, true);
  const R = read(tf.max(tf.abs(tf.div(tf.sub(tf.concat([z, mean]), centre), sigma))))[0]!;
  const delta = Math.sqrt(read(tf.max(tf.sum(tf.square(tf.div(tf.sub(z, mean), sigma)), -1)))[0]!);
  // What pairwiseNormalLogDensity documents: some ε (δ² + δ R √D + R² D^1.5/4000), and where XLA contracts products and sums some ε R².
  const some = 2;
  const documented = some * 6e-8 * (delta ** 2 + delta * R * Math.sqrt(D) + (R ** 2 * D ** 1.5) / 4000);
  const contracted = some * 6e-8 * R ** 2;
  expect(contracted).toBeLessThan(1.5);
  for (const xla of [false, true]) {
    const compiled = compile(step, { xla });
    const nearest = read(compiled({ z, mean }).nearest);
    compiled.dispose();
    const off = Math.max(...nearest.map((value, i) => Math.abs(value - exact[i]!)));
    expect(off).toBeLessThan(xla ? Math.max(documented, contracted) : documented);
  }
});
