import { Gamma } from "../distributions/gamma.js";
import { LogGamma } from "../distributions/logGamma.js";
import { type Key, normal, split } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { type MeanFieldParameters, meanFieldGaussian } from "../families/meanFieldGaussian.js";
import { exp } from "../ops/exp.js";
import { normalLogDensity } from "../ops/normalLogDensity.js";
import { type FactorisedProblem, withFactors } from "./factorisedProblem.js";
import { densityProblem, type NoParameters } from "./problem.js";

/** The sizes and scales of a {@link gammaNormalSeries}. */
export interface SeriesLaw {
  /** F, hidden states of a patient. */
  readonly states: number;
  /** Mean and variance of the first state. Default 1 and 0.25. */
  readonly initialMean?: number;
  readonly initialVariance?: number;
  /** σ_x², the variance of a state given the one before. Default 0.05. */
  readonly driftVariance?: number;
  /** Standard deviation of a weight. Default 1. */
  readonly weightScale?: number;
  /** Standard deviation of an offset. Default 1. */
  readonly offsetScale?: number;
  /** σ_l, the standard deviation of a lab about its mean. Default 0.5. */
  readonly noise?: number;
}

/** Options of {@link gammaNormalSeries}. */
export interface GammaNormalSeriesOptions extends SeriesLaw {
  /** Labs l, `[P, T, L]`: P patients, T visits, L labs. They stay the caller's. */
  readonly labs: Tensor3D;
  /** 1 where a lab is seen and 0 where it is held out, `[P, T, L]`. Default: all seen. */
  readonly seen?: Tensor3D;
}

/** The unknowns of a {@link gammaNormalSeries}, taken apart. */
export interface SeriesUnknowns {
  /** x, `[K, P, T, F]`, positive. */
  readonly states: Tensor;
  /** o, `[K, P, L]`. */
  readonly offsets: Tensor3D;
  /** W, `[K, L, F]`. */
  readonly weights: Tensor3D;
}

/** A {@link gammaNormalSeries} with a Gaussian q of z = (log x, o, W). */
export interface GammaNormalSeries {
  /** D = PTF + PL + LF. */
  readonly dimension: number;
  /** The problem, its Markov blankets declared. */
  readonly problem: FactorisedProblem<NoParameters, MeanFieldParameters>;
  /** Coordinates of z in sets of which no two share a term of log p: each set's conditionals are independent given the rest. */
  readonly independentSets: readonly (readonly number[])[];
  /** Where the labs stand, among all `[P, T, L]` row by row, that were not seen. */
  readonly heldOut: readonly number[];
  /** The terms of log p that hold each coordinate, summed, `[K, D]` to `[K, D]`: what Metropolis within Gibbs asks for. */
  blankets(z: Tensor2D): Tensor2D;
  /** Σ_f W_lf x_ptf + o_pl, the mean of every lab, seen or held out, `[K, P, T, L]`: it stays as it is when hidden states are relabelled. */
  labMeans(z: Tensor3D): Tensor;
  /** log p of every lab given z, seen or held out, `[K, P, T, L]`. */
  logLikelihood(z: Tensor3D): Tensor;
  /** z, `[K, 1, D]`, taken apart. */
  unknowns(z: Tensor3D): SeriesUnknowns;
}

/**
 * A gamma–normal time series: positive hidden states of each patient that drift from visit to visit, and labs that are noisy linear functions of them,
 *
 * x_p1f ~ GammaE(m, v), x_ptf ~ GammaE(x_p(t−1)f, σ_x²), o_pl ~ N(0, σ_o²), W_lf ~ N(0, σ_w²), l_ptl ~ N(Σ_f W_lf x_ptf + o_pl, σ_l²),
 *
 * where GammaE has the mean and variance given; with a variance that does not shrink with its mean, a state that comes near 0 stays there. The states enter as z = log x, with the Jacobian. The blanket of a state is itself, its neighbours in time and the visit's labs; that of
 * an offset one patient's series of one lab; that of a weight all of one lab: they do not grow with the number of patients, but for the weights'.
 *
 * @throws Error if labs or seen are not `[P, T, L]`, a lab is not finite, seen is not 0 or 1, or a size or a scale is not positive.
 * Source: after the Gamma-Normal time series of Ranganath, Gerrish & Blei 2014, "Black box variational inference"; the scales are ours.
 */
export function gammaNormalSeries(options: GammaNormalSeriesOptions): GammaNormalSeries {
  const law = lawOf("gammaNormalSeries", options);
  const { labs, seen = tf.onesLike(labs) } = options;
  checkShape("gammaNormalSeries: labs", labs, ["*", "*", "*"]);
  checkShape("gammaNormalSeries: seen", seen, labs.shape);
  if (labs.size === 0)
    throw new Error("gammaNormalSeries: there are no labs; give it at least one patient, visit and lab.");
  if (labs.dataSync().some((value) => !Number.isFinite(value)))
    throw new Error("gammaNormalSeries: a lab is not finite; put any number there and 0 in seen.");
  if (seen.dataSync().some((value) => value !== 0 && value !== 1))
    throw new Error("gammaNormalSeries: seen must be 1 where a lab is seen and 0 where it is not.");
  const [P, T, L] = labs.shape;
  const F = law.states;
  const [ofStates, ofOffsets, ofWeights] = [P * T * F, P * L, L * F];
  const dimension = ofStates + ofOffsets + ofWeights;
  // The caller may dispose of the tensors that it gave: these numbers are the model's.
  const [observed, mask] = [labs, seen].map((tensor) => tensor.arraySync() as number[][][]);
  const heldOut = Array.from(seen.dataSync().entries()).flatMap(([i, value]) => (value === 0 ? [i] : []));
  if (!options.seen) seen.dispose();

  const parts = (
    z: Tensor3D,
  ): { readonly logStates: Tensor; readonly offsets: Tensor3D; readonly weights: Tensor3D } => {
    const K = z.shape[0];
    const [states, offsets, weights] = tf.split(z, [ofStates, ofOffsets, ofWeights], 2);
    return {
      logStates: tf.reshape(states, [K, P, T, F]),
      offsets: tf.reshape(offsets, [K, P, L]),
      weights: tf.reshape(weights, [K, L, F]),
    };
  };
  const labMeans = (z: Tensor3D): Tensor =>
    tf.tidy(() => {
      const { logStates, offsets, weights } = parts(z);
      const loaded = tf.matMul(tf.reshape(exp(logStates), [-1, P * T, F]), weights, false, true);
      return tf.add(tf.reshape(loaded, [-1, P, T, L]), tf.expandDims(offsets, 2));
    });
  const logLikelihood = (z: Tensor3D): Tensor =>
    tf.tidy(() => normalLogDensity(tf.tensor3d(observed), labMeans(z), law.noise));
  /** Every term of log p once: the states' own (with the step from the one before), the offsets', the weights', the labs'. */
  const terms = (z: Tensor3D) => {
    const { logStates, offsets, weights } = parts(z);
    const [first, later] = tf.split(logStates, [1, T - 1], 2);
    const before = exp(tf.slice(logStates, [0, 0, 0, 0], [-1, -1, T - 1, -1]));
    const start = new LogGamma(gammaE(law.initialMean, law.initialVariance)).logProb(first);
    const drift = new LogGamma(gammaE(before, law.driftVariance));
    const steps = T === 1 ? start : tf.concat([start, drift.logProb(later)], 2);
    return {
      steps: steps,
      offsets: normalLogDensity(offsets, 0, law.offsetScale),
      weights: normalLogDensity(weights, 0, law.weightScale),
      labs: tf.mul(logLikelihood(z), tf.tensor3d(mask)),
    };
  };
  const blankets = (z: Tensor3D): Tensor3D => {
    const { steps, offsets, weights, labs: seenLabs } = terms(z);
    const next = tf.concat(
      [tf.slice(steps, [0, 0, 1, 0]), tf.zerosLike(tf.slice(steps, [0, 0, 0, 0], [-1, -1, 1, -1]))],
      2,
    );
    const all = [
      tf.add(tf.add(steps, next), tf.sum(seenLabs, 3, true)),
      tf.add(offsets, tf.sum(seenLabs, 2)),
      tf.add(weights, tf.expandDims(tf.sum(seenLabs, [1, 2]), 2)),
    ].map((blanket) => tf.reshape(blanket, [z.shape[0], 1, -1]));
    return tf.concat(all, 2) as Tensor3D;
  };
  const problem = withFactors({
    problem: densityProblem({
      family: meanFieldGaussian({ dimension }),
      logDensity: (z) => {
        const all = Object.values(terms(z)).map((term) => tf.sum(tf.reshape(term, [z.shape[0], 1, -1]), 2));
        return tf.addN(all);
      },
    }),
    factors: (_theta: NoParameters, { mean, logScale }: MeanFieldParameters, z: Tensor3D) => ({
      logP: blankets(z),
      logQ: normalLogDensity(z, mean, exp(logScale)) as Tensor3D,
    }),
  });
  return {
    dimension,
    problem,
    independentSets: independentSets({ P, T, L, F }),
    heldOut,
    blankets: (z) => tf.tidy(() => tf.squeeze(blankets(tf.expandDims(z, 1) as Tensor3D), [1]) as Tensor2D),
    labMeans,
    logLikelihood,
    unknowns: (z) =>
      tf.tidy(() => {
        const { logStates, offsets, weights } = parts(z);
        return { states: exp(logStates), offsets, weights };
      }),
  };
}

/**
 * A data set drawn from the law of a {@link gammaNormalSeries}, with the unknowns behind it (K = 1).
 *
 * @returns labs `[P, T, L]` and what made them.
 * @throws Error if a size or a scale is not positive.
 */
export function simulateGammaNormalSeries(
  options: SeriesLaw & { readonly patients: number; readonly visits: number; readonly labs: number; readonly key: Key },
): { readonly labs: Tensor3D; readonly truth: SeriesUnknowns } {
  const law = lawOf("simulateGammaNormalSeries", options);
  const { patients: P, visits: T, labs: L, key } = options;
  for (const [name, size] of Object.entries({ patients: P, visits: T, labs: L })) {
    if (!Number.isInteger(size) || size < 1)
      throw new Error(`simulateGammaNormalSeries: ${name} must be a positive integer, not ${size}.`);
  }
  return tf.tidy(() => {
    const [weightKey, offsetKey, noiseKey, stateKey] = split(key, 4);
    const weights = tf.mul(normal(weightKey, [1, L, law.states]), law.weightScale) as Tensor3D;
    const offsets = tf.mul(normal(offsetKey, [1, P, L]), law.offsetScale) as Tensor3D;
    const visits: Tensor[] = [];
    split(stateKey, T).forEach((visitKey, t) => {
      const before = t === 0 ? tf.fill([P, law.states], law.initialMean) : visits[t - 1];
      visits.push(new Gamma(gammaE(before, t === 0 ? law.initialVariance : law.driftVariance)).sample(visitKey));
    });
    const states = tf.expandDims(tf.stack(visits, 1), 0);
    const loaded = tf.reshape(tf.matMul(tf.reshape(states, [1, P * T, -1]), weights, false, true), [P, T, L]);
    const mean = tf.add(loaded, tf.reshape(offsets, [P, 1, L]));
    const labs = tf.add(mean, tf.mul(normal(noiseKey, [P, T, L]), law.noise)) as Tensor3D;
    return { labs, truth: { states, offsets, weights } };
  });
}

/** Shape and rate of the gamma distribution with a mean and a variance. */
function gammaE(mean: Tensor | number, variance: number): { concentration: Tensor | number; rate: Tensor | number } {
  if (typeof mean === "number") return { concentration: mean ** 2 / variance, rate: mean / variance };
  // A state that came near 0 stays there; its square must not be 0, where no gamma distribution is.
  const concentration = tf.maximum(tf.div(tf.square(mean), variance), 1e-30);
  return { concentration, rate: tf.maximum(tf.div(mean, variance), 1e-15) };
}

function lawOf(name: string, options: SeriesLaw): Required<SeriesLaw> {
  const { states, initialMean = 1, initialVariance = 0.25, driftVariance = 0.05 } = options;
  const { weightScale = 1, offsetScale = 1, noise = 0.5 } = options;
  if (!Number.isInteger(states) || states < 1)
    throw new Error(`${name}: states must be a positive integer, not ${states}.`);
  const scales = { initialMean, initialVariance, driftVariance, weightScale, offsetScale, noise };
  for (const [scale, value] of Object.entries(scales)) {
    if (!(value > 0 && Number.isFinite(value))) throw new Error(`${name}: ${scale} must be positive, not ${value}.`);
  }
  return { states, ...scales };
}

/** States of every second visit, one hidden state at a time; all offsets; the weights of one hidden state. */
function independentSets(sizes: {
  readonly P: number;
  readonly T: number;
  readonly L: number;
  readonly F: number;
}): number[][] {
  const { P, T, L, F } = sizes;
  const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const states = count(F).flatMap((f) =>
    [0, 1].map((parity) =>
      count(P * T)
        .filter((pt) => (pt % T) % 2 === parity)
        .map((pt) => pt * F + f),
    ),
  );
  const offsets = count(P * L).map((i) => P * T * F + i);
  const weights = count(F).map((f) => count(L).map((l) => P * T * F + P * L + l * F + f));
  return [...states, offsets, ...weights].filter((set) => set.length > 0);
}
