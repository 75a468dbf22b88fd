import { breathe } from "../engine/interrupt.js";
import {
  type ConjugateModel,
  checkFiniteGlobal,
  copyOf,
  finiteBound,
  globalStep,
  type NaturalParameters,
} from "../models/conjugateModel.js";
import type { Schedule } from "../optimize/optimizer.js";
import { checkRate } from "./checkRate.js";

/** One batch of a stream, done: a row of a table. */
export type PopulationPoint = {
  /** How many batches had been taken in. */
  readonly batch: number;
  /** Data seen so far. */
  readonly seen: number;
  /** ρ of the last step. */
  readonly rate: number;
  /** The estimate of the population's ELBO from the last batch, `M/S · bound − KL`, at the parameters before that step. */
  readonly bound: number;
  /** Seconds since the start. */
  readonly seconds: number;
};

/** Options of {@link populationVariationalInference}. */
export interface PopulationOptions<G extends NaturalParameters, Batch extends { readonly size: number }, Local> {
  readonly model: ConjugateModel<G, Batch, Local>;
  /** The stream, which may be endless; no batch is kept. S is each batch's own `size`. */
  readonly batches: Iterable<Batch> | AsyncIterable<Batch>;
  /** M, how many data the posterior is to be worth: positive, no count of anything that was seen. */
  readonly population: number;
  /** ρ_t in (0, 1], for t from 0: `constant(ρ)` follows a population that drifts, `robbinsMonro({ kappa, tau })` settles on one that does not. */
  readonly rate: Schedule;
  readonly start: G;
  /** Steps at most, one for each batch; an endless stream needs it. Default: all batches are taken. */
  readonly steps?: number;
  /** Batches between two points of the trace; each costs a KL of q(θ). Default 1. */
  readonly traceEvery?: number;
  /** Called at every point of the trace; what it returns is awaited. */
  readonly onProgress?: (point: PopulationPoint, global: G) => void | Promise<void>;
}

/** What {@link populationVariationalInference} returns. */
export interface PopulationResult<G extends NaturalParameters> {
  /** The natural parameters of q(θ) after the last batch. */
  readonly global: G;
  readonly trace: readonly PopulationPoint[];
}

/**
 * Population variational inference: SVI on a stream whose N is not known or not finite, `γ ← (1 − ρ_t) γ + ρ_t (prior + M/S_t · statistics(batch_t))`.
 *
 * It has neither the correction, the window, the adaptive rate and size nor the importance sampling of `stochasticVariationalInference`.
 *
 * It climbs `M E_F[E_q log p(x, ξ | θ) − E_q log q(ξ)] − KL(q(θ) ‖ p(θ))`, the ELBO of M data in the mean over the population F that batches are drawn from, so that q(θ)
 * stays as wide as the posterior of M data, however many were seen. Where the stream is reshuffled passes through N data and M = N, it is SVI, to the bit.
 *
 * At a constant rate a batch that is j steps old counts (1 − ρ)^j times as much as the newest. From `start: model.prior`, with batches alike and M = S/ρ, it is then
 * `streaming` with `forgetting: 1 − ρ` and one update a batch.
 *
 * @throws RangeError if M is not positive and finite, `steps` or `traceEvery` is not a positive integer, a rate is not in (0, 1] (the error names the batch), a batch
 *   is empty, the stream has none, or a natural parameter or a bound becomes not finite; as the model does.
 * Source: McInerney, Ranganath & Blei 2015, "The population posterior and Bayesian modeling on streams", section 2 and algorithm 1 (their α is M).
 */
export async function populationVariationalInference<
  G extends NaturalParameters,
  Batch extends { readonly size: number },
  Local,
>(options: PopulationOptions<G, Batch, Local>): Promise<PopulationResult<G>> {
  const { model, batches, population, rate, steps = Infinity, traceEvery = 1, onProgress } = options;
  checkOptions({ population, steps, traceEvery });
  checkFiniteGlobal("populationVariationalInference: the start", options.start);
  const began = performance.now();
  let global = copyOf(options.start);
  let [batch, seen] = [0, 0];
  let latest: (() => PopulationPoint) | undefined;
  const trace: PopulationPoint[] = [];
  const note = async (make: () => PopulationPoint): Promise<void> => {
    checkFiniteGlobal(`populationVariationalInference: batch ${batch}`, global);
    const point = make();
    trace.push(point);
    await onProgress?.(point, global);
  };
  for await (const data of batches) {
    await breathe();
    if (!(data.size > 0)) {
      throw new RangeError(
        `populationVariationalInference: batch ${batch + 1} has a size of ${data.size}; leave out batches without data.`,
      );
    }
    const rho = rate(batch);
    checkRate("populationVariationalInference", `batch ${batch + 1}`, rho);
    const scale = population / data.size;
    const { statistics, bound } = model.local(global, data);
    const before = global;
    global = globalStep({ global, prior: model.prior, statistics, scale, rate: rho });
    batch++;
    seen += data.size;
    const [at, total] = [batch, seen];
    latest = () => ({
      batch: at,
      seen: total,
      rate: rho,
      bound: finiteBound(`populationVariationalInference: batch ${at}`, scale * bound - model.kl(before)),
      seconds: (performance.now() - began) / 1000,
    });
    if (batch % traceEvery === 0) {
      await note(latest);
      latest = undefined;
    }
    if (batch === steps) break;
  }
  if (batch === 0) {
    throw new RangeError("populationVariationalInference: the stream has no batches; give it at least one.");
  }
  if (latest) await note(latest);
  return { global, trace };
}

function checkOptions(counts: { readonly population: number; readonly steps: number; readonly traceEvery: number }) {
  const { population, steps, traceEvery } = counts;
  if (!(population > 0 && population < Infinity)) {
    throw new RangeError(
      `populationVariationalInference: the population must be a positive, finite number of data, not ${population}.`,
    );
  }
  for (const [name, count] of Object.entries({ steps, traceEvery })) {
    if (!((Number.isInteger(count) || (name === "steps" && count === Infinity)) && count >= 1)) {
      throw new RangeError(`populationVariationalInference: ${name} must be a positive integer, not ${count}.`);
    }
  }
}
