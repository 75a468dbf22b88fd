/** The claims ledger's unit: one statement of a paper, what was measured for it here, and the verdict that follows from the two. */
import { formatMeasured } from "./measured.js";
import { type Profile, profileReaches } from "./profile.js";

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

/** A number that a paper reports: cited beside the measured one, never used as one. */
export interface Published {
  readonly value: number;
  readonly standardError?: number;
  /** Where it stands, e.g. `"Burda et al. 2016, Table 1"`. */
  readonly source: string;
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

/** What became of a claim. `negative`: known not to hold here, and explained; `unresolved`: the run was too small to tell. */
export type Verdict = "reproduced" | "failed" | "negative" | "skipped" | "unresolved";

/** What a claim says, before anything is measured. */
export interface ClaimDescription {
  /** Unique within the notebook, kebab-case. */
  readonly id: string;
  /** Section, equation or figure of the paper. */
  readonly where: string;
  /** The claim in one sentence. */
  readonly statement: string;
  readonly published?: Published;
  /** Below this profile the verdict is `unresolved` (default `quick`). */
  readonly minimumProfile?: Profile;
  /** Name of the notebook's figure or table that shows it. */
  readonly figure?: string;
}

/** A claim as a cell states it: described, and either measured and expected, or skipped with the reason. */
export type ClaimInput = ClaimDescription &
  (
    | {
        /** The number; for `increasing` and `decreasing` it is left out, and the smallest step is reported. */
        readonly measured?: Measured;
        readonly holds: Expectation;
        /** Why the paper's statement is known not to hold here; then not holding is `negative`, and holding is `failed`. */
        readonly negative?: string;
        readonly skipped?: undefined;
      }
    | {
        /** Why it could not be measured, e.g. `"MNIST is not on this machine"`. */
        readonly skipped: string;
        readonly measured?: undefined;
        readonly holds?: undefined;
        readonly negative?: undefined;
      }
  );

/** A judged claim, as `claims.json` holds it. */
export interface Claim {
  readonly id: string;
  readonly paper: string;
  readonly where: string;
  readonly statement: string;
  readonly published?: Published;
  /** Absent if skipped, or if the expectation is a bare predicate. A value that is not finite is `null` in the file. */
  readonly measured?: Measured;
  /** What was required of the measured value, in words and numbers; empty if skipped. */
  readonly expected: string;
  readonly minimumProfile: Profile;
  readonly verdict: Verdict;
  /** Why, for every verdict but `reproduced`. */
  readonly explanation?: string;
  readonly figure?: string;
  /** Execution count of the cell that states it, where the kernel tells. */
  readonly cell?: number;
}

/** One notebook's claims, as its `claims.json` holds them. */
export interface ClaimsFile {
  readonly notebook: string;
  readonly paper: string;
  readonly profile: Profile;
  readonly backend: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly seed: number;
  /** False until `nb.finish()` ran: the notebook is running, or stopped before its end. */
  readonly finished: boolean;
  readonly claims: readonly Claim[];
  /** Names of the figures and tables of this run, in order. */
  readonly figures: readonly string[];
  readonly tables: readonly string[];
}

interface Judgement {
  readonly holds: boolean;
  readonly resolved: boolean;
  readonly measured?: Measured;
  readonly expected: string;
}

function withinErrors(z: number, measured: Measured): string {
  return measured.standardError === undefined ? "" : `, ${z} s.e.`;
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

/** Judges a measured value against an expectation, without regard to profiles; `id` names the claim in errors. */
function judge(id: string, given: Measured | undefined, holds: Expectation): Judgement {
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
      expected: `${holds.kind} by more than ${z} s.e. at each step of ${values}`,
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
        ...(given.standardError === undefined ? [] : [`${z} s.e.`]),
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

function isFiniteMeasured(measured: Measured): boolean {
  return Number.isFinite(measured.value) && Number.isFinite(measured.standardError ?? 0);
}

/**
 * Computes a claim's verdict from what was measured, what was expected and the profile.
 *
 * In this order: `skipped` if a reason is given; `failed` if a measured number is not finite; `unresolved` below the minimum profile; `negative`
 * if it does not hold and an explanation was declared (`failed` if it holds all the same: the explanation is out of date); `failed` if it does
 * not hold; `unresolved` if it agrees, but with too large a standard error; else `reproduced`.
 *
 * @throws Error if the input contradicts itself (no measured value, no tolerance, a negative standard error, a sequence of one).
 */
export function judgeClaim(input: ClaimInput, context: { paper: string; profile: Profile; cell?: number }): Claim {
  for (const field of ["id", "where", "statement"] as const) {
    if (!input[field]?.trim()) throw new Error(`Claim "${input.id}" has no ${field}: a ledger's row needs one.`);
  }
  const minimumProfile = input.minimumProfile ?? "quick";
  const common = {
    id: input.id,
    paper: context.paper,
    where: input.where,
    statement: input.statement,
    ...(input.published && { published: input.published }),
    minimumProfile,
    ...(input.figure !== undefined && { figure: input.figure }),
    ...(context.cell !== undefined && { cell: context.cell }),
  };
  if (input.skipped !== undefined) return { ...common, expected: "", verdict: "skipped", explanation: input.skipped };

  const numbers = [
    ...(input.measured ? [input.measured] : []),
    ...("sequence" in input.holds ? input.holds.sequence : []),
  ];
  for (const { standardError } of numbers) {
    if (standardError !== undefined && standardError < 0) {
      throw new Error(`Claim "${input.id}" has a standard error of ${standardError}: it cannot be negative.`);
    }
  }
  const judgement = judge(input.id, input.measured, input.holds);
  const finish = (verdict: Verdict, explanation?: string): Claim => ({
    ...common,
    ...(judgement.measured && { measured: judgement.measured }),
    expected: judgement.expected,
    verdict,
    ...(explanation !== undefined && { explanation }),
  });
  if (!numbers.every(isFiniteMeasured)) return finish("failed", "What was measured is not a finite number.");
  if (!profileReaches(context.profile, minimumProfile)) {
    return finish("unresolved", `Needs the ${minimumProfile} profile; this run is ${context.profile}.`);
  }
  if (input.negative !== undefined) {
    return judgement.holds
      ? finish("failed", `Declared a negative result (${input.negative}), yet it holds here.`)
      : finish("negative", input.negative);
  }
  if (!judgement.holds) return finish("failed", `Expected ${judgement.expected}.`);
  if (!judgement.resolved)
    return finish("unresolved", "Agrees, but its standard error is too large for agreement to mean something.");
  return finish("reproduced");
}
