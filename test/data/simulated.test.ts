import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/data/catalogue.js";
import type { LocateOptions } from "../../src/data/locate.js";
import { simulated, simulatedCsv } from "../../src/data/simulated.js";
import { sha256 } from "../../src/data/verify.js";
import { emptyEnvironment } from "./fixtures.js";

const options = (): LocateOptions => ({ environment: emptyEnvironment(), download: false });

describe("simulated regressions", () => {
  it.each([
    ["poisson", [100, 5]],
    ["hierarchical", [96, 3]],
    ["logistic", [200, 13]],
  ] as const)("come with the project and can be made anew: %s", async (name, shape) => {
    const { table, title } = await simulated(name, options());
    expect(title).toBe("simulated regressions");
    expect(sha256(new TextEncoder().encode(simulatedCsv(name)))).toBe(catalogue.simulated.files[name].sha256);
    expect([table.rows, table.columns]).toEqual(shape);
  });

  it("follow the law they were drawn from", async () => {
    const { table, truth } = await simulated("poisson", options());
    const beta = truth.coefficients as readonly number[];
    // Σ (y − λ) has mean 0 and variance Σ λ, given the inputs.
    let [excess, variance] = [0, 0];
    for (let row = 0; row < table.rows; row++) {
      const [y, ...x] = table.values.subarray(row * 5, row * 5 + 5);
      const rate = Math.exp(x.reduce((sum, value, d) => sum + value * beta[d], 0));
      excess += y - rate;
      variance += rate;
    }
    expect(Math.abs(excess)).toBeLessThan(4 * Math.sqrt(variance));
  });

  it("follow it with 0 and 1 too, on inputs that correlate", async () => {
    const { table, truth } = await simulated("logistic", options());
    const w = truth.w as readonly number[];
    let [excess, variance, product] = [0, 0, 0];
    for (let row = 0; row < table.rows; row++) {
      const [y, ...x] = table.values.subarray(row * 13, row * 13 + 13);
      expect([0, 1]).toContain(y);
      const p = 1 / (1 + Math.exp(-x.reduce((sum, value, d) => sum + value * w[d], 0)));
      excess += y - p;
      variance += p * (1 - p);
      product += (x[1] * x[2]) / table.rows;
    }
    expect(Math.abs(excess)).toBeLessThan(4 * Math.sqrt(variance));
    // The product of two has the variance 1 + ρ².
    expect(Math.abs(product - 0.8)).toBeLessThan(4 * Math.sqrt((1 + 0.8 ** 2) / table.rows));
  });

  it("know no others", async () => {
    await expect(simulated("gamma" as never, options())).rejects.toThrow('no simulated data set "gamma"');
  });
});
