import { foldIn, type Key, permutation } from "../engine/random.js";
import type { ConjugateModel, Dataset, NaturalParameters } from "../models/conjugateModel.js";
import { importanceRows, type WeightedRows } from "../optimize/importanceRows.js";
import { combined, naturalGradient } from "../optimize/naturalGradient.js";
import { shuffledRows } from "../optimize/shuffledRows.js";

/** An estimate of what the local step on all data would give: `scale · statistics`, and the bound. */
export interface MinibatchEstimate<G extends NaturalParameters> {
  readonly statistics: G;
  readonly scale: number;
  readonly bound: number;
  /** The weighted statistics of each part. */
  readonly parts: readonly { readonly statistics: G; readonly weight: number }[];
}

/** The sum of the local steps on the parts of a minibatch, each times its weight. */
export function minibatchEstimate<G extends NaturalParameters, Batch, Local>(inputs: {
  readonly model: ConjugateModel<G, Batch, Local>;
  readonly data: Dataset<Batch>;
  readonly global: G;
  readonly rows: readonly WeightedRows[];
}): MinibatchEstimate<G> {
  const { model, data, global, rows } = inputs;
  let bound = 0;
  const parts = rows.map((part) => {
    const local = model.local(global, data.take(part.rows));
    bound += part.weight * local.bound;
    return { statistics: local.statistics, weight: part.weight };
  });
  let [statistics, scale] = [parts[0].statistics, parts[0].weight];
  for (const part of parts.slice(1)) {
    statistics = combined(scale, statistics, part.weight, part.statistics);
    scale = 1;
  }
  return { statistics, scale, bound, parts };
}

/** The natural gradients that the two halves of a minibatch give, each by itself. */
export function gradientsOfHalves<G extends NaturalParameters>(
  model: { readonly prior: G },
  global: G,
  { parts }: MinibatchEstimate<G>,
): [G, G] {
  const [a, b] = parts.map(({ statistics, weight }) =>
    naturalGradient({ global, prior: model.prior, statistics, scale: 2 * weight }),
  );
  return [a, b];
}

/** The rows of a step: in passes through the data; or with the given probabilities; or, for a size that changes, two halves drawn anew each step. */
export function rowsOfSteps(inputs: {
  readonly key: Key;
  readonly total: number;
  readonly size: number;
  readonly probabilities: Float64Array | undefined;
  readonly halves: boolean;
}): (step: number, size: number) => readonly WeightedRows[] {
  const { key, total, size: first, probabilities, halves } = inputs;
  if (probabilities) return importanceRows(key, probabilities, first);
  const rowsAt = shuffledRows(key, total, first);
  if (!halves) return (step, size) => [{ rows: rowsAt(step), weight: total / size }];
  return (step, size) => {
    const order = permutation(foldIn(key, step), total);
    const weight = total / size;
    return [0, size / 2].map((from) => ({ rows: order.slice(from, from + size / 2).sort(), weight }));
  };
}
