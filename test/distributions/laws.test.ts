import { beforeAll, describe, expect, test } from "vitest";
import type { Distribution } from "../../src/distributions/distribution.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { backends, expectClose, expectNoLeak, kolmogorovSmirnov, mean, read, variance } from "../engine/support.js";
import { differenceQuotient, gradientOf } from "../ops/support.js";
import { type Spec, specs } from "./specs.js";

const draws = 20_000;
const hasEntropy = (spec: Spec): boolean => !spec.withoutEntropy && !spec.name.startsWith("Mixture");
const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Events repeated for every batch element: `[n, ...batch, ...event]`. */
function broadcastEvents(spec: Spec, events: readonly (readonly number[])[]): Tensor {
  const values = events.flatMap((event) => Array(size(spec.batchShape)).fill(event).flat());
  return tf.tensor(Float32Array.from(values), [events.length, ...spec.batchShape, ...spec.eventShape]);
}

/** The nodes and weights of Simpson's rule (in one or two dimensions), or the points of a discrete support. */
function quadrature({ support, eventShape }: Spec): { nodes: number[][]; weights: number[] } {
  if ("points" in support) return { nodes: support.points.map((x) => [x]), weights: support.points.map(() => 1) };
  const [low, high] = support.interval;
  const steps = eventShape.length === 0 ? 6000 : 312;
  const line = Array.from({ length: steps + 1 }, (_, i) => low + ((high - low) * i) / steps);
  const simpson = line.map((_, i) => (((high - low) / steps) * (i === 0 || i === steps ? 1 : i % 2 ? 4 : 2)) / 3);
  if (eventShape.length === 0) return { nodes: line.map((x) => [x]), weights: simpson };
  return {
    nodes: line.flatMap((x) => line.map((y) => [x, y])),
    weights: simpson.flatMap((a) => simpson.map((b) => a * b)),
  };
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  describe.each(specs)("$name", (spec) => {
    const make = (): Distribution => spec.make(spec.parameters());
    const batches = size(spec.batchShape);
    const dimensions = size(spec.eventShape);

    test("shapes: [...sample, ...batch, ...event] and [...sample, ...batch]", () => {
      const distribution = make();
      expect(distribution.batchShape).toEqual(spec.batchShape);
      expect(distribution.eventShape).toEqual(spec.eventShape);
      for (const sampleShape of [[], [3], [2, 3]]) {
        const x = distribution.sample(randomKey(1), sampleShape);
        expect(x.shape).toEqual([...sampleShape, ...spec.batchShape, ...spec.eventShape]);
        expect(distribution.logProb(x).shape).toEqual([...sampleShape, ...spec.batchShape]);
      }
      expect(distribution.mean().shape).toEqual([...spec.batchShape, ...spec.eventShape]);
      expect(distribution.variance().shape).toEqual([...spec.batchShape, ...spec.eventShape]);
      if (hasEntropy(spec)) expect(distribution.entropy().shape).toEqual(spec.batchShape);
    });

    test("log p is its closed form, tails included", () => {
      const actual = read(make().logProb(broadcastEvents(spec, spec.probes)));
      const expected = spec.probes.flatMap((x) => Array.from({ length: batches }, (_, b) => spec.logDensity(x, b)));
      expectClose(actual, expected, 2e-6);
    });

    test("p integrates to 1, and its integrals are the mean, the variance and the entropy", () => {
      const distribution = make();
      const { nodes, weights } = quadrature(spec);
      const logP = read(distribution.logProb(broadcastEvents(spec, nodes)));
      const means = read(distribution.mean());
      const variances = read(distribution.variance());
      const entropies = hasEntropy(spec) ? read(distribution.entropy()) : undefined;
      // A jump of the density costs any rule a step of it, here .001 times 1/2.
      const tolerance = spec.name === "Uniform" ? 2e-3 : 2e-5;
      for (let b = 0; b < batches; b++) {
        const p = weights.map((weight, i) => weight * Math.exp(logP[i * batches + b]!));
        const expectation = (f: (x: number[], i: number) => number): number =>
          nodes.reduce((sum, x, i) => (p[i] ? sum + p[i] * f(x, i) : sum), 0);
        expectClose([expectation(() => 1)], [1], tolerance);
        for (let d = 0; d < dimensions; d++) {
          const m = expectation((x) => x[d]!);
          expectClose([means[b * dimensions + d]!], [m], tolerance);
          expectClose([variances[b * dimensions + d]!], [expectation((x) => (x[d]! - m) ** 2)], tolerance);
        }
        if (entropies) expectClose([entropies[b]!], [-expectation((_, i) => logP[i * batches + b]!)], tolerance);
      }
    });

    test("samples have its moments and its entropy within 4 s.e., and pass Kolmogorov–Smirnov at .001", () => {
      const distribution = make();
      const x = distribution.sample(randomKey(12), [draws]);
      const logP = read(distribution.logProb(x));
      const values = read(x);
      const means = read(distribution.mean());
      const variances = read(distribution.variance());
      for (let b = 0; b < batches; b++) {
        for (let d = 0; d < dimensions; d++) {
          const j = b * dimensions + d;
          const column = Array.from({ length: draws }, (_, i) => values[i * batches * dimensions + j]!);
          expect(Math.abs(mean(column) - means[j]!)).toBeLessThan(4 * Math.sqrt(variances[j]! / draws));
          const squares = column.map((value) => (value - means[j]!) ** 2);
          expect(Math.abs(mean(squares) - variances[j]!)).toBeLessThan(4 * Math.sqrt(variance(squares) / draws));
          if (spec.cdf) expect(kolmogorovSmirnov(column, (value) => spec.cdf!(value, b, d))).toBeLessThan(1.95);
        }
        if (!hasEntropy(spec)) continue;
        const surprise = Array.from({ length: draws }, (_, i) => -logP[i * batches + b]!);
        const entropy = read(distribution.entropy())[b]!;
        expect(Math.abs(mean(surprise) - entropy)).toBeLessThanOrEqual(
          4 * Math.sqrt(variance(surprise) / draws) + 1e-5,
        );
      }
    });

    test("the same key gives the same draws, another key gives others", () => {
      const sample = (seed: number): number[] => read(make().sample(randomKey(seed), [50]));
      expect(sample(1)).toEqual(sample(1));
      expect(sample(1)).not.toEqual(sample(2));
    });

    test("log p has the gradient of its difference quotients in every parameter and in x", () => {
      const parameters = spec.parameters();
      const names = Object.keys(parameters);
      const plane = [
        [0.2, 0.9],
        [1.3, -0.4],
      ];
      const events = spec.smoothAt ?? ("points" in spec.support ? spec.support.points.map((k) => [k]) : plane);
      const x = broadcastEvents(
        spec,
        events.map((event) => event.slice(0, dimensions)),
      );
      const inputs = [...Object.values(parameters), x];
      const logProb = (...moved: Tensor[]): Tensor =>
        spec.make(Object.fromEntries(names.map((name, i) => [name, moved[i]!]))).logProb(moved[names.length]!);
      const differentiable = "points" in spec.support ? names.length : inputs.length;
      for (let which = 0; which < differentiable; which++) {
        expectClose(read(gradientOf(logProb, inputs, which)), differenceQuotient(logProb, inputs, which), 3e-3);
      }
    });

    test.skipIf(spec.implicit)("a sample carries the gradient of its reparameterisation, or none", () => {
      const parameters = spec.parameters();
      const names = Object.keys(parameters);
      const inputs = Object.values(parameters);
      const sample = (...moved: Tensor[]): Tensor =>
        tf.cast(
          spec.make(Object.fromEntries(names.map((name, i) => [name, moved[i]!]))).sample(randomKey(3), [4]),
          "float32",
        );
      for (const which of inputs.keys()) {
        const gradient = read(gradientOf(sample, inputs, which));
        if (make().reparameterised) expectClose(gradient, differenceQuotient(sample, inputs, which), 2e-3);
        else expect(gradient.every((value) => value === 0)).toBe(true);
      }
    });

    test("leaves no tensor behind", () => {
      const parameters = spec.parameters();
      const before = tf.memory().numTensors;
      const distribution = spec.make(parameters);
      expect(tf.memory().numTensors).toBe(before);
      const x = distribution.sample(randomKey(1), [5]);
      expectNoLeak(() => distribution.sample(randomKey(1), [5]));
      expectNoLeak(() => distribution.logProb(x));
      expectNoLeak(() => distribution.mean());
      expectNoLeak(() => distribution.variance());
      if (hasEntropy(spec)) expectNoLeak(() => distribution.entropy());
    });
  });
});
