import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatMeasured } from "../../src/notebook/measured.js";

describe("formatMeasured", () => {
  it.each([
    [-84.7812, 0.1274, "−84.78 ± 0.13"],
    [1, 0.0996, "1.00 ± 0.10"],
    [0.5, 0.00996, "0.500 ± 0.010"],
    [12345.6, 678.9, "12350 ± 680"],
    [1234.5, 12.34, "1235 ± 12"],
    [0, 0.5, "0.00 ± 0.50"],
    [3.2e-7, 1.2e-8, "(3.20 ± 0.12)e−7"],
    [4.5e9, 2e8, "(4.50 ± 0.20)e9"],
  ])("rounds %d ± %d to %s", (value, error, text) => {
    expect(formatMeasured(value, error)).toBe(text);
  });

  it("takes significant digits where there is no error", () => {
    expect(formatMeasured(2.0794415)).toBe("2.0794");
    expect(formatMeasured(2.0794415, undefined, 3)).toBe("2.08");
    expect(formatMeasured(1500)).toBe("1500");
    expect(formatMeasured(-0.000012345)).toBe("−1.2345e−5");
    expect(formatMeasured(1.5, 0)).toBe("1.5");
  });

  it("names what is not finite", () => {
    expect(formatMeasured(Number.NaN, 1)).toBe("NaN");
    expect(formatMeasured(Number.NEGATIVE_INFINITY)).toBe("−∞");
    expect(formatMeasured(1, Number.POSITIVE_INFINITY)).toBe("1 ± ∞");
  });

  it("keeps the value within half a unit of its last digit, and the error within 5 %", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e5, noNaN: true }),
        (value, error) => {
          const [v, e] = formatMeasured(value, error).replace(/−/g, "-").split(" ± ").map(Number) as [number, number];
          expect(Math.abs(v - value)).toBeLessThanOrEqual(error * 0.0501);
          expect(Math.abs(e - error)).toBeLessThanOrEqual(error * 0.0501);
        },
      ),
    );
  });
});
