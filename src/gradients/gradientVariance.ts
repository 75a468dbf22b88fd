import type { Bound } from "../bounds/bound.js";
import { type Estimate, estimateMean, mean } from "../diagnostics/moments.js";
import { compile } from "../engine/compile.js";
import { breathe } from "../engine/interrupt.js";
import { disposeParameters, leaves, mapParameters, type Parameters, withTensors } from "../engine/parameters.js";
import { foldIn, type Key } from "../engine/random.js";
import { repeat } from "../engine/repeat.js";
import { type Scalar, tf } from "../engine/tf.js";
import type { NoParameters, Problem } from "../models/problem.js";
import { estimateGradient, type Gradient } from "./gradient.js";

/** What {@link gradientVariance} measures at many points. */
export interface GradientVarianceOptions<Phi extends Parameters, Z> {
  readonly problem: Problem<NoParameters, Phi, Z>;
  readonly bound: Bound;
  /** K of one estimate. */
  readonly samples: number;
  /** R ≥ 2, estimates of one batch. Default 25. */
  readonly replicates?: number;
  /** M ≥ 2, batches of them, whose variances tell the standard error. Default 8. */
  readonly batches?: number;
}

/** Means and variances of a gradient's components at one point. */
export interface ComponentVariances {
  /** Mean of every component over all R M estimates, in the order of φ's tensors. */
  readonly mean: Float64Array;
  /** Variance of every component in each batch, `[M]` of as many as `mean` has. */
  readonly batches: readonly Float64Array[];
  /** The variance of one estimate, averaged over some components (default: all), with its standard error over the batches. */
  average(components?: readonly number[]): Estimate;
}

/** A measurement that is recorded once and made at many points. */
export interface GradientVariance<Phi extends Parameters> {
  /** M batches of R estimates at φ. */
  at(point: { readonly phi: Phi; readonly key: Key }): Promise<ComponentVariances>;
  /** Frees the recorded graph. */
  dispose(): void;
}

/**
 * The variance of every component of a gradient in φ, at as many φ as are asked for, from M batches of R estimates: s_m² of each batch by Welford's recursion, in a loop of a
 * compiled graph.
 *
 * Var ĝ_i ≈ (1/M) Σ_m s²_mi. The standard error of an average over components is that of the M batches' averages, which are independent.
 * For one problem as it stands, without an exact gradient to hold it to; `gradientErrors` has bias too, for copies of a problem whose gradient is known.
 *
 * @throws Error if R or M is not an integer of at least 2, if an estimate is not finite, or as the gradient does; a RangeError if `average` is asked for no component, or for one that there is not.
 */
export function gradientVariance<Phi extends Parameters, Z>(
  gradient: Gradient,
  options: GradientVarianceOptions<Phi, Z>,
): GradientVariance<Phi> {
  const { replicates = 25, batches = 8, ...what } = options;
  for (const [name, count] of Object.entries({ replicates, batches }))
    if (!Number.isInteger(count) || count < 2)
      throw new Error(`gradientVariance: ${name} must be an integer of at least 2, not ${count}.`);
  const step = compile(({ phi, key }: { readonly phi: Phi; readonly key: Key }) => {
    const zeros = (): Phi => mapParameters(phi, (tensor) => tf.zerosLike(tensor));
    const { mean: centre, squares } = repeat({
      times: replicates,
      key,
      init: { count: tf.scalar(0), mean: zeros(), squares: zeros() },
      body: ({ state, key: estimateKey }) => {
        const found = leaves(estimateGradient(gradient, { ...what, theta: {}, phi, key: estimateKey }).gradient.phi);
        const count = tf.add(state.count, 1) as Scalar;
        const [old, sums] = [leaves(state.mean), leaves(state.squares)];
        const off = found.map(({ tensor }, i) => tf.sub(tensor, old[i]!.tensor));
        const next = off.map((difference, i) => tf.add(old[i]!.tensor, tf.div(difference, count)));
        const squared = found.map(({ tensor }, i) =>
          tf.add(sums[i]!.tensor, tf.mul(off[i]!, tf.sub(tensor, next[i]!))),
        );
        return { count, mean: withTensors(phi, next), squares: withTensors(phi, squared) };
      },
    });
    return { mean: centre, squares };
  });
  return {
    dispose: step.dispose,
    at: async ({ phi, key }) => {
      const parts: { readonly mean: Float64Array; readonly variance: Float64Array }[] = [];
      for (let m = 0; m < batches; m++) {
        const found = step({ phi, key: foldIn(key, m) });
        const [centres, squares] = [numbersOf(found.mean), numbersOf(found.squares)];
        disposeParameters(found);
        const bad = squares.findIndex((value) => !Number.isFinite(value));
        if (bad !== -1) throw new Error(`gradientVariance: an estimate of component ${bad} is not finite.`);
        parts.push({ mean: centres, variance: squares.map((value) => value / (replicates - 1)) });
        await breathe();
      }
      return summary(parts);
    },
  };
}

function numbersOf(record: Parameters): Float64Array {
  return Float64Array.from(leaves(record).flatMap(({ tensor }) => Array.from(tensor.dataSync())));
}

function summary(
  parts: readonly { readonly mean: Float64Array; readonly variance: Float64Array }[],
): ComponentVariances {
  const centre = parts[0]!.mean.map((_, i) => mean(parts.map((part) => part.mean[i]!)));
  const batches = parts.map(({ variance }) => variance);
  return {
    mean: centre,
    batches,
    average: (components = Array.from(centre.keys())) => {
      if (components.length === 0) throw new RangeError("gradientVariance: average over at least one component.");
      const wrong = components.find((i) => !(Number.isInteger(i) && i >= 0 && i < centre.length));
      if (wrong !== undefined)
        throw new RangeError(`gradientVariance: components go from 0 to ${centre.length - 1}, not ${wrong}.`);
      return estimateMean(batches.map((variance) => mean(components.map((i) => variance[i]!))));
    },
  };
}
