import { describe, expect, it } from "vitest";
import { kolmogorovSmirnov } from "../../src/diagnostics/kolmogorovSmirnov.js";
import { randomKey } from "../../src/engine/random.js";
import { globalStep, rowsDataset, rowsOf } from "../../src/models/conjugateModel.js";
import { uniforms } from "../../src/models/randomStart.js";

describe("globalStep", () => {
  const global = { a: Float64Array.of(4, -2) };
  const prior = { a: Float64Array.of(1, 1) };
  const statistics = { a: Float64Array.of(0.5, 3) };

  it("is (1 − ρ) γ + ρ (prior + N/S · statistics)", () => {
    expect(globalStep({ global, prior, statistics, scale: 10, rate: 0.25 }).a).toEqual(
      Float64Array.of(0.75 * 4 + 0.25 * 6, 0.75 * -2 + 0.25 * 31),
    );
    expect(globalStep({ global, prior, statistics, scale: 1, rate: 1 }).a).toEqual(Float64Array.of(1.5, 4));
    expect(global.a).toEqual(Float64Array.of(4, -2));
  });
});

describe("rows", () => {
  it("are taken in the order that is asked for", () => {
    const { size, all, take } = rowsDataset(rowsOf([1, 2, 3, 4, 5, 6], 2));
    expect([size, all.columns]).toEqual([3, 2]);
    expect(take(Int32Array.of(2, 0))).toEqual({ values: Float64Array.of(5, 6, 1, 2), size: 2, columns: 2 });
  });
});

describe("uniforms", () => {
  it("are uniform, and a function of the key", () => {
    const draws = uniforms(randomKey(1), 4000);
    expect(kolmogorovSmirnov(draws, (u) => u).pValue).toBeGreaterThan(1e-3);
    expect(uniforms(randomKey(1), 10)).toEqual(draws.slice(0, 10));
    expect(uniforms(randomKey(2), 10)).not.toEqual(draws.slice(0, 10));
  });
});
