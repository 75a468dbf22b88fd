import { mean } from "../diagnostics/moments.js";
import { type CompiledStep, compile } from "../engine/compile.js";
import { breathe } from "../engine/interrupt.js";
import { disposeParameters } from "../engine/parameters.js";
import { foldIn, type Key, split } from "../engine/random.js";
import { repeat } from "../engine/repeat.js";
import { checkShape } from "../engine/shape.js";
import { type Scalar, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { checkFiniteRows, tidied, valuesOf } from "../engine/values.js";
import { ChainDraws } from "./chainDraws.js";
import { type Blankets, checkBlankets, metropolisSweep } from "./metropolisSweep.js";

/** What {@link metropolisWithinGibbs} tells while it runs. */
export interface MetropolisProgress {
  readonly phase: "warm-up" | "sampling";
  /** Sweeps taken, warm-up included. */
  readonly step: number;
  readonly steps: number;
  /** Mean acceptance probability of the last call, over sweeps, chains and coordinates. */
  readonly acceptance: number;
  /** Where the chains are, `[C, D]`, row by row. */
  readonly positions: Float32Array;
  /** Seconds since the start, the compiling and the warm-up included. */
  readonly seconds: number;
}

/** Options of {@link metropolisWithinGibbs}. */
export interface MetropolisWithinGibbsOptions {
  /** The terms of the log-density that hold each coordinate, summed: `[C, D]` to `[C, D]`. */
  readonly blankets: Blankets;
  /** Sets of coordinates that are moved together, of which no two share a term; each coordinate in one. Default: every coordinate by itself. */
  readonly sets?: readonly (readonly number[])[];
  /** Where the C ≥ 1 chains start, `[C, D]`; R̂ can only tell what overdispersed starts let it. Stays the caller's. */
  readonly init: Tensor2D;
  readonly key: Key;
  /** Sweeps that adapt the step sizes and are not kept, ≥ 0, in calls of `thin`: rounded up. Default 500. */
  readonly warmUp?: number;
  /** S, draws that are kept of each chain, ≥ 1. */
  readonly samples: number;
  /** Sweeps from one draw to the next, ≥ 1, made in one call. Default 1. */
  readonly thin?: number;
  /** Standard deviation of every proposal at first, and throughout without warm-up. Default 0.5. */
  readonly stepSize?: number;
  /** δ, in (0, 1). Default 0.44, the best for one coordinate at a time of a Gaussian. */
  readonly targetAcceptance?: number;
  /** Whether to run the sweeps as calls of a recorded graph, same numbers but for rounding; false where the blankets read tensors' values. Default true. */
  readonly compiled?: boolean;
  /** Called at most every `progressEvery` milliseconds and after the last sweep. */
  readonly onProgress?: (progress: MetropolisProgress) => void | Promise<void>;
  /** Default 250 ms. */
  readonly progressEvery?: number;
}

/** Draws of several chains of Metropolis within Gibbs. */
export class MetropolisDraws extends ChainDraws {
  /** @internal */
  constructor(
    values: Float32Array,
    shape: readonly [samples: number, chains: number, dimension: number],
    /** Standard deviations of the proposals that all draws come from, `[D]`. */
    readonly stepSizes: Float32Array,
    /** Each coordinate's mean acceptance probability over chains and kept sweeps, `[D]`. */
    readonly acceptance: Float64Array,
  ) {
    super(values, shape);
  }
}

/** What moves from call to call. */
type Chains = {
  readonly position: Tensor2D;
  readonly logStepSizes: Tensor1D;
  readonly sweep: Scalar;
  readonly acceptance: Tensor1D;
};

interface CallInputs {
  readonly state: Chains;
  readonly sweeps: number;
  readonly adapt: boolean;
  readonly key: Key;
}

/**
 * Draws from a density by random-walk Metropolis within Gibbs, many chains side by side, each set of conditionally independent coordinates moved at once: the sampler
 * that asks no more of a model than black-box variational inference with Rao–Blackwellisation does, its terms and their blankets.
 *
 * In warm-up each coordinate's step size follows log s_d ← log s_d + (t + 1)^(−0.6) (ᾱ_d − δ), with ᾱ_d its acceptance probability averaged over the chains; then it is frozen, so
 * that what is kept is of one kernel, with the density as its law. Not converging is no error: look at `worst()`. Density differences are taken in float32.
 *
 * ```ts
 * const { blankets, independentSets: sets } = gammaNormalSeries({ states: 2, labs, seen });
 * const draws = await metropolisWithinGibbs({ blankets, sets, init, key, samples: 1000, thin: 10 });
 * ```
 *
 * @throws Error if an option is out of range, if the shapes do not fit, if the sets do not hold every coordinate once, or if a start or one of its blankets is not finite.
 * Source: Tierney 1994, section 2.4; Robbins–Monro adaptation as in Andrieu & Thoms 2008, algorithm 5; Ranganath, Gerrish & Blei 2014, section 5.1.
 */
export async function metropolisWithinGibbs(options: MetropolisWithinGibbsOptions): Promise<MetropolisDraws> {
  checkOptions(options);
  const { init, samples, thin = 1, warmUp = 500, stepSize = 0.5, compiled = true } = options;
  const [chains, dimension] = init.shape;
  const sets = options.sets ?? Array.from({ length: dimension }, (_, d) => [d]);
  checkSets(sets, dimension);
  checkStart(options);
  const moved = sweeping({ blankets: options.blankets, sets, target: options.targetAcceptance ?? 0.44 });
  const advance: CompiledStep<CallInputs, Chains> = compiled
    ? compile(moved)
    : Object.assign(moved, { graphs: 0, dispose: () => undefined });
  const [warmUpKey, samplingKey] = split(options.key);
  const warmUpCalls = Math.ceil(warmUp / thin);
  const report = reporter(options, (warmUpCalls + samples) * thin);
  const values = new Float32Array(samples * chains * dimension);
  const accepted = new Float64Array(dimension);
  let state: Chains = tidied(() => ({
    position: tf.clone(init),
    logStepSizes: tf.fill([dimension], Math.log(stepSize)) as Tensor1D,
    sweep: tf.scalar(0),
    acceptance: tf.zeros([dimension]) as Tensor1D,
  }));
  try {
    for (let call = 0; call < warmUpCalls + samples; call++) {
      await breathe();
      const draw = call - warmUpCalls;
      const key = draw < 0 ? foldIn(warmUpKey, call) : foldIn(samplingKey, draw);
      const before = state;
      state = tidied(() => advance({ state: before, sweeps: thin, adapt: draw < 0, key }));
      disposeParameters(before);
      const [positions, acceptance] = [state.position.dataSync<"float32">(), state.acceptance.dataSync<"float32">()];
      if (draw >= 0) {
        values.set(positions, draw * chains * dimension);
        acceptance.forEach((probability, d) => {
          accepted[d] += probability / samples;
        });
      }
      await report((call + 1) * thin, draw < 0 ? "warm-up" : "sampling", mean(acceptance), positions);
    }
    const stepSizes = valuesOf(() => tf.exp(state.logStepSizes));
    return new MetropolisDraws(values, [samples, chains, dimension], stepSizes, accepted);
  } finally {
    advance.dispose();
    disposeParameters(state);
  }
}

/** So many sweeps as a loop of the graph; `acceptance` comes back as the mean over them and over the chains. */
function sweeping(of: {
  readonly blankets: Blankets;
  readonly sets: readonly (readonly number[])[];
  readonly target: number;
}): (inputs: CallInputs) => Chains {
  return ({ state, sweeps, adapt, key }) =>
    repeat({
      times: sweeps,
      key,
      init: { ...state, acceptance: tf.zerosLike(state.acceptance) },
      body: ({ state: { position, logStepSizes, sweep, acceptance }, key: sweepKey }) => {
        const next = metropolisSweep({ ...of, position, stepSizes: tf.exp(logStepSizes), key: sweepKey });
        const reached = tf.mean(next.acceptanceProbability, 0) as Tensor1D;
        const count = tf.add(sweep, 1) as Scalar;
        const rate = tf.pow(count, -0.6);
        return {
          position: next.position,
          logStepSizes: adapt ? tf.add(logStepSizes, tf.mul(rate, tf.sub(reached, of.target))) : tf.clone(logStepSizes), // a turn returns tensors of its own
          sweep: count,
          acceptance: tf.add(acceptance, tf.div(reached, sweeps)),
        };
      },
    });
}

/** Passes progress on, not too often. */
function reporter(
  { onProgress, progressEvery = 250 }: MetropolisWithinGibbsOptions,
  steps: number,
): (step: number, phase: MetropolisProgress["phase"], acceptance: number, positions: Float32Array) => Promise<void> {
  const started = performance.now();
  let shown = started;
  return async (step, phase, acceptance, positions) => {
    const now = performance.now();
    if (!onProgress || (step < steps && now - shown < progressEvery)) return;
    shown = now;
    await onProgress({ phase, step, steps, acceptance, positions, seconds: (now - started) / 1000 });
  };
}

function checkOptions(options: MetropolisWithinGibbsOptions): void {
  const { init, samples, warmUp = 500, thin = 1, stepSize = 0.5, targetAcceptance = 0.44 } = options;
  const name = "metropolisWithinGibbs";
  checkShape(`${name}: init`, init, ["*", "*"]);
  if (init.size === 0) throw new Error(`${name}: init is empty; give it at least one chain and one coordinate.`);
  checkFiniteRows(`${name}: init`, init);
  if (!Number.isInteger(warmUp) || warmUp < 0)
    throw new Error(`${name}: warmUp must be a non-negative integer, not ${warmUp}.`);
  for (const [option, count] of Object.entries({ samples, thin }))
    if (!Number.isInteger(count) || count < 1)
      throw new Error(`${name}: ${option} must be a positive integer, not ${count}.`);
  if (!(stepSize > 0 && stepSize < Infinity))
    throw new Error(`${name}: stepSize must be positive and finite, not ${stepSize}.`);
  if (!(targetAcceptance > 0 && targetAcceptance < 1))
    throw new Error(`${name}: targetAcceptance must be between 0 and 1, not ${targetAcceptance}.`);
}

function checkSets(sets: readonly (readonly number[])[], dimension: number): void {
  const seen = new Uint8Array(dimension);
  for (const d of sets.flat()) {
    if (!Number.isInteger(d) || d < 0 || d >= dimension)
      throw new Error(`metropolisWithinGibbs: sets must hold coordinates from 0 to ${dimension - 1}, not ${d}.`);
    if (seen[d]++ > 0)
      throw new Error(`metropolisWithinGibbs: coordinate ${d} stands twice in sets; a sweep moves each once.`);
  }
  const missing = seen.indexOf(0);
  if (missing !== -1)
    throw new Error(
      `metropolisWithinGibbs: coordinate ${missing} is in none of the sets and would never move; add it.`,
    );
}

function checkStart({ blankets, init }: MetropolisWithinGibbsOptions): void {
  const [chains, dimension] = init.shape;
  const values = valuesOf(() => {
    const found = blankets(init);
    checkBlankets(found, [chains, dimension]);
    return found;
  });
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw new Error(
      `metropolisWithinGibbs: the blanket of coordinate ${bad % dimension} at init[${Math.floor(bad / dimension)}] is ${values[bad]}; start every chain inside the support.`,
    );
}
