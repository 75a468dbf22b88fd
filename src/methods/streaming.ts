import { breathe } from "../engine/interrupt.js";
import { type ConjugateModel, checkFiniteGlobal, copyOf, type NaturalParameters } from "../models/conjugateModel.js";
import { combined } from "../optimize/naturalGradient.js";
import { cavi } from "./cavi.js";

/** One batch of a stream, done: a row of a table. */
export type StreamingPoint = {
  /** How many batches had been taken in. */
  readonly batch: number;
  /** The ELBO of this batch with what the one before left as its prior: at most log p(batch | what came before), were that exact. */
  readonly bound: number;
  /** CAVI updates that it took. */
  readonly updates: number;
  /** Seconds since the start. */
  readonly seconds: number;
};

/** Options of {@link streaming}. */
export interface StreamingOptions<G extends NaturalParameters, Batch, Local> {
  readonly model: ConjugateModel<G, Batch, Local>;
  /** The stream; its length need not be known, and no batch is kept. */
  readonly batches: Iterable<Batch> | AsyncIterable<Batch>;
  /** Where the first batch's CAVI starts. Default: the prior, which breaks no symmetry. */
  readonly start?: G;
  /**
   * λ in (0, 1]: the prior of the next batch is `λ γ + (1 − λ) prior`, the posterior to the power λ times the model's prior to the power 1 − λ, so that a batch j steps
   * old counts λ^j times and q(θ) rests on at most S/(1 − λ) data. Default 1: nothing is forgotten.
   */
  readonly forgetting?: number;
  /** As in `cavi`, for each batch. */
  readonly tolerance?: number;
  /** As in `cavi`, for each batch. Default 100. */
  readonly maxSteps?: number;
  /** Called after each batch; what it returns is awaited. */
  readonly onProgress?: (point: StreamingPoint, global: G) => void | Promise<void>;
}

/** What {@link streaming} returns. */
export interface StreamingResult<G extends NaturalParameters> {
  /** The natural parameters of q(θ) after the last batch. */
  readonly global: G;
  readonly trace: readonly StreamingPoint[];
}

/**
 * Streaming variational Bayes: the posterior of each batch is the prior of the next, `γ_b = γ_{b−1} + statistics(batch_b)`, by CAVI on that batch.
 *
 * It needs no N. For a model without local variables it is exact: the order and the cutting of the stream change nothing, and the batches' bounds add up to
 * the evidence. With `forgetting` λ the posterior before a batch is flattened first, `γ_b = λ γ_{b−1} + (1 − λ) prior + statistics(batch_b)`, and follows a stream that drifts:
 * for a Gaussian mean that walks at random, it is the Kalman filter in its steady state, with gain 1 − λ.
 *
 * @throws RangeError if the stream is empty or `forgetting` is not in (0, 1]; as {@link cavi} does.
 * Source: Broderick, Boyd, Wibisono, Wilson & Jordan 2013, "Streaming variational Bayes", equations 2 and 3; forgetting: Kulhavý & Zarrop 1993, "On a general concept of
 *   forgetting"; West & Harrison 1997, "Bayesian forecasting and dynamic models", section 6.3 (discounting).
 */
export async function streaming<G extends NaturalParameters, Batch, Local>(
  options: StreamingOptions<G, Batch, Local>,
): Promise<StreamingResult<G>> {
  const { model, batches, start, forgetting = 1, tolerance, maxSteps = 100, onProgress } = options;
  if (!(forgetting > 0 && forgetting <= 1))
    throw new RangeError(`streaming: forgetting must be in (0, 1], not ${forgetting}; 1 forgets nothing.`);
  const began = performance.now();
  let prior = model.prior;
  let from = start ?? prior;
  const trace: StreamingPoint[] = [];
  for await (const data of batches) {
    await breathe();
    const before = forgetting === 1 ? prior : combined(forgetting, prior, 1 - forgetting, model.prior);
    const result = await cavi({
      model: { ...model, prior: before, kl: (global, other = before) => model.kl(global, other) },
      data,
      start: from,
      maxSteps,
      ...(tolerance !== undefined && { tolerance }),
    });
    prior = result.global;
    from = prior;
    const seconds = (performance.now() - began) / 1000;
    const point = { batch: trace.length + 1, bound: result.bound, updates: result.steps, seconds };
    trace.push(point);
    await onProgress?.(point, prior);
  }
  if (trace.length === 0) throw new RangeError("streaming: the stream has no batches; give it at least one.");
  checkFiniteGlobal("streaming: the posterior", prior);
  return { global: copyOf(prior), trace };
}
