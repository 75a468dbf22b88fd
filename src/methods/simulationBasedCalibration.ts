import { type KolmogorovSmirnov, kolmogorovSmirnov } from "../diagnostics/kolmogorovSmirnov.js";
import { type SymmetryTest, symmetryTest } from "../diagnostics/symmetryTest.js";
import { breathe } from "../engine/interrupt.js";
import { foldIn, type Key, split, unit } from "../engine/random.js";

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
  /** `[M]`, the share of q's draws below the truth, as a rank made continuous: `(below + u (equal + 1))/(S + 1)` with u uniform on (0, 1). */
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
 * Of S draws the rank of the truth has S + 1 values, uniform if q is the posterior. A uniform number spreads each over the interval it stands for, and ties over theirs, so that the
 * tests, which ask for a continuous distribution, hold for any S, however many data sets there are; more draws see finer faults.
 *
 * A variational q is mostly too narrow, which uniformity never forgives and symmetry does: symmetry asks whether its point estimates can be used. It judges the algorithm over the
 * prior's data sets, not the fit of one.
 *
 * @throws RangeError if `replicates` is not an integer of at least 5, `simulate` does not give the same unknowns each time, `approximate` returns no draws of one, or a truth or a draw
 *   is not finite.
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
    const [simulated, fitted, spread] = split(foldIn(key, m), 3);
    const { truth, data } = simulate(simulated);
    const names = Object.keys(truth);
    if (m === 0) for (const name of names) probabilities.set(name, new Float64Array(M));
    if (names.length !== probabilities.size || !names.every((name) => probabilities.has(name)))
      throw new RangeError(
        `simulationBasedCalibration: simulate knows ${names.join(", ") || "nothing"} in data set ${m}, but ${[...probabilities.keys()].join(", ")} in the first; give the same unknowns each time.`,
      );
    const draws = await approximate(data, fitted);
    for (const [i, name] of names.entries()) {
      const own = draws[name];
      if (!own || own.length === 0)
        throw new RangeError(
          `simulationBasedCalibration: approximate returned no draws of "${name}", which simulate knows.`,
        );
      const u = unit(foldIn(spread, i).words[0]);
      probabilities.get(name)![m] = spreadRank({ name, m, truth: truth[name], draws: own, u });
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

/** The rank of the truth among S draws, spread evenly over the share of (0, 1) it stands for. */
function spreadRank(inputs: {
  readonly name: string;
  readonly m: number;
  readonly truth: number;
  readonly draws: ArrayLike<number>;
  readonly u: number;
}): number {
  const { name, m, truth, draws, u } = inputs;
  if (!Number.isFinite(truth))
    throw new RangeError(
      `simulationBasedCalibration: the true "${name}" of data set ${m} is ${truth}; let simulate draw finite numbers.`,
    );
  let [below, equal] = [0, 0];
  for (let s = 0; s < draws.length; s++) {
    if (!Number.isFinite(draws[s]))
      throw new RangeError(
        `simulationBasedCalibration: draw ${s} of "${name}" for data set ${m} is ${draws[s]}; its fit broke down, so look at that data set.`,
      );
    if (draws[s] < truth) below++;
    else if (draws[s] === truth) equal++;
  }
  return (below + u * (equal + 1)) / (draws.length + 1);
}
