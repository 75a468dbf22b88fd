import { describe, expect, it } from "vitest";
import { rHat } from "../../src/diagnostics/rHat.js";
import { chainsOf, chainsOracle } from "./chainsOracle.js";
import { autoregressions } from "./markovChains.js";

describe("rHat", () => {
  it.each(chainsOracle.filter((test) => test.rHat !== null))("is ArviZ's: $name", (test) => {
    expect(rHat(chainsOf(test))).toBeCloseTo(test.rHat as number, 10);
  });

  it("sees a chain elsewhere, a chain of another spread, and a drift within one chain", () => {
    const chains = autoregressions(4, 1000, 11, 0.2);
    expect(rHat(chains)).toBeLessThan(1.01);
    expect(rHat(chains.map((chain, c) => chain.map((x) => x + (c === 0 ? 1 : 0))))).toBeGreaterThan(1.05);
    expect(rHat(chains.map((chain, c) => chain.map((x) => x * (c === 0 ? 3 : 1))))).toBeGreaterThan(1.05);
    expect(rHat([chains[0].map((x, i) => x + i / 250)])).toBeGreaterThan(1.2);
  });

  it("does not change when the draws are transformed by a symmetric monotone function", () => {
    const chains = autoregressions(4, 200, 5, 0.6).map((chain) => chain.map((x) => x - 0.01));
    const doubled = chains.map((chain) => chain.map((x) => 2 * x + 7));
    expect(rHat(doubled)).toBeCloseTo(rHat(chains), 12);
  });

  it("is ∞ for chains that never move and differ, NaN where nothing differs, and finite for two values", () => {
    expect(rHat([new Float64Array(10), new Float64Array(10).fill(1)])).toBe(Infinity);
    expect(rHat([new Float64Array(10), new Float64Array(10)])).toBeNaN();
    expect(rHat([[0, 1, 0, 1, 0, 1, 1, 0]])).toBeLessThan(1.1);
  });

  it("says what is wrong with its input", () => {
    expect(() => rHat([])).toThrow("rHat needs at least one chain");
    expect(() => rHat([[1, 2, 3]])).toThrow("rHat needs at least four draws a chain, but got 3");
    expect(() =>
      rHat([
        [1, 2, 3, 4],
        [1, 2, 3, 4, 5],
      ]),
    ).toThrow("chain 1 has 5 draws, but chain 0 has 4");
    expect(() => rHat([[1, 2, Number.NaN, 4]])).toThrow("draw 2 of chain 0 is NaN");
  });
});
