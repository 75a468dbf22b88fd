/** The claims ledger's unit: one statement of a paper, what was measured for it here, and the verdict that follows from the two. */
import { type Expectation, isFiniteMeasured, judge, type Measured } from "./expectation.js";
import { type Profile, profileReaches } from "./profile.js";

/** A number that a paper reports: cited beside the measured one, never used as one. */
export interface Published {
  readonly value: number;
  readonly standardError?: number;
  /** Where it stands, e.g. `"Burda et al. 2016, Table 1"`. */
  readonly source: string;
}

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
