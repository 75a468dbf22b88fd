import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { addObservation, normalWishartFamily } from "../../src/families/normalWishartFamily.js";
import { rowsOf } from "../../src/models/conjugateModel.js";
import { mixtureLogPredictive } from "../../src/models/mixtureLogPredictive.js";
import { mixture, threeClusters } from "../methods/conjugate.js";

const points = threeClusters(3, 30);
const global = { ...mixture.start(randomKey(4), points), weights: Float64Array.of(3, 9, 21) };
const fresh = rowsOf([0.3, -1, 2.5, 1, 30, 30], 2);

describe("mixtureLogPredictive", () => {
  it("is Σ_k E[π_k] p(x | q_k), each a ratio of normalisers", () => {
    const family = normalWishartFamily(2);
    const total = global.weights.reduce((a, b) => a + b);
    const expected = [0, 1, 2].map((row) => {
      let density = 0;
      for (let k = 0; k < 3; k++) {
        const [before, after] = [0, 1].map((n) => {
          const natural = global.components.slice(k * family.size, (k + 1) * family.size);
          addObservation(natural, 0, 2, fresh.values, 2 * row, n);
          return family.logNormaliser(natural);
        });
        density += (global.weights[k] / total) * Math.exp(after - before - Math.log(2 * Math.PI));
      }
      return Math.log(density);
    });
    mixtureLogPredictive(mixture, global, fresh).forEach((log, row) => {
      expect(log).toBeCloseTo(expected[row], 9);
    });
  });

  it("is a density: it integrates to 1 over the plane", () => {
    // By z = 4 sinh u in each coordinate, since the tails are those of a Student t.
    const [n, most] = [121, 6];
    const step = (2 * most) / (n - 1);
    const at = Array.from({ length: n }, (_, i) => -most + i * step);
    const values = at.flatMap((u) => at.flatMap((v) => [4 * Math.sinh(u), 4 * Math.sinh(v)]));
    const logs = mixtureLogPredictive(mixture, global, rowsOf(values, 2));
    const cell = (step * 4) ** 2;
    const mass = logs.reduce((sum, log, i) => {
      const [u, v] = [at[Math.floor(i / n)], at[i % n]];
      return sum + cell * Math.cosh(u) * Math.cosh(v) * Math.exp(log);
    }, 0);
    expect(mass).toBeCloseTo(1, 4);
  });

  it("refuses points of another dimension", () => {
    expect(() => mixtureLogPredictive(mixture, global, rowsOf([1, 2, 3], 3))).toThrow(
      "the points must have 2 columns, not 3.",
    );
  });
});
