import { leaves, type Parameters } from "../engine/parameters.js";
import { formatShape } from "../engine/shape.js";

const remedy = "Try a smaller learning rate, and look at the log-density for log 0 or overflow.";

/** What a guard looks at: what a step saw, and the states around it where they are known. */
export interface GuardedStep {
  readonly step: number;
  /** The objective, one value or one a datum. */
  readonly values: Float32Array;
  readonly gradientNorm: number | null;
  readonly before?: Parameters;
  readonly after?: Parameters;
}

/** Whether what a step saw is finite. */
export function isFiniteStep({ values, gradientNorm }: Pick<GuardedStep, "values" | "gradientNorm">): boolean {
  return (gradientNorm === null || Number.isFinite(gradientNorm)) && values.every((value) => Number.isFinite(value));
}

/**
 * The error of a step whose objective or gradient is not finite. It names where that comes from: the step before, if its update was bad;
 * else this step; with tensor and index.
 */
export function notFinite({ step, values, gradientNorm, before, after }: GuardedStep): Error {
  const updated = before && step > 0 ? firstNotFinite(before) : undefined;
  if (updated) return new Error(`Step ${step - 1}: ${updated} in its update. ${remedy}`);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  const symptom =
    bad === -1
      ? `the norm of the gradient is ${gradientNorm}`
      : `the objective${values.length > 1 ? ` of datum ${bad}` : ""} is ${values[bad]}`;
  const consequence = after && firstNotFinite(after);
  return new Error(
    `Step ${step}: ${symptom}${consequence ? `, and ${consequence}` : ""}. ` +
      (step === 0
        ? "Nothing had been updated yet: look at the data, the initial parameters and the log-density there."
        : remedy),
  );
}

/** The error of a state that a step left, or nothing where every number of it is finite. */
export function stateNotFinite(step: number, state: Parameters): Error | undefined {
  const bad = firstNotFinite(state);
  return bad === undefined ? undefined : new Error(`Step ${step}: ${bad} in its update. ${remedy}`);
}

/** The first number of a record that is not finite, as a clause; nothing where all are. */
function firstNotFinite(state: Parameters): string | undefined {
  for (const { path, tensor } of leaves(state)) {
    const values = tensor.dataSync();
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad === -1) continue;
    const index: number[] = [];
    for (let axis = tensor.rank - 1, rest = bad; axis >= 0; axis--) {
      index.unshift(rest % tensor.shape[axis]!);
      rest = Math.floor(rest / tensor.shape[axis]!);
    }
    return `${path}${tensor.rank === 0 ? "" : formatShape(index)} became ${values[bad]}`;
  }
  return undefined;
}
