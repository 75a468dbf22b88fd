import { disposeParameters, mapParameters, type Parameters } from "../engine/parameters.js";
import { type Scalar, type Tensor3D, tf } from "../engine/tf.js";
import type { Gradient } from "../gradients/gradient.js";
import type { NoParameters, Problem } from "../models/problem.js";
import { type Averaging, averaged, averageIn } from "./averaging.js";
import { type Compilation, compiledSteps } from "./compiledSteps.js";
import { describeMethod } from "./describeMethod.js";
import { type IterateOptions, iterate } from "./iterate.js";
import type { Minibatch, Minibatches } from "./minibatches.js";
import type { PlainValue } from "./stepwise.js";
import { type At, type SampleSchedule, type Schedules, type Stages, type Timetable, timetable } from "./timetable.js";
import type { TracePoint } from "./trace.js";
import { type FitState, type ModelAndPosterior, type VariationalStep, variationalStep } from "./variationalStep.js";

/** Where a fit starts: θ and φ, or φ alone where the model has no parameters. */
export type Start<Theta extends Parameters, Phi extends Parameters> = [Theta] extends [NoParameters]
  ? { readonly theta?: NoParameters; readonly phi: Phi }
  : ModelAndPosterior<Theta, Phi>;

/** How a fit makes the problem of one step: of its batch, where there are batches, and of what its schedules and stages then are. */
export type ProblemOfStep<Batches extends Minibatches | undefined, Values, P> = [Batches] extends [Minibatches]
  ? (batch: Minibatch, at: Values) => P
  : (at: Values) => P;

/** Options of {@link fit}. */
export interface FitOptions<
  Theta extends Parameters,
  Phi extends Parameters,
  Z,
  Batches extends Minibatches | undefined = Minibatches | undefined,
  S extends Schedules = Schedules,
  G extends Stages = Stages,
> extends Omit<VariationalStep, "samples">,
    IterateOptions<FitState<Theta, Phi>> {
  /**
   * The problem. Or, with `batches`, that of one batch, which hands `batch.x` and `batch.scale` on to it: `(batch, at) => …`. With schedules or stages `at` has
   * their values by name; without batches it comes alone: `(at) => …`.
   */
  readonly problem: Problem<Theta, Phi, Z> | ProblemOfStep<Batches, At<S, G>, Problem<Theta, Phi, Z>>;
  /** The minibatches to go through, one a step. */
  readonly batches?: Batches;
  /** K, samples for each datum, ≥ 1; or `stepwise`, where it changes at a few steps. */
  readonly samples: SampleSchedule;
  /** Numbers that change at every step, by name: the problem gets them as scalar tensors, fed to the compiled step like the learning rate. */
  readonly schedules?: S;
  /** Plain values that change at a few steps, by name, as `stepwise` makes them: at each change the step is recorded anew. */
  readonly stages?: G;
  /**
   * In place of `gradient`: the gradient of a step, of what the schedules and stages then are. The numbers of a schedule come as scalar tensors, so that an annealed
   * temperature takes one graph: `({ temperature }) => gumbelSoftmax({ temperature })`.
   */
  readonly gradientAt?: (at: At<S, G>) => Gradient;
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
 * What changes with the steps is given by name, here a warm-up of the KL's weight and a growing number of draws:
 *
 * ```ts
 * await fit({
 *   batches, schedules: { beta: linear({ from: 0, to: 1, over: 300 }) }, stages: { draws: stepwise({ 0: 0, 250: 5, 500: 25 }) },
 *   problem: ({ x, scale }, { beta, draws }) =>
 *     hierarchicalLatentVariableProblem({ model, family, x, scale, klWeight: beta, marginal: iwhvi({ reverse, samples: draws }) }),
 *   init, bound: elbo, samples: 1, optimizer, steps, key,
 * });
 * ```
 *
 * and here a relaxation's temperature, annealed from 1 to .1 while the bits' q is fitted:
 *
 * ```ts
 * await fit({
 *   problem, schedules: { temperature: linear({ from: 1, to: 0.1, over: 1000 }) },
 *   gradientAt: ({ temperature }) => gumbelSoftmax({ temperature }), init, bound: elbo, samples: 8, optimizer, steps, key,
 * });
 * ```
 *
 * The trace shows what is climbed at each step, so values under different weights or numbers of draws are not of one bound.
 *
 * @returns θ and φ after the last step, new tensors that the caller disposes. Not converging is no error: look at the trace.
 * @throws Error naming step and tensor where a value is not finite; or if K or the number of steps is not a positive integer, or
 *   `problem` or `gradientAt` does not go with `batches`, `schedules` and `stages`, or one of these is out of range; or as a checkpoint does.
 */
export async function fit<
  Theta extends Parameters = NoParameters,
  Phi extends Parameters = Parameters,
  Z = Tensor3D,
  Batches extends Minibatches | undefined = undefined,
  S extends Schedules = Record<never, never>,
  G extends Stages = Record<never, never>,
>(options: FitOptions<Theta, Phi, Z, Batches, S, G>): Promise<FitResult<Theta, Phi>> {
  const { init, averaging, batches, checkpoint } = options;
  const times = timetable(options);
  checkGradientAt(options, times);
  const gradientAt = options.gradientAt as ((at: Values) => Gradient) | undefined;
  const problemOf = problemOfStep<Problem<Theta, Phi, Z>>(options.problem, batches, times, gradientAt !== undefined);
  const parameters = { theta: init.theta ?? {}, phi: init.phi } as ModelAndPosterior<Theta, Phi>;
  const optimizer = averaging ? averaged(options.optimizer, averaging) : options.optimizer;
  const start: FitState<Theta, Phi> = { ...parameters, optimizer: optimizer.init(parameters) };
  const method = { ...options, optimizer };
  const compiled =
    options.compile === "none"
      ? undefined
      : compiledSteps({
          ...method,
          problem: problemOf,
          gradientAt,
          timetable: times,
          mayFuse: !checkpoint,
          compile: options.compile,
        });
  try {
    const { state, ...rest } = await iterate({
      ...options,
      ...(checkpoint && {
        checkpoint: {
          ...checkpoint,
          settings: describeMethod(
            { ...options, ...(gradientAt && { gradient: firstGradient(gradientAt, times) }), timetable: times },
            checkpoint.settings,
          ),
        },
      }),
      init: start,
      advance: ({ state, key, step }) => {
        const at = valuesAt(times, step);
        const { samples } = times.stageAt(step);
        const how = { ...method, samples, ...(gradientAt && { gradient: gradientAt(at) }) };
        return variationalStep(how, { problem: problemOf(batches?.at(step), at), state, key, step });
      },
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

type Values = Readonly<Record<string, Scalar | PlainValue>>;

/** What the schedules and stages are at one step. */
function valuesAt(times: Timetable, step: number): Values {
  return {
    ...mapParameters(times.numbersAt([step]), (numbers) => tf.squeeze(numbers)),
    ...times.stageAt(step).values,
  };
}

/** The first step's gradient, for its name. */
function firstGradient(gradientAt: (at: Values) => Gradient, times: Timetable): Gradient {
  const named: { gradient?: Gradient } = {};
  tf.tidy(() => {
    named.gradient = gradientAt(valuesAt(times, 0));
  });
  return named.gradient as Gradient;
}

function checkGradientAt(
  options: { readonly gradient?: unknown; readonly gradientAt?: unknown },
  times: Timetable,
): void {
  if (!options.gradientAt) return;
  if (options.gradient) throw new Error("fit: give gradient or gradientAt, not both.");
  if (times.names.length === 0)
    throw new Error(
      "fit: gradientAt makes a step's gradient of what schedules and stages then are, and there are none; give schedules, or gradient in its place.",
    );
}

/** The problem as a function of batch and values, whichever of them it looks at. */
function problemOfStep<P extends object>(
  problem: P | ((...given: never[]) => P),
  batches: Minibatches | undefined,
  { names }: Timetable,
  elsewhere: boolean, // whether the gradient looks at the values, so that the problem need not
): (batch: Minibatch | undefined, at: Values) => P {
  if (typeof problem !== "function") {
    if (batches) {
      throw new Error(
        "fit: with batches, problem must be a function of the batch: (batch) => latentVariableProblem({ …, x: batch.x, scale: batch.scale }).",
      );
    }
    if (names.length > 0 && !elsewhere) {
      throw new Error(
        `fit: with schedules or stages, problem must be a function of their values: (at) => …, with at.${names[0]}; with batches too, (batch, at) => ….`,
      );
    }
    return () => problem;
  }
  if (!batches && (names.length === 0 || problem.length > 1)) {
    throw new Error(
      "fit: problem is a function of a batch, so give the batches too: batches: minibatches({ data, size, key }).",
    );
  }
  const made = problem as (first: unknown, second?: unknown) => P;
  return (batch, at) => (batches ? made(batch, at) : made(at));
}
