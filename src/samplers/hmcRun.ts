import { mean } from "../diagnostics/moments.js";
import { type CompiledStep, compile } from "../engine/compile.js";
import { disposeParameters } from "../engine/parameters.js";
import { foldIn, type Key } from "../engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { HmcTuning } from "./hmcDraws.js";
import { type HmcState, type HmcStep, hmcState, hmcTransition } from "./hmcTransition.js";
import type { LogDensity } from "./slope.js";

/** What a transition depends on; `leapfrogSteps` and `jitter` are fixed in its graph. */
interface KernelInputs {
  readonly state: HmcState;
  readonly stepSize: Tensor;
  readonly scale: Tensor;
  readonly leapfrogSteps: number;
  readonly jitter: number;
  readonly key: Key;
}

/** Chains of a stand-alone run: they own their state, and are moved on one transition at a time. @internal */
export class HmcRun {
  private state: HmcState;
  private readonly step: CompiledStep<KernelInputs, HmcStep>;

  /** @throws Error if a start's log-density or its gradient is not finite (the error names the chain). */
  constructor(
    logDensity: LogDensity,
    init: Tensor2D,
    private readonly options: { readonly jitter: number; readonly compiled: boolean },
  ) {
    const step = (inputs: KernelInputs): HmcStep => hmcTransition({ ...inputs, logDensity });
    this.step = options.compiled ? compile(step) : Object.assign(step, { graphs: 0, dispose: () => undefined });
    this.state = hmcState(logDensity, init);
    try {
      checkStart(this.state);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** One transition of every chain; returns their acceptance probabilities, `[C]`. */
  advance(tuning: HmcTuning, key: Key): Float32Array {
    const { state, acceptanceProbability } = this.transition(tuning, key, this.options.jitter);
    disposeParameters(this.state);
    this.state = state;
    return acceptanceProbability;
  }

  /** The chains' positions, `[C, D]`. */
  positions(): Float32Array {
    return this.state.position.dataSync<"float32">();
  }

  /**
   * A step size at which one leapfrog step is accepted with probability about `target`: doubled or halved from 1 until it crosses it.
   *
   * Source: Hoffman & Gelman 2014, algorithm 4, with all chains' mean acceptance in place of one's.
   */
  reasonableStepSize(scale: Float32Array, target: number, key: Key): number {
    const tooSmall = (stepSize: number, trial: number): boolean => {
      const step = this.transition({ stepSize, leapfrogSteps: 1, scale }, foldIn(key, trial), 0);
      disposeParameters(step.state);
      return mean(step.acceptanceProbability) > target;
    };
    const growing = tooSmall(1, 0);
    let stepSize = 1;
    // 2^±30 is beyond any target that float32 can hold; a flat one accepts every step.
    for (let trial = 1; trial <= 30; trial++) {
      stepSize *= growing ? 2 : 0.5;
      if (tooSmall(stepSize, trial) !== growing) break;
    }
    return stepSize;
  }

  /** Frees the chains' tensors and the compiled transitions. */
  dispose(): void {
    this.step.dispose();
    disposeParameters(this.state);
  }

  private transition(
    { stepSize, leapfrogSteps, scale }: HmcTuning,
    key: Key,
    jitter: number,
  ): { readonly state: HmcState; readonly acceptanceProbability: Float32Array } {
    const { state } = this;
    const units = { stepSize: tf.scalar(stepSize), scale: tf.tensor1d(scale) };
    const step = tidied(() => this.step({ state, ...units, leapfrogSteps, jitter, key }));
    disposeParameters(units);
    const acceptanceProbability = step.acceptanceProbability.dataSync<"float32">();
    tf.dispose([step.acceptanceProbability, step.accepted]);
    return { state: step.state, acceptanceProbability };
  }
}

function checkStart({ logDensity, gradient }: HmcState): void {
  const [values, slopes] = [logDensity.dataSync(), gradient.dataSync()];
  const dimension = slopes.length / values.length;
  values.forEach((value, c) => {
    if (!Number.isFinite(value))
      throw new Error(`hmc: the log-density of init[${c}] is ${value}; start every chain inside the support.`);
    const slope = slopes.subarray(c * dimension, (c + 1) * dimension).findIndex((x) => !Number.isFinite(x));
    if (slope !== -1) {
      throw new Error(
        `hmc: the log-density's gradient at init[${c}, ${slope}] is ${slopes[c * dimension + slope]}; look for log 0 or a square root of 0 in it.`,
      );
    }
  });
}
