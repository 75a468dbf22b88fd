import type { Bound } from "../bounds/bound.js";
import { sum } from "../diagnostics/moments.js";
import { breathe } from "../engine/interrupt.js";
import { leaves, type Parameters } from "../engine/parameters.js";
import { foldIn, type Key } from "../engine/random.js";
import { tf } from "../engine/tf.js";
import { estimateGradient, type Gradient } from "../gradients/gradient.js";
import type { NoParameters, Problem } from "../models/problem.js";

/** What {@link gradientNoise} measures. */
export interface GradientNoise {
  /** ‖E g‖, less what its own noise adds to it; 0 where the gradient cannot be told from noise. */
  readonly signal: number;
  /** √tr Cov g, of one step's gradient. */
  readonly noise: number;
  /** signal / noise of one step; 0 where both are 0. */
  readonly signalToNoise: number;
  /** How many gradients it rests on. */
  readonly n: number;
}

/** Where to measure. */
export interface GradientNoiseOptions<Phi extends Parameters, Z> {
  readonly problem: Problem<NoParameters, Phi, Z>;
  readonly phi: Phi;
  readonly bound: Bound;
  readonly gradient: Gradient;
  /** K of one gradient. */
  readonly samples: number;
  /** R, independent gradients. Default 50. */
  readonly replicates?: number;
  readonly key: Key;
}

/**
 * Signal and noise of a gradient in φ at one point: signal² = max(0, ‖ḡ‖² − tr S / R), noise² = tr S, with mean ḡ and covariance S of R gradients.
 *
 * Far from the optimum the signal outweighs the noise; at the optimum it is 0. Measured in the parameters as they are, so it is a sign and no distance.
 *
 * @throws Error if R is not an integer of at least 2; or as the gradient does.
 */
export async function gradientNoise<Phi extends Parameters, Z>(
  options: GradientNoiseOptions<Phi, Z>,
): Promise<GradientNoise> {
  const { problem, phi, bound, gradient, samples, key, replicates: n = 50 } = options;
  if (!Number.isInteger(n) || n < 2)
    throw new Error(`gradientNoise: replicates must be an integer of at least 2, not ${n}.`);
  const rows: Float32Array[] = [];
  for (let r = 0; r < n; r++) {
    const { value, gradient: slope } = estimateGradient(gradient, {
      problem,
      bound,
      theta: {},
      phi,
      samples,
      key: foldIn(key, r),
    });
    const tensors = leaves(slope.phi).map(({ tensor }) => tensor);
    rows.push(Float32Array.from(tensors.flatMap((tensor) => Array.from(tensor.dataSync()))));
    tf.dispose([value, ...tensors]);
    await breathe();
  }
  let [squaredMean, trace] = [0, 0];
  for (let i = 0; i < rows[0].length; i++) {
    const centre = sum(rows.map((row) => row[i])) / n;
    squaredMean += centre ** 2;
    trace += sum(rows.map((row) => (row[i] - centre) ** 2)) / (n - 1);
  }
  const signal = Math.sqrt(Math.max(0, squaredMean - trace / n));
  const noise = Math.sqrt(trace);
  return { signal, noise, signalToNoise: noise === 0 ? (signal === 0 ? 0 : Infinity) : signal / noise, n };
}
