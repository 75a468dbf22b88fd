import type { Bound } from "../bounds/bound.js";
import type { Gradient } from "./gradient.js";

/** How an estimator stands to a bound. */
export type Standing =
  /** `provided` says on what condition, where there is one. */
  | { readonly verdict: "unbiased"; readonly provided?: string }
  /** It runs, and its mean is not the bound's gradient; `why` says what is missing. */
  | { readonly verdict: "biased"; readonly why: string }
  /** It throws; `why` is the error's sentence, with the remedy. */
  | { readonly verdict: "refused"; readonly why: string };

/** A gradient estimator that says for which bounds it is unbiased, and refuses the others or owns up to its bias. */
export interface DeclaredGradient extends Gradient {
  readonly name: string;
  /** Which q, and what else of the problem, it is made for, in a few words; it throws for others, where it can tell. */
  readonly scope: string;
  /** How it stands to a bound. */
  standing(bound: Bound): Standing;
  /** Whether under the ELBO it is a mean over the problem's draws, in which each stands by itself: its mean is then right however they hang together. */
  readonly drawByDraw?: boolean;
}

/** The estimator's mean is the gradient. */
export const unbiased: Standing = { verdict: "unbiased" };

/**
 * A gradient estimator with its declaration, which also guards it: a bound that the declaration refuses throws before a draw is made.
 *
 * @param estimate runs for every bound that is not refused.
 * @param scope which q, and what else of the problem, it is made for. Default `"any q"`.
 */
export function declareGradient(
  name: string,
  standing: (bound: Bound) => Standing,
  estimate: Gradient,
  scope = "any q",
): DeclaredGradient {
  const guarded: Gradient = (inputs) => {
    const found = standing(inputs.bound);
    if (found.verdict === "refused") throw new Error(`${name}: ${found.why}`);
    return estimate(inputs);
  };
  const named = Object.defineProperty(guarded, "name", { value: name });
  return Object.assign(named, { scope, standing }) as DeclaredGradient;
}

/**
 * Marks an estimator that is a mean over draws, each by itself, under the ELBO.
 *
 * @internal
 */
export function drawByDraw(gradient: DeclaredGradient): DeclaredGradient {
  return Object.assign(gradient, { drawByDraw: true });
}

/**
 * The table estimator × bound, in Markdown, as the estimators declare it, with what each is made for: each condition, bias and refusal is a note below.
 *
 * @throws Error if there is no estimator or no bound.
 */
export function estimatorTable(gradients: readonly DeclaredGradient[], bounds: readonly Bound[]): string {
  if (gradients.length === 0 || bounds.length === 0)
    throw new Error("estimatorTable: give at least one estimator and one bound.");
  const notes: string[] = [];
  const cell = (standing: Standing): string => {
    const note = standing.verdict === "unbiased" ? standing.provided : standing.why;
    if (note === undefined) return standing.verdict;
    if (!notes.includes(note)) notes.push(note);
    return `${standing.verdict} (${notes.indexOf(note) + 1})`;
  };
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const lines = [
    row(["estimator", "made for", ...bounds.map(({ name }) => name)]),
    row(["---", "---", ...bounds.map(() => "---")]),
    ...gradients.map((gradient) =>
      row([`\`${gradient.name}\``, gradient.scope, ...bounds.map((bound) => cell(gradient.standing(bound)))]),
    ),
  ];
  return [...lines, "", ...notes.map((note, i) => `${i + 1}. ${note}`)].join("\n");
}
