import { breathe } from "../engine/interrupt.js";
import type { ConjugateModel, Dataset, NaturalParameters } from "../models/conjugateModel.js";
import { innerProduct, naturalGradient } from "../optimize/naturalGradient.js";

/** What {@link naturalGradientNoise} returns. */
export interface NaturalGradientNoise<G extends NaturalParameters> {
  /** The statistics of all data. */
  readonly statistics: G;
  /** g, the full natural gradient: `prior + statistics − global`. */
  readonly gradient: G;
  /** ‖g‖². */
  readonly squaredNorm: number;
  /** ‖t_i‖ of the statistics of each datum, `[N]`: the best probabilities of {@link importanceRows} are in proportion to them. */
  readonly norms: Float64Array;
  /** σ² = N² Σ_i ‖t_i − t̄‖²/(N − 1): a minibatch of S without replacement has tr Σ = σ² (1/S − 1/N). */
  readonly variance: number;
  /** Σ_i ‖t_i‖²/p_i − ‖Σ_i t_i‖²: a minibatch of S drawn with these probabilities has tr Σ of a share 1/S of it. */
  varianceUnder(probabilities: Float64Array): number;
}

/**
 * The exact noise of a minibatch's natural gradient at q(θ; global), from the local step on every datum by itself.
 *
 * It costs N local steps: a measure for experiments, not for a run.
 *
 * @throws RangeError if there are fewer than two data; as the model does. From `varianceUnder`, if there is not a probability for each datum.
 */
export async function naturalGradientNoise<G extends NaturalParameters, Batch, Local>(options: {
  readonly model: ConjugateModel<G, Batch, Local>;
  readonly data: Dataset<Batch>;
  readonly global: G;
}): Promise<NaturalGradientNoise<G>> {
  const { model, data, global } = options;
  const n = data.size;
  if (n < 2) throw new RangeError(`naturalGradientNoise needs at least two data, not ${n}: one has no variance.`);
  const norms = new Float64Array(n);
  const sum: Record<string, Float64Array> = {};
  for (let i = 0; i < n; i++) {
    if (i % 64 === 0) await breathe();
    const { statistics } = model.local(global, data.take(Int32Array.of(i)));
    // In one walk and in place: a document's statistics are as long as the vocabulary, and nearly all 0.
    let square = 0;
    for (const [name, values] of Object.entries(statistics)) {
      sum[name] ??= new Float64Array(values.length);
      const to = sum[name];
      for (let j = 0; j < values.length; j++) {
        if (values[j] === 0) continue;
        square += values[j] * values[j];
        to[j] += values[j];
      }
    }
    norms[i] = Math.sqrt(square);
  }
  const statistics = sum as G;
  const gradient = naturalGradient({ global, prior: model.prior, statistics, scale: 1 });
  const squaredTotal = innerProduct(statistics, statistics);
  const squares = norms.reduce((total, norm) => total + norm * norm, 0);
  return {
    statistics,
    gradient,
    squaredNorm: innerProduct(gradient, gradient),
    norms,
    variance: (n * (n * squares - squaredTotal)) / (n - 1),
    varianceUnder: (probabilities) => {
      if (probabilities.length !== n) {
        throw new RangeError(
          `naturalGradientNoise: give a probability for each of the ${n} data, not ${probabilities.length}.`,
        );
      }
      let total = -squaredTotal;
      for (let i = 0; i < n; i++) total += norms[i] ** 2 / probabilities[i];
      return total;
    },
  };
}
