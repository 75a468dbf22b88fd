import { mean } from "../diagnostics/moments.js";
import { breathe } from "../engine/interrupt.js";
import { foldIn, type Key, split } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import type { Tensor2D } from "../engine/tf.js";
import { checkFiniteRows } from "../engine/values.js";
import { HmcDraws, type HmcTuning } from "./hmcDraws.js";
import { HmcRun } from "./hmcRun.js";
import { adaptedTuning } from "./hmcWarmUp.js";
import type { LogDensity } from "./slope.js";

/** What {@link hmc} tells while it runs. */
export interface HmcProgress {
  readonly phase: "warm-up" | "sampling";
  /** Transitions taken, warm-up included. */
  readonly step: number;
  readonly steps: number;
  /** The last transition's acceptance probability, averaged over chains. */
  readonly acceptance: number;
  readonly stepSize: number;
  readonly leapfrogSteps: number;
  readonly seconds: number;
}

/** Options of {@link hmc}. */
export interface HmcOptions {
  /** Positions `[C, D]` to log-densities `[C]`, up to a constant, differentiable. */
  readonly logDensity: LogDensity;
  /** Where the C ≥ 1 chains start, `[C, D]`; R̂ can only tell what overdispersed starts let it. Stays the caller's. */
  readonly init: Tensor2D;
  readonly key: Key;
  /** Transitions that adapt step size and scale and are not kept, ≥ 0. Default 500. */
  readonly warmUp?: number;
  /** S, transitions that are kept, ≥ 1. */
  readonly samples: number;
  /** L, leapfrog steps a transition; give this or the length. */
  readonly leapfrogSteps?: number;
  /**
   * T = ε L, in standard deviations where the scale is adapted; L is T/ε rounded, 1 to 1,000. Default π/2, after which independent
   * coordinates have forgotten where they were; correlated ones take longer.
   */
  readonly trajectoryLength?: number;
  /**
   * δ, in (0, 1). Default 0.8; what is reached may lie some hundredths above. A density with an edge rejects what ends outside at any step size: give
   * such a one `leapfrogSteps`, or the step size shrinks for nothing.
   */
  readonly targetAcceptance?: number;
  /** ε of the first transition, and of all of them without warm-up. Default: found by doubling and halving. */
  readonly stepSize?: number;
  /** Whether to estimate the coordinates' scale, a diagonal mass matrix, in warm-up. Default true. */
  readonly massAdaptation?: boolean;
  /** Each chain's trajectory uses ε U, U uniform on [1 − j, 1 + j]. Default 0.2. */
  readonly jitter?: number;
  /** Whether to run a transition as one call of a recorded graph, same numbers; false where the log-density reads tensors' values. Default true. */
  readonly compiled?: boolean;
  /** Called at most every `progressEvery` milliseconds and after the last transition. */
  readonly onProgress?: (progress: HmcProgress) => void | Promise<void>;
  /** Default 250 ms. */
  readonly progressEvery?: number;
}

/**
 * Draws from `p(q) ∝ exp(logDensity(q))` by Hamiltonian Monte Carlo, many chains side by side: the long reference run that a variational posterior is
 * judged against.
 *
 * Warm-up adapts one step size for all chains by dual averaging of their mean acceptance, and the scale of every coordinate in windows; both are then
 * frozen. Trajectories are jittered (Neal 2011, section 5.4.2.2). Not converging is no error: look at `worst()` and `divergences`. It can be interrupted
 * before any transition.
 *
 * @throws Error if an option is out of range, if the shapes do not fit, or if a start, its log-density or gradient is not finite (the error names the chain).
 * Source: Neal 2011, "MCMC using Hamiltonian dynamics"; Hoffman & Gelman 2014, section 3.2 and algorithm 4.
 */
export async function hmc(options: HmcOptions): Promise<HmcDraws> {
  const {
    logDensity,
    init,
    warmUp = 500,
    samples,
    targetAcceptance = 0.8,
    jitter = 0.2,
    massAdaptation = true,
  } = options;
  checkOptions(options);
  const [chains, dimension] = init.shape;
  const [warmUpKey, samplingKey] = split(options.key);
  const report = reporter(options, warmUp + samples);
  const run = new HmcRun(logDensity, init, { jitter, compiled: options.compiled ?? true });
  try {
    const tuning = await adaptedTuning({
      run,
      dimension,
      warmUp,
      targetAcceptance,
      massAdaptation,
      stepSize: options.stepSize,
      trajectory: options,
      key: warmUpKey,
      report: (step, tuning, acceptance) => report("warm-up", step, tuning, acceptance),
    });
    const values = new Float32Array(samples * chains * dimension);
    const acceptance = new Float64Array(chains);
    let divergences = 0;
    for (let s = 0; s < samples; s++) {
      await breathe();
      const probabilities = run.advance(tuning, foldIn(samplingKey, s));
      values.set(run.positions(), s * chains * dimension);
      probabilities.forEach((probability, c) => {
        acceptance[c] += probability / samples;
        if (probability === 0) divergences++;
      });
      await report("sampling", warmUp + s + 1, tuning, mean(probabilities));
    }
    return new HmcDraws(values, [samples, chains, dimension], tuning, acceptance, divergences);
  } finally {
    run.dispose();
  }
}

/** Passes progress on, not too often. */
function reporter(
  { onProgress, progressEvery = 250 }: HmcOptions,
  steps: number,
): (phase: HmcProgress["phase"], step: number, tuning: HmcTuning, acceptance: number) => Promise<void> {
  const started = performance.now();
  let shown = started;
  return async (phase, step, { stepSize, leapfrogSteps }, acceptance) => {
    const now = performance.now();
    if (!onProgress || (step < steps && now - shown < progressEvery)) return;
    shown = now;
    await onProgress({ phase, step, steps, acceptance, stepSize, leapfrogSteps, seconds: (now - started) / 1000 });
  };
}

function checkOptions(options: HmcOptions): void {
  const { init, warmUp = 500, samples, leapfrogSteps, trajectoryLength, stepSize } = options;
  const { targetAcceptance = 0.8, jitter = 0.2 } = options;
  checkShape("hmc: init", init, ["*", "*"]);
  if (init.size === 0) throw new Error("hmc: init is empty; give it at least one chain and one coordinate.");
  checkFiniteRows("hmc: init", init);
  if (!Number.isInteger(warmUp) || warmUp < 0)
    throw new Error(`hmc: warmUp must be a non-negative integer, not ${warmUp}.`);
  for (const [name, count] of Object.entries({ samples, leapfrogSteps: leapfrogSteps ?? 1 }))
    if (!Number.isInteger(count) || count < 1)
      throw new Error(`hmc: ${name} must be a positive integer, not ${count}.`);
  for (const [name, size] of Object.entries({ trajectoryLength: trajectoryLength ?? 1, stepSize: stepSize ?? 1 }))
    if (!(size > 0 && size < Infinity)) throw new Error(`hmc: ${name} must be positive and finite, not ${size}.`);
  if (leapfrogSteps !== undefined && trajectoryLength !== undefined)
    throw new Error("hmc: give leapfrogSteps or trajectoryLength, not both; one follows from the other.");
  if (!(targetAcceptance > 0 && targetAcceptance < 1))
    throw new Error(`hmc: targetAcceptance must be between 0 and 1, not ${targetAcceptance}.`);
  if (!(jitter >= 0 && jitter < 1)) throw new Error(`hmc: jitter must be in [0, 1), not ${jitter}.`);
}
