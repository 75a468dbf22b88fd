import { disposeParameters, type Parameters } from "../engine/parameters.js";
import type { Tensor3D } from "../engine/tf.js";
import { checkSamples, type NoParameters, type Problem } from "../models/problem.js";
import { type Averaging, averaged, averageIn } from "./averaging.js";
import { type Compilation, compiledSteps } from "./compiledSteps.js";
import { describeMethod } from "./describeMethod.js";
import { type IterateOptions, iterate } from "./iterate.js";
import type { Minibatch, Minibatches } from "./minibatches.js";
import type { TracePoint } from "./trace.js";
import { type FitState, type ModelAndPosterior, type VariationalStep, variationalStep } from "./variationalStep.js";

/** Where a fit starts: θ and φ, or φ alone where the model has no parameters. */
export type Start<Theta extends Parameters, Phi extends Parameters> = [Theta] extends [NoParameters]
  ? { readonly theta?: NoParameters; readonly phi: Phi }
  : ModelAndPosterior<Theta, Phi>;

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
  /**
   * How to run the steps. Default: as a compiled graph (with XLA where there are many steps on small tensors); or, with a warning that says
   * why, eagerly where the step cannot be compiled. Asked for by name, a compilation that fails is an error.
   */
  readonly compile?: Compilation;
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
  const problemOf = (batch: Minibatch | undefined): Problem<Theta, Phi, Z> =>
    typeof problem === "function" ? problem(batch as Minibatch) : problem;
  const method = { ...options, optimizer };
  const compiled =
    options.compile === "none"
      ? undefined
      : compiledSteps({ ...method, problem: problemOf, mayFuse: !checkpoint, compile: options.compile });
  try {
    const { state, ...rest } = await iterate({
      ...options,
      ...(checkpoint && { checkpoint: { ...checkpoint, settings: describeMethod(options, checkpoint.settings) } }),
      init: start,
      advance: ({ state, key, step }) =>
        variationalStep(method, { problem: problemOf(batches?.at(step)), state, key, step }),
      ...(compiled && { advanceMany: compiled }),
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
    compiled?.dispose();
    disposeParameters(start.optimizer);
  }
}
