/** What {@link gaussianHmc} is of. */
export interface GaussianHmcOptions {
  /** ε over the target's standard deviation, in (0, 2): beyond, leapfrog is unstable. */
  readonly stepSize: number;
  /** L ≥ 1. */
  readonly leapfrogSteps: number;
  /** D; all coordinates have one standard deviation. Default 1. */
  readonly dimension?: number;
  /** j in [0, 1): each trajectory uses ε U, U uniform on [1 − j, 1 + j). Default 0. */
  readonly jitter?: number;
}

/** A stationary chain of Hamiltonian Monte Carlo on a Gaussian. */
export interface GaussianHmc {
  /** Mean acceptance probability. */
  readonly acceptanceProbability: number;
  /** ρ_t, the correlation of a coordinate with itself t ≥ 0 transitions earlier. */
  correlation(transitions: number): number;
}

/**
 * Exactly how fast Hamiltonian Monte Carlo forgets, on N(m, s² I): acceptance and autocorrelation of the stationary chain, by quadrature.
 *
 * In units of s leapfrog is a rotation in stretched coordinates: `q_L = cos(Lω) q_0 + sin(Lω)/√(1 − ε²/4) r_0` with `ω = 2 asin(ε/2)`, and its energy error is
 * `(ε²/8) (|q_L|² − |q_0|²)`. Were all accepted, ρ_t would be `cos(Lω)^t`: 1 at `ε = 2 sin(π/L)`, where a trajectory is a whole period, and −1
 * at half of one. Rejections couple q to `q L_k(|q|²/2)` (Laguerre polynomials, Hermite for D = 1), so ρ_t is an entry of the t-th power of the
 * transition's matrix in these; with the first six it is right to a few 1e-5.
 *
 * @throws RangeError if the step size is not in (0, 2), also where jittered, or if L, D or the jitter is out of range; `correlation` if t is no integer of at least 0.
 * Source: Neal 2011, "MCMC using Hamiltonian dynamics", section 5.2.3 (the step's eigenvalues); the rest is derived here and tested against chains.
 */
export function gaussianHmc(options: GaussianHmcOptions): GaussianHmc {
  const { stepSize, leapfrogSteps, dimension = 1, jitter = 0 } = options;
  if (!(jitter >= 0 && jitter < 1)) throw new RangeError(`gaussianHmc: jitter must be in [0, 1), not ${jitter}.`);
  if (!(stepSize > 0 && stepSize * (1 + jitter) < 2)) {
    throw new RangeError(
      `gaussianHmc: stepSize must be positive and below ${2 / (1 + jitter)} standard deviations, where leapfrog becomes unstable, not ${stepSize}.`,
    );
  }
  for (const [name, value] of Object.entries({ leapfrogSteps, dimension })) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`gaussianHmc: ${name} must be a positive integer, not ${value}.`);
  }
  let acceptanceProbability = 0;
  const matrix = new Float64Array(modes * modes);
  const radii = radialRule(dimension);
  for (const { at, weight: share } of factorsOf(options)) {
    const one = transition(stepSize * at, leapfrogSteps, dimension, radii);
    acceptanceProbability += share * one.acceptance;
    for (let i = 0; i < matrix.length; i++) matrix[i] += share * one.matrix[i];
  }
  const known = [Float64Array.from({ length: modes }, (_, k) => (k === 0 ? 1 : 0))];
  const correlation = (transitions: number): number => {
    if (!Number.isInteger(transitions) || transitions < 0)
      throw new RangeError(`gaussianHmc: transitions must be an integer of at least 0, not ${transitions}.`);
    while (known.length <= transitions) {
      const last = known[known.length - 1];
      known.push(last.map((_, j) => last.reduce((sum, value, k) => sum + matrix[j * modes + k] * value, 0)));
    }
    return known[transitions][0];
  };
  return { acceptanceProbability, correlation };
}

/** How many polynomials are kept. */
const modes = 6;

interface Node {
  readonly at: number;
  readonly weight: number;
}

/** Nodes of the jitter U: between half periods, ε U = 2 sin(kπ/(2L)), where acceptance has a kink. */
function factorsOf({ stepSize, leapfrogSteps, jitter = 0 }: GaussianHmcOptions): Node[] {
  if (jitter === 0) return [{ at: 1, weight: 1 }];
  const kinks = Array.from(
    { length: leapfrogSteps },
    (_, k) => (2 * Math.sin((k * Math.PI) / (2 * leapfrogSteps))) / stepSize,
  );
  const ends = [1 - jitter, ...kinks.filter((at) => Math.abs(at - 1) < jitter), 1 + jitter];
  return ends
    .slice(1)
    .flatMap((to, i) => rule(ends[i], to, 24))
    .map(({ at, weight }) => ({ at, weight: weight / (2 * jitter) }));
}

/** The acceptance of one transition and its matrix in q L_k(|q|²/2), normalised. */
function transition(
  step: number,
  leapfrogSteps: number,
  dimension: number,
  radii: readonly Node[],
): { acceptance: number; matrix: Float64Array } {
  const angle = leapfrogSteps * 2 * Math.asin(step / 2);
  const turn = { kept: Math.cos(angle), gained: Math.sin(angle) / Math.sqrt(1 - (step * step) / 4) };
  const matrix = Float64Array.from({ length: modes * modes }, (_, i) => (i % (modes + 1) === 0 ? 1 : 0));
  let acceptance = 0;
  // |q_0|² = T a, |q_L|² = T b, q_0 · q_L = T c: T is independent of the angles, which alone decide the sign of the energy's error.
  for (const { a, b, c, weight } of angles(turn, dimension)) {
    const growth = 1 + 2 * Math.max(0, ((step * step) / 8) * (b - a));
    const mass = weight * growth ** -dimension; // ∫ of T's density times exp(−T (growth − 1)/2)
    acceptance += mass;
    for (const { at, weight: share } of radii) {
      const T = at / growth;
      const [here, there] = [polynomials((T * a) / 2, dimension), polynomials((T * b) / 2, dimension)];
      const factor = (mass * share * T) / dimension;
      for (let j = 0; j < modes; j++) {
        for (let k = 0; k < modes; k++) matrix[j * modes + k] += factor * here[j] * (c * there[k] - a * here[k]);
      }
    }
  }
  return { acceptance, matrix };
}

/** Nodes over the angle between |q_0| and |r_0| and that between their directions, split where the energy's error changes sign. */
function* angles(
  { kept, gained }: { readonly kept: number; readonly gained: number },
  dimension: number,
): Iterable<{ a: number; b: number; c: number; weight: number }> {
  const shape = (phi: number, cosine: number): { a: number; b: number; c: number } => {
    const [q, r] = [Math.cos(phi), Math.sin(phi)];
    const b = (kept * q) ** 2 + (gained * r) ** 2 + 2 * kept * gained * cosine * q * r;
    return { a: q * q, b, c: kept * q * q + gained * cosine * q * r };
  };
  if (dimension === 1) {
    // tan φ = (±1 − kept)/gained; a period of π covers both directions.
    const [first, second] = [1, -1]
      .map((sign) => Math.atan2(sign - kept, gained))
      .map((x) => (x + 2 * Math.PI) % Math.PI);
    const [low, high] = [Math.min(first, second), Math.max(first, second)];
    for (const [from, to] of [
      [low, high],
      [high, low + Math.PI],
    ])
      for (const { at, weight } of rule(from, to, 64)) yield { ...shape(at, 1), weight: weight / Math.PI };
    return;
  }
  // Between these the error has both signs, by direction.
  const ends = [0, 1 - Math.abs(kept), 1 + Math.abs(kept), 1].map((t, i) =>
    i === 3 ? Math.PI / 2 : Math.atan2(t, Math.abs(gained)),
  );
  const outer = [0, 1, 2]
    .flatMap((i) => rule(ends[i], ends[i + 1], 20))
    .map(({ at, weight }) => ({ at, weight: weight * (Math.sin(at) * Math.cos(at)) ** (dimension - 1) }));
  const total = outer.reduce((sum, { weight }) => sum + weight, 0);
  for (const { at, weight } of outer) {
    const still = (1 - kept * kept - (gained * Math.tan(at)) ** 2) / (2 * kept * gained * Math.tan(at));
    const split = Math.abs(still) < 1 ? Math.acos(still) : Math.PI / 2;
    const inner = [...rule(0, split, 24), ...rule(split, Math.PI, 24)].map((node) => {
      return { at: node.at, weight: node.weight * Math.sin(node.at) ** (dimension - 2) };
    });
    const whole = inner.reduce((sum, node) => sum + node.weight, 0);
    for (const node of inner)
      yield { ...shape(at, Math.cos(node.at)), weight: ((weight / total) * node.weight) / whole };
  }
}

/** The trapezoidal rule in a variable in which every integrand is flat at both ends, so that it converges fast. */
function rule(low: number, high: number, n: number): Node[] {
  return Array.from({ length: n - 1 }, (_, i) => {
    const t = (2 * Math.PI * (i + 1)) / n;
    const along = (t - (8 * Math.sin(t) - Math.sin(2 * t)) / 6) / (2 * Math.PI);
    const speed = (2 / 3) * (1 - Math.cos(t)) ** 2;
    return { at: low + (high - low) * along, weight: ((high - low) * speed) / n };
  });
}

/**
 * T ~ χ² of 2D degrees of freedom, by Gauss and Laguerre's rule for x^(D−1) e^(−x) at x = T/2, exact for the polynomials that are integrated: the nodes are
 * the eigenvalues of the Jacobi matrix with diagonal 2i + D and off-diagonal √(i (i + D − 1)), by bisection.
 */
function radialRule(dimension: number): Node[] {
  const below = (x: number): number => {
    let [count, pivot] = [0, 1];
    for (let i = 0; i <= modes; i++) {
      pivot = 2 * i + dimension - x - (i === 0 ? 0 : (i * (i + dimension - 1)) / pivot);
      if (pivot < 0) count++;
    }
    return count;
  };
  return Array.from({ length: modes + 1 }, (_, index) => {
    let [low, high] = [0, 4 * (modes + 1) + 4 * dimension];
    for (let halving = 0; halving < 60; halving++) {
      const middle = (low + high) / 2;
      if (below(middle) > index) high = middle;
      else low = middle;
    }
    // The weight is one over the sum of the orthonormal polynomials' squares.
    let [last, value, squares] = [0, 1, 1];
    for (let i = 0; i < modes; i++) {
      const off = (k: number): number => Math.sqrt(k * (k + dimension - 1));
      [last, value] = [value, ((low - 2 * i - dimension) * value - off(i) * last) / off(i + 1)];
      squares += value * value;
    }
    return { at: 2 * low, weight: 1 / squares };
  });
}

/** L_k^(D/2)(x), k < modes, in units in which q_1 L_k(|q|²/2) has variance 1. */
function polynomials(x: number, dimension: number): Float64Array {
  const alpha = dimension / 2;
  const values = new Float64Array(modes);
  let [last, value, square] = [0, 1, 1];
  for (let k = 0; k < modes; k++) {
    values[k] = value / Math.sqrt(square);
    [last, value] = [value, ((2 * k + 1 + alpha - x) * value - (k + alpha) * last) / (k + 1)];
    square *= (alpha + k + 1) / (k + 1);
  }
  return values;
}
