import { beforeAll, describe, expect, it } from "vitest";
import { normalQuantile } from "../../src/diagnostics/normalQuantile.js";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { joeKuo } from "../../src/samplers/joeKuo.js";
import { normalQuantiles, quasiNormal, shiftedSobol } from "../../src/samplers/quasiNormal.js";
import { sobolDimensions, sobolPoints } from "../../src/samplers/sobol.js";
import { backends, expectClose, read } from "../engine/support.js";

const column = (points: Float64Array, dimension: number, d: number): number[] =>
  Array.from({ length: points.length / dimension }, (_, k) => points[k * dimension + d]);

describe("sobolPoints", () => {
  it("begins as the published sequence does, in the order of the Gray code", () => {
    expect([...sobolPoints(8, 3)]).toEqual(
      [
        [0, 0, 0],
        [0.5, 0.5, 0.5],
        [0.75, 0.25, 0.25],
        [0.25, 0.75, 0.75],
        [0.375, 0.375, 0.625],
        [0.875, 0.875, 0.125],
        [0.625, 0.125, 0.875],
        [0.125, 0.625, 0.375],
      ].flat(),
    );
  });

  it("puts one point of every coordinate into each interval of 1/K, for each K = 2^m", () => {
    for (const samples of [2, 16, 1024]) {
      const points = sobolPoints(samples, sobolDimensions);
      for (let d = 0; d < sobolDimensions; d++) {
        const cells = column(points, sobolDimensions, d).map((x) => Math.floor(x * samples));
        expect(new Set(cells).size).toBe(samples);
      }
    }
  });

  it("fills every dyadic box of its first two coordinates with one point: a (0, m, 2)-net", () => {
    const points = sobolPoints(64, 2);
    for (let m = 0; m <= 6; m++) {
      const [wide, high] = [2 ** m, 2 ** (6 - m)];
      const boxes = column(points, 2, 0).map(
        (x, k) => Math.floor(x * wide) * high + Math.floor(points[2 * k + 1] * high),
      );
      expect(new Set(boxes).size).toBe(64);
    }
  });

  it("has Sobol's property A: among the first 2^D points one in each of the cube's 2^D halvings, D up to 12", () => {
    for (let dimension = 1; dimension <= 12; dimension++) {
      const points = sobolPoints(2 ** dimension, dimension);
      const corners = new Set<number>();
      for (let k = 0; k < 2 ** dimension; k++) {
        let corner = 0;
        for (let d = 0; d < dimension; d++) corner = 2 * corner + Math.floor(2 * points[k * dimension + d]);
        corners.add(corner);
      }
      expect(corners.size).toBe(2 ** dimension);
    }
  });

  it("has a centred L2 discrepancy far below that of independent points, whose mean square is known", () => {
    const [samples, dimension] = [64, 2];
    // Hickernell 1998: for independent points E CD² = [(5/4)^D − (13/12)^D] / K.
    const independent = ((5 / 4) ** dimension - (13 / 12) ** dimension) / samples;
    expect(centredDiscrepancy(sobolPoints(samples, dimension), dimension)).toBeLessThan(independent / 10);
  });

  it("keeps a table of odd m_i below 2^i, with every primitive polynomial of degree at most 8 once", () => {
    expect(sobolDimensions).toBe(53);
    for (const [degree, , ...initial] of joeKuo) {
      expect(initial).toHaveLength(degree);
      initial.forEach((m, i) => {
        expect(m % 2 === 1 && m < 2 ** (i + 1)).toBe(true);
      });
    }
    const polynomials = joeKuo.map(([degree, inner]) => 2 ** degree + 2 * inner + 1);
    expect(new Set(polynomials).size).toBe(52);
    for (const [i, polynomial] of polynomials.entries()) expect(order(polynomial)).toBe(2 ** joeKuo[i][0] - 1);
  });

  it("refuses what it has no points for", () => {
    expect(() => sobolPoints(0, 2)).toThrow("K must be an integer from 1 to 2^23, not 0");
    expect(() => sobolPoints(4, 54)).toThrow("direction numbers for 1 to 53 dimensions, not for 54");
  });
});

describe.each(backends)("quasiNormal on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("keeps one point to an interval after the shift, never 0 or 1, each datum with a shift of its own", () => {
    const drawn = shiftedSobol(randomKey(1), [32, 2, 3]);
    const u = read(drawn);
    const of = (b: number, d: number) => Array.from({ length: 32 }, (_, k) => u[(k * 2 + b) * 3 + d]);
    for (const b of [0, 1]) {
      for (const d of [0, 1, 2]) {
        const sorted = of(b, d).sort((x, y) => x - y);
        expect(sorted[0]).toBeGreaterThan(0);
        expect(sorted[31]).toBeLessThan(1);
        sorted.slice(1).forEach((x, i) => {
          expect(x - sorted[i]).toBeCloseTo(1 / 32, 6);
        });
      }
    }
    expect(Math.abs(u[0] - u[3])).toBeGreaterThan(1e-6);
  });

  it("maps probabilities to normal quantiles, to float32, from 2⁻²⁴ to 1 − 2⁻²⁴", () => {
    const probabilities = [2 ** -24, 1e-6, 1e-3, 0.07, 0.0749, 0.0751, 0.3, 0.5, 0.8, 0.9999, 1 - 2 ** -24];
    const asFloat32 = probabilities.map(Math.fround);
    read(normalQuantiles(tf.tensor1d(asFloat32))).forEach((z, i) => {
      const exact = normalQuantile(asFloat32[i]);
      expect(Math.abs(z - exact)).toBeLessThan(2e-6 * Math.max(1, Math.abs(exact)));
    });
  });

  it("draws anew in a compiled step, as eager does, and leaves nothing behind", () => {
    const before = tf.memory().numTensors;
    const step = compile(({ key }: { key: Key }) => ({ z: quasiNormal(key, [4, 1, 2]) }));
    const [first, second] = [1, 2].map((seed) => read(step({ key: randomKey(seed) }).z));
    const third = read(step({ key: randomKey(3) }).z);
    step.dispose();
    expect(first).not.toEqual(second);
    expectClose(third, read(quasiNormal(randomKey(3), [4, 1, 2])), 1e-6);
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 4); // the four results
  });
});

/** The order of x modulo a polynomial over GF(2): 2^s − 1 where it is primitive. */
function order(polynomial: number): number {
  const top = 2 ** Math.floor(Math.log2(polynomial));
  let [power, steps] = [1, 0];
  do {
    power *= 2;
    if (power & top) power ^= polynomial;
    steps++;
  } while (power !== 1);
  return steps;
}

/** Hickernell's centred L2 discrepancy, squared. */
function centredDiscrepancy(points: Float64Array, dimension: number): number {
  const samples = points.length / dimension;
  const at = (k: number, d: number): number => points[k * dimension + d] - 0.5;
  let total = (13 / 12) ** dimension;
  for (let k = 0; k < samples; k++) {
    let single = 1;
    for (let d = 0; d < dimension; d++) single *= 1 + Math.abs(at(k, d)) / 2 - at(k, d) ** 2 / 2;
    total -= (2 / samples) * single;
    for (let j = 0; j < samples; j++) {
      let pair = 1;
      for (let d = 0; d < dimension; d++)
        pair *= 1 + (Math.abs(at(k, d)) + Math.abs(at(j, d)) - Math.abs(at(k, d) - at(j, d))) / 2;
      total += pair / samples ** 2;
    }
  }
  return total;
}
