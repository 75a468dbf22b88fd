import { type Estimate, estimateMean, mean, standardError, variance } from "../diagnostics/moments.js";
import { leaves, type Parameters } from "../engine/parameters.js";
import { formatShape } from "../engine/shape.js";
import type { CheckedComponent } from "./check.js";
import { estimateGradient, type Gradient, type GradientInputs } from "./gradient.js";

/** Options of {@link gradientErrors}. */
export interface GradientErrorsOptions<Theta extends Parameters, Phi extends Parameters, Z>
  extends GradientInputs<Theta, Phi, Z> {
  /** The exact gradient of one copy: the same record as φ, or as its `part`, with 1 in the place of B. It is left alone. */
  readonly exact: Parameters;
  /** What to look at of φ's gradient. Default: all of it. */
  readonly part?: (gradient: Phi) => Parameters;
}

/** What {@link gradientErrors} found about one estimate of φ's gradient. */
export interface GradientErrors {
  readonly components: readonly CheckedComponent[];
  /** The component with the largest |bias| in standard errors. */
  readonly worst: CheckedComponent;
  /** The variance of a component, in the mean over the components. */
  readonly variance: Estimate;
  /** (estimate − exact)² of a component, in the mean over the components: variance + bias². */
  readonly squaredError: Estimate;
  /** |mean − exact| / |exact|, with what noise adds to the square taken off; its standard error is that of all components together, and so an upper one. */
  readonly relativeBias: Estimate;
}

/**
 * Bias and variance of a gradient in φ, from B copies of one problem with the same data and parameters: their gradients are B independent estimates, made in one call.
 *
 * variance = mean over components of s_i²,  squared error = mean of (ĝ_i − g_i)²,  relative bias = √max(0, Σ_i [(ḡ_i − g_i)² − s_i²/B]) / |g|.
 *
 * `checkGradient` is for one problem as it stands; this is for a study of many estimators, at a cost far below B calls.
 *
 * @param at where, and the exact gradient there; its problem has `batchSize` B ≥ 30, every tensor of φ begins with the axis B, and its rows are alike (which is the caller's word).
 * @throws Error if there are fewer than 30 copies, if the exact gradient has another structure, is not finite or is all zeros, if an estimate is not finite, or as the gradient does.
 */
export function gradientErrors<Theta extends Parameters, Phi extends Parameters, Z>(
  gradient: Gradient,
  at: GradientErrorsOptions<Theta, Phi, Z>,
): GradientErrors {
  const { exact, part = (phi) => phi, ...inputs } = at;
  const copies = inputs.problem.batchSize;
  if (copies < 30)
    throw new Error(`gradientErrors: the problem must hold at least 30 copies, batchSize ≥ 30, not ${copies}.`);
  const estimate = estimateGradient(gradient, inputs);
  try {
    const [found, wanted] = [leaves(part(estimate.gradient.phi)), leaves(exact)];
    const structure = (list: typeof found, batch: number): string =>
      list.map(({ path, tensor }) => `${path} ${formatShape([batch, ...tensor.shape.slice(1)])}`).join(", ");
    if (structure(found, 1) !== structure(wanted, 1) || found.some(({ tensor }) => tensor.shape[0] !== copies)) {
      throw new Error(
        `gradientErrors: the gradient is { ${structure(found, copies)} }, but the exact one is { ${structure(wanted, 1)} }; give one row for the ${copies}.`,
      );
    }
    const components = found.flatMap(({ path, tensor }, leaf) => {
      const [values, truth] = [tensor.dataSync(), wanted[leaf].tensor.dataSync()];
      return Array.from(truth, (value, i) => {
        const draws = Float64Array.from({ length: copies }, (_, b) => values[b * truth.length + i]);
        return { name: `${path}[${i}]`, exact: value, draws };
      });
    });
    return summarised(components, copies);
  } finally {
    for (const tensor of [estimate.value, ...leaves(estimate.gradient).map((leaf) => leaf.tensor)]) tensor.dispose();
  }
}

function summarised(
  raw: readonly { readonly name: string; readonly exact: number; readonly draws: Float64Array }[],
  copies: number,
): GradientErrors {
  for (const { name, exact, draws } of raw) {
    if (!Number.isFinite(exact))
      throw new Error(`gradientErrors: ${name} of the exact gradient is ${exact}; it must be finite.`);
    const bad = draws.find((value) => !Number.isFinite(value));
    if (bad !== undefined) throw new Error(`gradientErrors: an estimate of ${name} is ${bad}; it must be finite.`);
  }
  const length = Math.hypot(...raw.map(({ exact }) => exact));
  if (length === 0) throw new Error("gradientErrors: the exact gradient is all zeros, to which no bias is relative.");
  const components = raw.map(({ name, exact, draws }): CheckedComponent => {
    const [centre, error] = [mean(draws), standardError(draws)];
    const largest = draws.reduce((most, draw) => Math.max(most, Math.abs(draw)), Math.abs(exact));
    const rounding = 2 ** -20 * largest; // of float32
    const bias = (centre - exact) / Math.max(Math.hypot(error, rounding), Number.MIN_VALUE);
    return { name, exact, mean: centre, standardError: error, variance: variance(draws), bias };
  });
  const perCopy = (of: (i: number) => number): Estimate =>
    estimateMean(
      Float64Array.from({ length: copies }, (_, b) => mean(raw.map(({ draws }, i) => (draws[b] - of(i)) ** 2))),
    );
  const spread = perCopy((i) => components[i].mean);
  const unbiasedFactor = copies / (copies - 1);
  const noise = components.reduce((sum, c) => sum + c.standardError ** 2, 0);
  const off = components.reduce((sum, c) => sum + (c.mean - c.exact) ** 2, 0);
  return {
    components,
    worst: components.reduce((most, next) => (Math.abs(next.bias) > Math.abs(most.bias) ? next : most)),
    variance: { ...spread, value: spread.value * unbiasedFactor, standardError: spread.standardError * unbiasedFactor },
    squaredError: perCopy((i) => components[i].exact),
    relativeBias: {
      value: Math.sqrt(Math.max(0, off - noise)) / length,
      standardError: Math.sqrt(noise) / length,
      n: copies,
    },
  };
}
