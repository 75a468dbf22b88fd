import { type KolmogorovSmirnov, kolmogorovSmirnov } from "../diagnostics/kolmogorovSmirnov.js";
import { type SymmetryTest, symmetryTest } from "../diagnostics/symmetryTest.js";
import { breathe } from "../engine/interrupt.js";
import { foldIn, type Key, split } from "../engine/random.js";

/** Options of {@link simulationBasedCalibration}. */
export interface SimulationBasedCalibrationOptions<Data> {
  /** Draws unknowns from the prior and data given them. */
  readonly simulate: (key: Key) => { readonly truth: Readonly<Record<string, number>>; readonly data: Data };
  /** Fits the data and draws from q: for every unknown of `truth` its draws. */
  readonly approximate: (
    data: Data,
    key: Key,
  ) => Promise<Readonly<Record<string, ArrayLike<number>>>> | Readonly<Record<string, ArrayLike<number>>>;
  /** M, simulated data sets. */
  readonly replicates: number;
  readonly key: Key;
  /** Called after every data set. */
  readonly onProgress?: (at: { readonly done: number; readonly of: number }) => void | Promise<void>;
}

/** What calibration says of one unknown: a row of a table. */
export interface Calibration {
  readonly name: string;
  /** `[M]`, the share of q's draws below the truth. */
  readonly probabilities: Float64Array;
  /** Whether they lie symmetrically about ½: if not, q is biased, upwards where `bias` is negative. */
  readonly symmetry: SymmetryTest;
  /** Whether they are uniform, as they are for the exact posterior: if not, q is biased or of the wrong width. */
  readonly uniformity: KolmogorovSmirnov;
}

/**
 * Variational simulation-based calibration (VSBC): over data simulated from the model itself, `p_m = P(θ_q < θ_m)` of the true θ_m is uniform if q is the posterior, and symmetric about
 * ½ if q is unbiased on average.
 *
 * A variational q is mostly too narrow, which uniformity never forgives and symmetry does: symmetry asks whether its point estimates can be used. It judges the algorithm over the
 * prior's data sets, not the fit of one.
 *
 * @throws RangeError if `replicates` is not an integer of at least 5, or `approximate` returns no draws of an unknown.
 * Source: Yao, Vehtari, Simpson & Gelman 2018, "Yes, but did it work? Evaluating variational inference"; Talts, Betancourt, Simpson, Vehtari & Gelman 2018, "Validating Bayesian
 * inference algorithms with simulation-based calibration".
 */
export async function simulationBasedCalibration<Data>(
  options: SimulationBasedCalibrationOptions<Data>,
): Promise<readonly Calibration[]> {
  const { simulate, approximate, replicates: M, key, onProgress } = options;
  if (!Number.isInteger(M) || M < 5)
    throw new RangeError(`simulationBasedCalibration: replicates must be an integer of at least 5, not ${M}.`);
  const probabilities = new Map<string, Float64Array>();
  for (let m = 0; m < M; m++) {
    await breathe();
    const [simulated, fitted] = split(foldIn(key, m));
    const { truth, data } = simulate(simulated);
    const draws = await approximate(data, fitted);
    for (const [name, value] of Object.entries(truth)) {
      const own = draws[name];
      if (!own || own.length === 0)
        throw new RangeError(
          `simulationBasedCalibration: approximate returned no draws of "${name}", which simulate knows.`,
        );
      const column = probabilities.get(name) ?? new Float64Array(M);
      probabilities.set(name, column);
      let below = 0;
      for (let s = 0; s < own.length; s++) below += own[s] < value ? 1 : own[s] === value ? 0.5 : 0;
      // Ranks from ½ to S + ½ of S + 1, so that no share is 0 or 1.
      column[m] = (below + 0.5) / (own.length + 1);
    }
    await onProgress?.({ done: m + 1, of: M });
  }
  return Array.from(probabilities, ([name, column]) => ({
    name,
    probabilities: column,
    symmetry: symmetryTest(column),
    uniformity: kolmogorovSmirnov(column, (x) => Math.min(1, Math.max(0, x))),
  }));
}
