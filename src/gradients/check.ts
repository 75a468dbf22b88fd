import { mean, standardError, variance } from "../diagnostics/moments.js";
import { breathe } from "../engine/interrupt.js";
import { leaves, type Parameters } from "../engine/parameters.js";
import { foldIn, type Key } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { tf } from "../engine/tf.js";

/** Float32 carries about seven digits: differences below this fraction of the largest estimate are rounding, not bias. */
const rounding = 2 ** -20;

/** One number of a gradient. */
export interface CheckedComponent {
  /** Where it stands, for instance `phi.mean[0, 1]`. */
  readonly name: string;
  readonly exact: number;
  /** Mean of the estimates. */
  readonly mean: number;
  /** Standard error of that mean. */
  readonly standardError: number;
  /** Variance of one estimate. */
  readonly variance: number;
  /** (mean − exact) in standard errors: a draw from about N(0, 1) where the estimator is unbiased. */
  readonly bias: number;
}

/** What {@link checkGradient} found; `String(report)` is a table. */
export interface GradientCheck {
  readonly verdict: "consistent" | "biased";
  readonly components: readonly CheckedComponent[];
  /** The component with the largest |bias|. */
  readonly worst: CheckedComponent;
  /** Variance of one estimate, summed over the components. */
  readonly totalVariance: number;
  readonly replicates: number;
  /** The |bias|, in standard errors, from which the verdict is "biased". */
  readonly threshold: number;
  /** The verdict in a sentence, and a table of the components. */
  toString(): string;
}

/** Options of {@link checkGradient}. */
export interface CheckGradientOptions {
  /** R ≥ 30, independent estimates. */
  readonly replicates: number;
  readonly key: Key;
  /** Default 4: an unbiased component fails it about once in 16,000 where R is large, once in 2,500 at R = 30. */
  readonly threshold?: number;
}

/**
 * Whether a gradient estimator is unbiased, component by component: the mean of R estimates against the exact gradient, in standard errors.
 *
 * It can only ever say "biased" or "not seen to be": a bias well below s/√R passes, so read `standardError` with the verdict.
 *
 * @param estimator one estimate from a key, a record of tensors; they are disposed after reading.
 * @param exact the true gradient, a record of the same structure. It is left alone.
 * @throws Error if there are fewer than 30 replicates, if the structures or shapes differ, or if the exact gradient or an estimate is not finite.
 */
export async function checkGradient<P extends Parameters>(
  estimator: (key: Key) => P,
  exact: P,
  options: CheckGradientOptions,
): Promise<GradientCheck> {
  const { replicates, key, threshold = 4 } = options;
  if (!Number.isInteger(replicates) || replicates < 30)
    throw new Error(`checkGradient: replicates must be an integer of at least 30, not ${replicates}.`);
  const truth = flatten(exact);
  const unknown = truth.values.findIndex((value) => !Number.isFinite(value));
  if (unknown !== -1)
    throw new Error(
      `checkGradient: ${truth.names[unknown]} of the exact gradient is ${truth.values[unknown]}; it must be finite.`,
    );
  const draws = truth.values.map(() => new Float64Array(replicates));
  for (let r = 0; r < replicates; r++) {
    // An estimator may leave tensors behind; they are not this check's to keep.
    tf.engine().startScope();
    try {
      const estimate = flatten(estimator(foldIn(key, r)));
      if (estimate.structure !== truth.structure) {
        throw new Error(
          `checkGradient: the estimate is ${estimate.structure}, but the exact gradient is ${truth.structure}.`,
        );
      }
      estimate.values.forEach((value, i) => {
        if (!Number.isFinite(value))
          throw new Error(`checkGradient: ${truth.names[i]} of estimate ${r} is ${value}; it must be finite.`);
        draws[i][r] = value;
      });
    } finally {
      tf.engine().endScope();
    }
    await breathe();
  }
  const components = draws.map((values, i): CheckedComponent => {
    const centre = mean(values);
    const error = standardError(values);
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), Math.abs(truth.values[i]));
    const bias = (centre - truth.values[i]) / Math.max(Math.hypot(error, rounding * scale), Number.MIN_VALUE);
    return {
      name: truth.names[i],
      exact: truth.values[i],
      mean: centre,
      standardError: error,
      variance: variance(values),
      bias,
    };
  });
  const worst = components.reduce((most, next) => (Math.abs(next.bias) > Math.abs(most.bias) ? next : most));
  const verdict = Math.abs(worst.bias) < threshold ? "consistent" : "biased";
  const totalVariance = components.reduce((sum, component) => sum + component.variance, 0);
  const found = { verdict, components, worst, totalVariance, replicates, threshold } as const;
  return { ...found, toString: () => describe(found) };
}

/** Every number of a record, with its name, and the structure as one line of text. */
function flatten(record: Parameters): { values: number[]; names: string[]; structure: string } {
  const values: number[] = [];
  const names: string[] = [];
  const parts: string[] = [];
  for (const { path, tensor } of leaves(record)) {
    parts.push(`${path} ${formatShape(tensor.shape)}`);
    tensor.dataSync().forEach((value, flat) => {
      const index: number[] = [];
      for (let axis = tensor.rank - 1, rest = flat; axis >= 0; axis--) {
        index.unshift(rest % tensor.shape[axis]);
        rest = Math.floor(rest / tensor.shape[axis]);
      }
      names.push(tensor.rank === 0 ? path : `${path}${formatShape(index)}`);
      values.push(value);
    });
  }
  if (values.length === 0) throw new Error("checkGradient: the gradient has no components.");
  return { values, names, structure: `{ ${parts.join(", ")} }` };
}

function describe(found: Omit<GradientCheck, "toString">): string {
  const { verdict, components, worst, replicates, threshold, totalVariance } = found;
  const rows = components.map((component) => [
    component.name,
    component.exact.toPrecision(5),
    component.mean.toPrecision(5),
    component.standardError.toPrecision(2),
    component.bias.toFixed(1),
    component.variance.toPrecision(3),
  ]);
  const table = [["component", "exact", "mean", "s.e.", "bias / s.e.", "variance"], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const lines = table.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "),
  );
  const sentence =
    verdict === "consistent"
      ? `No bias seen in ${replicates} estimates: the worst component, ${worst.name}, is ${worst.bias.toFixed(1)} standard errors off (limit ${threshold}).`
      : `Biased: ${worst.name} is ${worst.bias.toFixed(1)} standard errors off after ${replicates} estimates (limit ${threshold}).`;
  return [sentence, `Variance of one estimate, summed: ${totalVariance.toPrecision(3)}.`, ...lines].join("\n");
}
