import type { ConjugateModel, LocalStep, NaturalParameters } from "../models/conjugateModel.js";

/** What a batch's statistics are now and were when they were remembered, and what is remembered of all the data. */
export interface Remembered<G extends NaturalParameters> {
  /** s_B(γ). */
  readonly here: G;
  /** s_B as remembered. */
  readonly there: G;
  /** The remembered statistics of all the data. */
  readonly full: G;
  /** What makes a batch's statistics an unbiased estimate of all: N/S. */
  readonly scale: number;
}

/** Statistics of all the data with a control variate, `full + scale · (here − there)`. */
export function controlledStatistics<G extends NaturalParameters>({ here, there, full, scale }: Remembered<G>): G {
  return Object.fromEntries(
    Object.entries(full).map(([name, all]) => [
      name,
      all.map((value, i) => value + scale * (here[name][i] - there[name][i])),
    ]),
  ) as unknown as G;
}

/**
 * The model's local step, started anew, as a method with a control variate makes it after a number of steps.
 *
 * @throws RangeError, with the remedy, where the model refuses a q(θ) that steps have led to; as the model does at the start.
 */
export function locally<G extends NaturalParameters, Batch, Local>(
  where: string,
  model: ConjugateModel<G, Batch, Local>,
): (step: number, at: G, batch: Batch) => LocalStep<G, Local> {
  return (step, at, batch) => {
    try {
      return model.local(at, batch);
    } catch (error) {
      if (step === 0 || !(error instanceof RangeError)) throw error;
      throw new RangeError(
        `${where}: after ${step} steps q(θ) is outside its natural parameters (${error.message}): an unbiased estimate may leave them; start from an update of cavi, take a smaller rate or more data a step.`,
        { cause: error },
      );
    }
  };
}

/** @throws Error if two local steps on the same batch at the same q(θ) give other statistics. */
export function checkDeterministicLocal<G extends NaturalParameters, Batch, Local>(
  where: string,
  model: ConjugateModel<G, Batch, Local>,
  start: G,
  batch: Batch,
): void {
  const [first, second] = [model.local(start, batch).statistics, model.local(start, batch).statistics];
  for (const [name, values] of Object.entries(first)) {
    if (values.some((value, i) => value !== second[name][i])) {
      throw new Error(
        `${where}: the local step of "${model.name}" gives other statistics each time, so it draws noise of its own, which nothing remembered can take away; use stochasticVariationalInference.`,
      );
    }
  }
}
