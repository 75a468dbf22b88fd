import {
  adam,
  type Key,
  type Optimizer,
  type Parameters,
  type Scalar,
  type Tensor,
  tf,
  valueAndGradient,
} from "marginalia";

/** What a workload's cost depends on: numbers of samples, widths, batch. */
export type Sizes = { readonly [name: string]: number };

/** What a step carries to the next. */
export type State<P extends Parameters = Parameters> = { readonly parameters: P; readonly optimizer: Parameters };

/** What a step is given. */
export interface StepInputs<P extends Parameters = Parameters, D extends Parameters = Parameters> {
  readonly state: State<P>;
  readonly data: D;
  readonly key: Key;
}

/** What a step gives back. */
export interface StepOutputs<P extends Parameters = Parameters> {
  readonly state: State<P>;
  /** What is minimised. */
  readonly loss: Scalar;
}

/** One step of an optimisation: a pure function of tensors and a key, so that it can be compiled. */
export type Step<P extends Parameters = Parameters, D extends Parameters = Parameters> = (
  inputs: StepInputs<P, D>,
) => StepOutputs<P>;

/** A workload as the benchmark runs it. */
export interface Workload<P extends Parameters = Parameters, D extends Parameters = Parameters> {
  /** The sizes that the benchmark's table is about. */
  readonly sizes: Sizes;
  /** Where to start; the other frameworks read it from a file. */
  init(sizes: Sizes, key: Key): { readonly parameters: P; readonly data: D };
  step(sizes: Sizes): Step<P, D>;
  /** What a step draws from its key. The other frameworks are given it when their mathematics is compared with this. */
  noise(sizes: Sizes, key: Key): { readonly [name: string]: Tensor };
  /** −1 where the optimizer is handed the gradient of what is maximised, not of the loss. */
  readonly gradientSign?: -1;
}

const rate = 1e-3;

/** The optimizer of every workload. */
export const optimizer: Optimizer = adam({ learningRate: rate });

/**
 * A step of Adam on a loss.
 *
 * @param prepare draws the step's noise, computes what the gradient shall not see, and returns the loss to differentiate.
 */
export function descend<P extends Parameters, D extends Parameters>(
  prepare: (inputs: {
    readonly parameters: P;
    readonly data: D;
    readonly key: Key;
  }) => (parameters: P) => Scalar | Tensor,
): Step<P, D> {
  return ({ state: { parameters, optimizer: state }, data, key }) =>
    tidied(() => {
      const { value, gradient } = valueAndGradient(prepare({ parameters, data, key }), parameters);
      const next = optimizer.step({ parameters, gradient, state, learningRate: rate });
      return { state: { parameters: next.parameters, optimizer: next.state }, loss: value };
    });
}

/** `tf.tidy` for a record of tensors. */
export function tidied<T extends object>(compute: () => T): T {
  return tf.tidy(compute as unknown as () => tf.TensorContainer) as unknown as T;
}
