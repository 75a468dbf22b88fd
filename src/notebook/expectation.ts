/** What is expected of a measured number, and whether it holds. */
import { formatMeasured } from "./measured.js";

/** A number computed in this run. */
export interface Measured {
  readonly value: number;
  /** Standard error of `value`; leave it out only for numbers without Monte Carlo or sampling error. */
  readonly standardError?: number;
  /** Number of independent replications behind the standard error. */
  readonly n?: number;
  /** Never: a number with a source was published, not measured. */
  readonly source?: never;
}

/**
 * What must be true of the measured value m with standard error s (0 if there is none) for the claim to hold; z is `standardErrors`.
 *
 * | kind | holds if | for |
 * |---|---|---|
 * | `equals` | \|m − value\| ≤ absolute + z s | agreement with an exact value |
 * | `atLeast` | m + z s ≥ value | an inequality that may be tight: not contradicted |
 * | `atMost` | m − z s ≤ value | the same from above |
 * | `greaterThan` | m − z s > value | a strict ordering: established beyond the noise |
 * | `lessThan` | m + z s < value | the same from below |
 * | `between` | low ≤ m − z s and m + z s ≤ high | an interval that holds the value beyond the noise |
 * | `increasing`, `decreasing` | every step of the sequence is established beyond z standard errors of the difference | an ordering along k |
 * | `predicate` | `true` | what no number carries; `because` says what was checked |
 */
export type Expectation =
  | {
      readonly kind: "equals";
      readonly value: number;
      /** z (default 3). */
      readonly standardErrors?: number;
      /** Tolerance beside the noise (default 0): rounding of float32, discretisation. */
      readonly absolute?: number;
      /** The largest standard error at which agreement means something; above it the claim is unresolved, not reproduced. */
      readonly resolution?: number;
    }
  | {
      readonly kind: "atLeast" | "atMost" | "greaterThan" | "lessThan";
      readonly value: number;
      /** z (default 2). */
      readonly standardErrors?: number;
    }
  | {
      readonly kind: "between";
      readonly low: number;
      readonly high: number /** z (default 2). */;
      readonly standardErrors?: number;
    }
  | {
      readonly kind: "increasing" | "decreasing";
      /** The values in order, at least two; their errors are taken as independent, which overstates the noise of paired runs. */
      readonly sequence: readonly Measured[];
      /** z (default 2). */
      readonly standardErrors?: number;
    }
  | { readonly kind: "predicate"; readonly holds: boolean; readonly because: string };

/** What an expectation makes of a measured value. @internal */
export interface Judgement {
  readonly holds: boolean;
  readonly resolved: boolean;
  readonly measured?: Measured;
  readonly expected: string;
}

function withinErrors(z: number, measured: Measured): string {
  return measured.standardError === undefined ? "" : `, ${errors(z)}`;
}

/** "3 s.e.", or a quantile of Student's t to three digits. */
function errors(z: number): string {
  return `${Number(z.toPrecision(3))} s.e.`;
}

function steps(sequence: readonly Measured[], sign: 1 | -1): Measured[] {
  return sequence.slice(1).map((next, i) => {
    const last = sequence[i]!;
    return {
      value: sign * (next.value - last.value),
      standardError: Math.hypot(next.standardError ?? 0, last.standardError ?? 0),
    };
  });
}

/** Judges a measured value against an expectation, without regard to profiles; `id` names the claim in errors. @internal */
export function judge(id: string, given: Measured | undefined, holds: Expectation): Judgement {
  if (holds.kind === "predicate") {
    return {
      holds: holds.holds && (given === undefined || isFiniteMeasured(given)),
      resolved: true,
      ...(given && { measured: given }),
      expected: holds.because,
    };
  }
  const z = holds.standardErrors ?? (holds.kind === "equals" ? 3 : 2);
  if (!(z >= 0))
    throw new Error(`Claim "${id}" has standardErrors = ${z}: give a number of standard errors, 0 or more.`);
  if (holds.kind === "increasing" || holds.kind === "decreasing") {
    if (holds.sequence.length < 2)
      throw new Error(`Claim "${id}" orders a sequence: give at least two measured values.`);
    const all = steps(holds.sequence, holds.kind === "increasing" ? 1 : -1);
    const margin = (step: Measured): number => step.value - z * (step.standardError ?? 0);
    // A step that is not a number is the worst of all, and must not lose a comparison silently.
    const worst = all.reduce((a, b) => (Number.isNaN(margin(a)) || margin(a) <= margin(b) ? a : b));
    const values = holds.sequence.map((m) => formatMeasured(m.value, m.standardError)).join(", ");
    return {
      holds: all.every((step) => margin(step) > 0),
      resolved: true,
      measured: given ?? worst,
      expected: `${holds.kind} by more than ${errors(z)} at each step of ${values}`,
    };
  }
  if (given === undefined)
    throw new Error(`Claim "${id}" has no measured value: give measured, or skipped with the reason.`);
  const m = given.value;
  const s = given.standardError ?? 0;
  const noise = withinErrors(z, given);
  switch (holds.kind) {
    case "equals": {
      const absolute = holds.absolute ?? 0;
      if (given.standardError === undefined && !(absolute > 0)) {
        throw new Error(`Claim "${id}" compares without a tolerance: give measured.standardError or holds.absolute.`);
      }
      const parts = [
        ...(absolute > 0 ? [String(absolute)] : []),
        ...(given.standardError === undefined ? [] : [errors(z)]),
      ];
      return {
        holds: Math.abs(m - holds.value) <= absolute + z * s,
        resolved: !(s > (holds.resolution ?? Number.POSITIVE_INFINITY)),
        measured: given,
        expected: `= ${round(holds.value)} ± ${parts.join(" + ")}`,
      };
    }
    case "atLeast":
      return {
        holds: m + z * s >= holds.value,
        resolved: true,
        measured: given,
        expected: `≥ ${round(holds.value)}${noise && ` (not contradicted${noise})`}`,
      };
    case "atMost":
      return {
        holds: m - z * s <= holds.value,
        resolved: true,
        measured: given,
        expected: `≤ ${round(holds.value)}${noise && ` (not contradicted${noise})`}`,
      };
    case "greaterThan":
      return {
        holds: m - z * s > holds.value,
        resolved: true,
        measured: given,
        expected: `> ${round(holds.value)}${noise && ` (established${noise})`}`,
      };
    case "lessThan":
      return {
        holds: m + z * s < holds.value,
        resolved: true,
        measured: given,
        expected: `< ${round(holds.value)}${noise && ` (established${noise})`}`,
      };
    case "between":
      return {
        holds: m - z * s >= holds.low && m + z * s <= holds.high,
        resolved: true,
        measured: given,
        expected: `in [${round(holds.low)}, ${round(holds.high)}]${noise && ` (established${noise})`}`,
      };
  }
}

function round(value: number): string {
  return String(Number(value.toPrecision(7))).replace("-", "−");
}

/** @internal */
export function isFiniteMeasured(measured: Measured): boolean {
  return Number.isFinite(measured.value) && Number.isFinite(measured.standardError ?? 0);
}
