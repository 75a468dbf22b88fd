import type { Bound } from "../bounds/bound.js";
import { disposeParameters, type Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import { type Scalar, type Tensor1D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { estimateGradient, type Gradient } from "../gradients/gradient.js";
import { reparameterised } from "../gradients/reparameterised.js";
import { checkSamples, type NoParameters, type Problem } from "../models/problem.js";
import { type Averaging, averaged, averageIn } from "./averaging.js";
import { describeMethod } from "./describeMethod.js";
import { norm } from "./flatten.js";
import { type IterateOptions, iterate, type TracePoint } from "./iterate.js";
import type { Minibatch, Minibatches } from "./minibatches.js";
import type { Optimizer } from "./optimizer.js";

/** Parameters of model and q together. */
export type ModelAndPosterior<Theta extends Parameters, Phi extends Parameters> = {
  readonly theta: Theta;
  readonly phi: Phi;
};

/** Where a fit starts: θ and φ, or φ alone where the model has no parameters. */
export type Start<Theta extends Parameters, Phi extends Parameters> = [Theta] extends [NoParameters]
  ? { readonly theta?: NoParameters; readonly phi: Phi }
  : ModelAndPosterior<Theta, Phi>;

/** What a fit carries from step to step. */
export type FitState<Theta extends Parameters, Phi extends Parameters> = ModelAndPosterior<Theta, Phi> & {
  readonly optimizer: Parameters;
};

/** What one step of a variational fit consists of. */
export interface VariationalStep {
  readonly bound: Bound;
  /** K, samples for each datum. */
  readonly samples: number;
  readonly optimizer: Optimizer;
  /** How to differentiate the bound. Default {@link reparameterised}. */
  readonly gradient?: Gradient;
}

/** Options of {@link fit}. */
export interface FitOptions<Theta extends Parameters, Phi extends Parameters, Z>
  extends VariationalStep,
    IterateOptions<FitState<Theta, Phi>> {
  /** The problem; or, with `batches`, that of one batch, which hands `batch.x` and `batch.scale` on to it. */
  readonly problem: Problem<Theta, Phi, Z> | ((batch: Minibatch) => Problem<Theta, Phi, Z>);
  /** The minibatches to go through, one a step. */
  readonly batches?: Minibatches;
  /** How to average the parameters over the steps. Default: not. */
  readonly averaging?: Averaging;
  /** Where to start. The tensors stay the caller's. */
  readonly init: Start<Theta, Phi>;
}

/** A fitted model and posterior. */
export interface FitResult<Theta extends Parameters, Phi extends Parameters> {
  readonly theta: Theta;
  readonly phi: Phi;
  /** The parameters averaged over the steps, where the fit was asked for `averaging`. */
  readonly average?: ModelAndPosterior<Theta, Phi>;
  /** The bound, averaged over data, and the gradient's norm against steps: rows of a table. */
  readonly trace: readonly TracePoint[];
  readonly steps: number;
  readonly stoppedBecause: "all steps taken" | "stop returned true";
  /** Frees θ and φ, and their averages. */
  dispose(): void;
}

/**
 * One step of stochastic gradient *ascent* on a bound, as a pure function of state, key and problem.
 *
 * (θ, φ) ← optimizer((θ, φ), ∇ scale Σ_b L_b), uphill. New tensors come back; the old state is
 * left alone.
 */
export function variationalStep<Theta extends Parameters, Phi extends Parameters, Z>(
  method: VariationalStep,
  inputs: {
    readonly problem: Problem<Theta, Phi, Z>;
    readonly state: FitState<Theta, Phi>;
    readonly key: Key;
    /** From 0, for the schedule. */
    readonly step: number;
    /** Size of the step uphill, in place of the schedule's; as a tensor, it can be fed anew to each replay of a compiled step. */
    readonly learningRate?: number | Scalar;
  },
): { readonly state: FitState<Theta, Phi>; readonly value: Tensor1D; readonly gradientNorm: Scalar } {
  const { bound, samples, optimizer, gradient = reparameterised } = method;
  const { problem, state, key, step, learningRate = optimizer.schedule(step) } = inputs;
  const { theta, phi } = state;
  return tidied(() => {
    const ascent = estimateGradient(gradient, { problem, bound, theta, phi, samples, key });
    const updated = optimizer.step({
      parameters: { theta, phi } as ModelAndPosterior<Theta, Phi>,
      gradient: ascent.gradient as ModelAndPosterior<Theta, Phi>,
      state: state.optimizer,
      learningRate: typeof learningRate === "number" ? -learningRate : (tf.neg(learningRate) as Scalar), // ascent
    });
    return {
      state: { ...updated.parameters, optimizer: updated.state },
      value: ascent.value,
      gradientNorm: norm(ascent.gradient),
    };
  });
}

/**
 * Fits model and posterior by maximising a bound: `steps` times {@link variationalStep}, with a trace, live progress, interruption, stopping
 * rules and checkpoints.
 *
 * ```ts
 * const family = fullRankGaussian({ dimension: 2 });
 * const problem = densityProblem({ logDensity, family });
 * const { phi, trace } = await fit({
 *   problem, init: { phi: family.init(key) }, bound: iwae, samples: 16, optimizer: adam({ learningRate: 0.02 }), steps: 2000, key,
 * });
 * ```
 *
 * @returns θ and φ after the last step, new tensors that the caller disposes. Not converging is no error: look at the trace.
 * @throws Error naming step and tensor where a value is not finite; or if K or the number of steps is not a positive integer, or
 *   `problem` and `batches` do not go together; or as a checkpoint does.
 */
export async function fit<Theta extends Parameters = NoParameters, Phi extends Parameters = Parameters, Z = Tensor3D>(
  options: FitOptions<Theta, Phi, Z>,
): Promise<FitResult<Theta, Phi>> {
  const { init, samples, averaging, problem, batches, checkpoint } = options;
  checkSamples(samples);
  if ((typeof problem === "function") !== (batches !== undefined)) {
    throw new Error(
      batches
        ? "fit: with batches, problem must be a function of the batch: (batch) => latentVariableProblem({ …, x: batch.x, scale: batch.scale })."
        : "fit: problem is a function of a batch, so give the batches too: batches: minibatches({ data, size, key }).",
    );
  }
  const parameters = { theta: init.theta ?? {}, phi: init.phi } as ModelAndPosterior<Theta, Phi>;
  const optimizer = averaging ? averaged(options.optimizer, averaging) : options.optimizer;
  const start: FitState<Theta, Phi> = { ...parameters, optimizer: optimizer.init(parameters) };
  const problemAt = (step: number): Problem<Theta, Phi, Z> => {
    if (typeof problem !== "function") return problem;
    return problem((batches as Minibatches).at(step));
  };
  try {
    const { state, ...rest } = await iterate({
      ...options,
      ...(checkpoint && { checkpoint: { ...checkpoint, settings: describeMethod(options, checkpoint.settings) } }),
      init: start,
      advance: ({ state, key, step }) =>
        variationalStep({ ...options, optimizer }, { problem: problemAt(step), state, key, step }),
    });
    const fitted = { theta: state.theta, phi: state.phi };
    const average = averaging && averageIn(state.optimizer, averaging, fitted);
    disposeParameters(state.optimizer);
    return {
      ...fitted,
      ...(average && { average }),
      ...rest,
      dispose: () => disposeParameters({ ...fitted, ...(average && { average }) }),
    };
  } finally {
    disposeParameters(start.optimizer);
  }
}
