import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/data/catalogue.js";
import type { LocateOptions } from "../../src/data/locate.js";
import { simulated, simulatedCsv } from "../../src/data/simulated.js";
import { sha256 } from "../../src/data/verify.js";
import { emptyEnvironment } from "./fixtures.js";

const options = (): LocateOptions => ({ environment: emptyEnvironment(), download: false });

describe("simulated regressions", () => {
  it.each(["poisson", "hierarchical"] as const)("come with the project and can be made anew: %s", async (name) => {
    const { table, title } = await simulated(name, options());
    expect(title).toBe("simulated regressions");
    expect(sha256(new TextEncoder().encode(simulatedCsv(name)))).toBe(catalogue.simulated.files[name].sha256);
    expect([table.rows, table.columns]).toEqual(name === "poisson" ? [100, 5] : [96, 3]);
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

  it("know no others", async () => {
    await expect(simulated("gamma" as never, options())).rejects.toThrow('no simulated data set "gamma"');
  });
});
