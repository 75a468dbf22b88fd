import type { Schedule } from "./optimizer.js";

/** The same step size for ever: ρ_t = ρ. */
export function constant(learningRate: number): Schedule {
  checkPositive("constant: the learning rate", learningRate);
  return () => learningRate;
}

/**
 * A straight line and then a constant: ρ_t = from + (to − from) min(1, t / over). From 0 to 1 it is the usual warm-up of the KL's weight.
 *
 * @throws Error if an end is not finite, or `over` is not a positive integer.
 */
export function linear(options: { readonly from: number; readonly to: number; readonly over: number }): Schedule {
  const { from, to, over } = options;
  for (const [name, value] of Object.entries({ from, to })) {
    if (!Number.isFinite(value)) throw new Error(`linear: ${name} must be a finite number, not ${value}.`);
  }
  if (!Number.isInteger(over) || over < 1)
    throw new Error(`linear: over must be a positive integer, a number of steps, not ${over}.`);
  return (step) => (step >= over ? to : from + (to - from) * (step / over));
}

/**
 * Staircase decay: ρ_t = ρ_0 · factor^⌊t / every⌋.
 *
 * @throws Error if the rate is not positive, the factor is not in (0, 1], or `every` is not a positive integer.
 */
export function exponentialDecay(options: {
  readonly initial: number;
  readonly factor: number;
  readonly every: number;
}): Schedule {
  const { initial, factor, every } = options;
  checkPositive("exponentialDecay: initial", initial);
  if (!(factor > 0 && factor <= 1)) throw new Error(`exponentialDecay: factor must be in (0, 1], not ${factor}.`);
  if (!Number.isInteger(every) || every < 1)
    throw new Error(`exponentialDecay: every must be a positive integer, not ${every}.`);
  return (step) => initial * factor ** Math.floor(step / every);
}

/**
 * Steps of fixed sizes, one after another; the last stage goes on for ever.
 *
 * IWAE's own schedule is `piecewise(Array.from({ length: 8 }, (_, i) => ({ steps: 3 ** i * stepsPerPass, learningRate: 1e-3 * 10 ** (-i / 7) })))`.
 *
 * @throws Error if there is no stage, or a stage's size or rate is not positive.
 * Source: Burda, Grosse & Salakhutdinov 2016, section 5.
 */
export function piecewise(stages: readonly { readonly steps: number; readonly learningRate: number }[]): Schedule {
  if (stages.length === 0) throw new Error("piecewise: give at least one stage.");
  const ends: number[] = [];
  let end = 0;
  for (const { steps, learningRate } of stages) {
    checkPositive("piecewise: a stage's steps", steps);
    checkPositive("piecewise: a stage's learning rate", learningRate);
    end += steps;
    ends.push(end);
  }
  return (step) => {
    const stage = ends.findIndex((until) => step < until);
    return stages[stage === -1 ? stages.length - 1 : stage].learningRate;
  };
}

function checkPositive(name: string, value: number): void {
  if (!(Number.isFinite(value) && value > 0)) throw new Error(`${name} must be positive, not ${value}.`);
}
