import { describe, expect, it } from "vitest";
import { type ClaimInput, judgeClaim, type Published, type Verdict } from "../../src/notebook/claim.js";
import type { Expectation, Measured } from "../../src/notebook/expectation.js";
import type { Profile } from "../../src/notebook/profile.js";

const described = { id: "bound-rises", where: "Eq. 3", statement: "The bound rises with k." };
const judge = (input: Record<string, unknown>, profile: Profile = "standard") =>
  judgeClaim({ ...described, ...input } as ClaimInput, { paper: "iwae", profile });
const m = (value: number, standardError?: number): Measured => ({
  value,
  ...(standardError !== undefined && { standardError }),
});

describe("judgeClaim: what holds", () => {
  const rows: [string, Measured | undefined, Expectation, Verdict][] = [
    ["equals within 3 s.e. by default", m(1.29, 0.1), { kind: "equals", value: 1 }, "reproduced"],
    ["equals beyond 3 s.e.", m(1.31, 0.1), { kind: "equals", value: 1 }, "failed"],
    ["equals below by more than z s.e.", m(0.79, 0.1), { kind: "equals", value: 1, standardErrors: 2 }, "failed"],
    ["equals within an absolute tolerance", m(1.01), { kind: "equals", value: 1, absolute: 0.02 }, "reproduced"],
    ["equals beyond an absolute tolerance", m(1.03), { kind: "equals", value: 1, absolute: 0.02 }, "failed"],
    ["equals adds tolerance and noise", m(1.31, 0.1), { kind: "equals", value: 1, absolute: 0.02 }, "reproduced"],
    ["equals with too much noise to tell", m(1.1, 0.5), { kind: "equals", value: 1, resolution: 0.2 }, "unresolved"],
    ["a difference that shows through the noise", m(3, 0.5), { kind: "equals", value: 1, resolution: 0.2 }, "failed"],
    ["atLeast, tight from below within the noise", m(0.9, 0.1), { kind: "atLeast", value: 1 }, "reproduced"],
    ["atLeast, contradicted", m(0.7, 0.1), { kind: "atLeast", value: 1 }, "failed"],
    ["atMost, tight from above within the noise", m(1.1, 0.1), { kind: "atMost", value: 1 }, "reproduced"],
    ["atMost, contradicted", m(1.3, 0.1), { kind: "atMost", value: 1 }, "failed"],
    ["atMost without noise", m(1), { kind: "atMost", value: 1 }, "reproduced"],
    ["greaterThan, established", m(1.3, 0.1), { kind: "greaterThan", value: 1 }, "reproduced"],
    ["greaterThan, within the noise", m(1.1, 0.1), { kind: "greaterThan", value: 1 }, "failed"],
    ["greaterThan is strict", m(1), { kind: "greaterThan", value: 1 }, "failed"],
    ["lessThan, established", m(0.7, 0.1), { kind: "lessThan", value: 1 }, "reproduced"],
    ["lessThan, within the noise", m(0.9, 0.1), { kind: "lessThan", value: 1 }, "failed"],
    ["between, established", m(0.5, 0.1), { kind: "between", low: 0, high: 1 }, "reproduced"],
    ["between, too near the lower end", m(0.1, 0.1), { kind: "between", low: 0, high: 1 }, "failed"],
    ["between, too near the upper end", m(0.9, 0.1), { kind: "between", low: 0, high: 1 }, "failed"],
    ["increasing", undefined, { kind: "increasing", sequence: [m(1, 0.1), m(2, 0.1), m(3, 0.1)] }, "reproduced"],
    [
      "increasing, one step within the noise",
      undefined,
      { kind: "increasing", sequence: [m(1, 0.1), m(1.2, 0.1), m(3, 0.1)] },
      "failed",
    ],
    ["increasing, one step down", undefined, { kind: "increasing", sequence: [m(1), m(3), m(2)] }, "failed"],
    ["decreasing", undefined, { kind: "decreasing", sequence: [m(3), m(2), m(1)] }, "reproduced"],
    ["decreasing, but rising", undefined, { kind: "decreasing", sequence: [m(1), m(2)] }, "failed"],
    ["predicate that holds", undefined, { kind: "predicate", holds: true, because: "all are finite" }, "reproduced"],
    ["predicate that does not", m(3), { kind: "predicate", holds: false, because: "all are finite" }, "failed"],
  ];
  it.each(rows)("%s", (_, measured, holds, verdict) => {
    expect(judge({ measured, holds }).verdict).toBe(verdict);
  });

  it("reports the weakest step of a sequence", () => {
    const { measured, expected } = judge({
      holds: { kind: "increasing", sequence: [m(0, 0.3), m(1, 0.4), m(5, 0.1)] },
    });
    expect(measured).toEqual({ value: 1, standardError: 0.5 });
    expect(expected).toBe("increasing by more than 2 s.e. at each step of 0.00 ± 0.30, 1.00 ± 0.40, 5.00 ± 0.10");
  });

  it("says in words what it expected", () => {
    expect(judge({ measured: m(1, 0.1), holds: { kind: "equals", value: -1.5, absolute: 0.02 } }).expected).toBe(
      "= −1.5 ± 0.02 + 3 s.e.",
    );
    expect(judge({ measured: m(1, 0.1), holds: { kind: "atMost", value: 2 } }).expected).toBe(
      "≤ 2 (not contradicted, 2 s.e.)",
    );
    expect(judge({ measured: m(1), holds: { kind: "greaterThan", value: 0 } }).expected).toBe("> 0");
  });

  it("writes a number of standard errors with three digits, and judges by all of it", () => {
    const standardErrors = 3.182446305283707;
    const strict: Expectation = { kind: "greaterThan", value: 0, standardErrors };
    expect(judge({ measured: m(1, 0.1), holds: strict }).expected).toBe("> 0 (established, 3.18 s.e.)");
    expect(judge({ measured: m(3.1822, 1), holds: strict }).verdict).toBe("failed");
    const equal: Expectation = { kind: "equals", value: 1, absolute: 0.02, standardErrors };
    expect(judge({ measured: m(1, 0.1), holds: equal }).expected).toBe("= 1 ± 0.02 + 3.18 s.e.");
    const rising: Expectation = { kind: "increasing", sequence: [m(0, 0.1), m(9, 0.1)], standardErrors };
    expect(judge({ holds: rising }).expected).toContain("by more than 3.18 s.e. at each step");
  });
});

describe("judgeClaim: the order of the rules", () => {
  const holds: Expectation = { kind: "greaterThan", value: 0 };
  const wrong: Expectation = { kind: "greaterThan", value: 10 };

  it("skips with the reason", () => {
    expect(judge({ skipped: "MNIST is not here." })).toMatchObject({
      verdict: "skipped",
      explanation: "MNIST is not here.",
      expected: "",
    });
  });

  it.each([
    ["a NaN", m(Number.NaN), holds],
    ["an infinity", m(Number.POSITIVE_INFINITY), holds],
    ["a NaN error", m(1, Number.NaN), holds],
    ["a NaN under a predicate that holds", m(Number.NaN), { kind: "predicate", holds: true, because: "x" } as const],
    ["a NaN in a sequence", undefined, { kind: "increasing", sequence: [m(1), m(Number.NaN), m(3)] } as const],
  ])("fails on %s, below the minimum profile and as a negative result too", (_, measured, expectation) => {
    for (const rest of [{}, { minimumProfile: "full" }, { negative: "known" }]) {
      expect(judge({ measured, holds: expectation, ...rest }, "quick").verdict).toBe("failed");
    }
  });

  it("is unresolved below the minimum profile, whether it holds or not", () => {
    for (const expectation of [holds, wrong]) {
      const claim = judge({ measured: m(1), holds: expectation, minimumProfile: "standard" }, "quick");
      expect(claim.verdict).toBe("unresolved");
      expect(claim.explanation).toBe("Needs the standard profile; this run is quick.");
    }
    expect(judge({ measured: m(1), holds, minimumProfile: "standard" }, "standard").verdict).toBe("reproduced");
    expect(judge({ measured: m(1), holds, minimumProfile: "standard" }, "full").verdict).toBe("reproduced");
  });

  it("is negative if it is declared not to hold and does not, failed if it holds all the same", () => {
    expect(judge({ measured: m(1), holds: wrong, negative: "Noise drowns it." })).toMatchObject({
      verdict: "negative",
      explanation: "Noise drowns it.",
    });
    expect(judge({ measured: m(1), holds, negative: "Noise drowns it." }).verdict).toBe("failed");
  });

  it("never lets a published number decide", () => {
    const published: Published = { value: 100, source: "Table 1" };
    expect(judge({ measured: m(1), holds: wrong, published }).verdict).toBe("failed");
    expect(judge({ measured: m(1), holds, published })).toMatchObject({
      verdict: "reproduced",
      published,
      measured: m(1),
    });
    // @ts-expect-error A published number has a source and is not a measured one.
    const _measured: Measured = published;
  });
});

describe("judgeClaim: inputs that contradict themselves", () => {
  it.each([
    [{ holds: { kind: "atLeast", value: 1 } }, "has no measured value"],
    [{ measured: m(1), holds: { kind: "equals", value: 1 } }, "without a tolerance"],
    [{ measured: m(1, -0.1), holds: { kind: "atLeast", value: 1 } }, "cannot be negative"],
    [{ holds: { kind: "increasing", sequence: [m(1)] } }, "at least two"],
    [{ measured: m(1, 1), holds: { kind: "atLeast", value: 1, standardErrors: Number.NaN } }, "standardErrors = NaN"],
    [{ statement: " ", measured: m(1), holds: { kind: "atLeast", value: 1 } }, "has no statement"],
  ])("%j", (input, message) => {
    expect(() => judge(input)).toThrow(message);
  });
});
