/**
 * Exact values of everything that depends on k independent importance weights, from the Laplace transform of one weight.
 *
 * With φ(t) = E_q[exp(−t w)] and S the sum of the other k − 1 weights, E[exp(−t S)] = φ(t)^(k−1), so that
 *
 *   E[log Σ_{i≤k} w_i] = ∫₀^∞ (e^{−t} − φ(t)^k) dt / t          (Frullani)
 *   E[1 / (w + S)]     = ∫₀^∞ e^{−t w} φ(t)^(k−1) dt.
 *
 * Both are one-dimensional integrals whatever k is. In u = log t their integrands are smooth and fall off exponentially on both sides,
 * where the trapezoidal rule converges faster than any power of its step.
 */

/**
 * The law of one importance weight w = p(x, z)/q(z | x) under q, as a quadrature rule: node i has log-weight `logWeights[i]` and
 * probability `probabilities[i]` under q.
 */
export interface WeightDistribution {
  /** log p(x, z_i) − log q(z_i | x) at the nodes; −∞ where p is zero. */
  readonly logWeights: Float64Array;
  /** q(z_i | x) times the volume of node i; they sum to 1. */
  readonly probabilities: Float64Array;
}

/** How finely the integral over u = log t is cut. */
export interface LaplaceTransformOptions {
  /** Step of the trapezoidal rule in u; default 1/4, where the conjugate Gaussian's L_k has 14 digits (1/2 gives 8). */
  readonly step?: number;
}

/**
 * The exact IWAE bound L_k = E[log (1/k) Σ_i w_i] of k samples.
 *
 * L_k = −log k + ∫ (exp(−e^u) − φ(e^u)^k) du.
 *
 * @throws if k is no positive integer, or the nodes' probabilities do not sum to 1 within 1e-6.
 * Source: the bound is Cremer et al. 2017, "Background"; Burda et al. 2016, eq. 8.
 */
export function exactIwae(weights: WeightDistribution, k: number, options: LaplaceTransformOptions = {}): number {
  check(weights, k);
  if (weights.logWeights.some((logWeight, i) => logWeight === Number.NEGATIVE_INFINITY && weights.probabilities[i] > 0))
    return Number.NEGATIVE_INFINITY; // all k weights are zero with positive probability
  if (k === 1) return meanLogWeight(weights);
  const { logT, logPhi, logScale, step } = laplaceTransform(weights, k, options);
  let integral = 0;
  for (let j = 0; j < logT.length; j++) integral += Math.exp(-Math.exp(logT[j])) - Math.exp(k * logPhi[j]);
  return integral * step + logScale - Math.log(k);
}

/**
 * The exact ratio q_EW(z)/q(z | x) at points with the given log-weights, q_EW being the marginal of Algorithm 1 with k samples.
 *
 * q_EW(z)/q(z | x) = k w(z) E[1/(w(z) + S_{k−1})] = k ∫ w e^{u − w e^u} φ(e^u)^{k−1} du: a function of the weight alone.
 *
 * @param logWeights log p(x, z) − log q(z | x) at the points asked for, any number of them.
 * @returns log(q_EW(z)/q(z | x)), one value a point. The ratio's absolute error is below k² e^−60, so that where it is smaller only its order is told.
 * @throws if k is no positive integer, or the nodes' probabilities do not sum to 1 within 1e-6.
 * Source: Cremer et al. 2017, "Implicit q_IW Distribution", second equation.
 */
export function exactLogTilt(
  weights: WeightDistribution,
  k: number,
  logWeights: Float64Array,
  options: LaplaceTransformOptions = {},
): Float64Array {
  check(weights, k);
  if (k === 1) return new Float64Array(logWeights.length);
  const highest = logWeights.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const { logT, logPhi, logScale, zero, step } = laplaceTransform(weights, k - 1, options, highest);
  // φ falls to the probability of a weight of zero, not to zero: that part of the integral is known, ∫ w e^{u − w e^u} du = 1.
  const rest = zero ** (k - 1);
  const power = logPhi.map((value) => Math.exp((k - 1) * value) - rest);
  return Float64Array.from(logWeights, (logWeight) => {
    const logW = Math.min(logWeight - logScale, decisive);
    if (logW === Number.NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
    // Outside these w e^{u − w e^u} is below e^−64, and so is its integral.
    const from = Math.max(0, Math.ceil((-64 - logW - logT[0]) / step));
    const to = Math.min(logT.length - 1, Math.floor((largeExponent - logW - logT[0]) / step));
    let integral = 0;
    for (let j = from; j <= to; j++) {
      const exponent = logW + logT[j];
      integral += Math.exp(exponent - Math.exp(exponent)) * power[j];
    }
    return Math.log(k * (rest + integral * step));
  });
}

/**
 * The exact ELBO of the marginal q_EW: L_VAE[q_EW] = E_{q_EW}[log p(x, z) − log q_EW(z)], which is log p(x) − KL(q_EW ‖ p(z | x)) and at least L_k.
 *
 * With r = q_EW/q it is Σ_i π_i r_i (log w_i − log r_i).
 *
 * @throws if k is no positive integer, or the nodes' probabilities do not sum to 1 within 1e-6.
 */
export function exactMarginalElbo(
  weights: WeightDistribution,
  k: number,
  options: LaplaceTransformOptions = {},
): number {
  const logTilt = exactLogTilt(weights, k, weights.logWeights, options);
  let sum = 0;
  for (let i = 0; i < logTilt.length; i++) {
    const mass = weights.probabilities[i] * Math.exp(logTilt[i]);
    if (mass > 0) sum += mass * (weights.logWeights[i] - logTilt[i]);
  }
  return sum;
}

/** log p(x) = log E_q[w], by the same nodes. */
export function exactLogEvidence(weights: WeightDistribution): number {
  check(weights, 1);
  const logScale = maximum(weights.logWeights);
  let sum = 0;
  for (let i = 0; i < weights.logWeights.length; i++)
    sum += weights.probabilities[i] * Math.exp(weights.logWeights[i] - logScale);
  return logScale + Math.log(sum);
}

/** χ²(p ‖ q) = E_q[w²]/p(x)² − 1 of the posterior to q, the constant of the bound's asymptotic gap χ²/(2k). */
export function exactChiSquare(weights: WeightDistribution): number {
  const logEvidence = exactLogEvidence(weights);
  let sum = 0;
  for (let i = 0; i < weights.logWeights.length; i++)
    sum += weights.probabilities[i] * Math.exp(2 * (weights.logWeights[i] - logEvidence));
  return sum - 1;
}

function meanLogWeight({ logWeights, probabilities }: WeightDistribution): number {
  let sum = 0;
  for (let i = 0; i < logWeights.length; i++) if (probabilities[i] > 0) sum += probabilities[i] * logWeights[i];
  return sum;
}

function check({ logWeights, probabilities }: WeightDistribution, k: number): void {
  if (!Number.isInteger(k) || k < 1) throw new RangeError(`k must be a positive integer, not ${k}.`);
  if (logWeights.length !== probabilities.length)
    throw new RangeError(
      `A weight distribution needs one probability a node: ${logWeights.length} log-weights, ${probabilities.length} probabilities.`,
    );
  let sum = 0;
  for (const probability of probabilities) sum += probability;
  if (!(Math.abs(sum - 1) < 1e-6))
    throw new RangeError(
      `The nodes' probabilities under q must sum to 1, they sum to ${sum}; widen or refine the grid.`,
    );
}

interface Transform {
  readonly logT: Float64Array;
  /** log φ(t), with w measured in units of exp(logScale). */
  readonly logPhi: Float64Array;
  readonly logScale: number;
  /** Probability of a weight of exactly 0, which φ does not fall below. */
  readonly zero: number;
  readonly step: number;
}

/** e^(−e^x) − (1 − e^x) and e^(−e^x) are below 1e-40 and 1e-175 beyond these: a node's part is then known without an exponential. */
const [tinyExponent, largeExponent] = [-46, 6];

/** Where φ^power has fallen below e^−60, an integrand's tail is too. */
const vanished = -60;

/** A weight e^60 times the evidence always wins: its ratio is k to within k² e^−60, and does not change beyond. */
const decisive = 60;

/**
 * φ on a uniform grid of u = log t, wide enough that both integrands have vanished at its ends; what the end cuts off is below power · e^−60.
 *
 * @param highest the largest log-weight that the integrands are taken at, where it may exceed those of the nodes.
 */
function laplaceTransform(
  weights: WeightDistribution,
  power: number,
  { step = 1 / 4 }: LaplaceTransformOptions,
  highest: number = Number.NEGATIVE_INFINITY,
): Transform {
  const logScale = exactLogEvidence(weights);
  const nodes: number[] = [];
  let zero = 0;
  for (let i = 0; i < weights.logWeights.length; i++) {
    if (weights.probabilities[i] < 1e-20) continue;
    if (weights.logWeights[i] === Number.NEGATIVE_INFINITY) zero += weights.probabilities[i];
    else nodes.push(i);
  }
  // In ascending order, the nodes whose exponential is needed at one u lie between two that only move down as u grows.
  nodes.sort((i, j) => weights.logWeights[i] - weights.logWeights[j]);
  const logW = Float64Array.from(nodes, (i) => weights.logWeights[i] - logScale);
  const probability = Float64Array.from(nodes, (i) => weights.probabilities[i]);
  const below = new Float64Array(nodes.length + 1); // probability of the nodes before
  for (let i = 0; i < nodes.length; i++) below[i + 1] = below[i] + probability[i];
  // Below −40 the integrands are of order e^u; above, φ's support ends where t w > 40 for the smallest weight.
  const low = -40 - Math.max(0, logW[nodes.length - 1], Math.min(highest - logScale, decisive));
  const high = largeExponent - Math.min(0, logW[0]);
  const size = Math.ceil((high - low) / step) + 1;
  const logT: number[] = [];
  const logPhi: number[] = [];
  let [from, to] = [nodes.length, nodes.length];
  for (let j = 0; j < size; j++) {
    const u = low + j * step;
    while (from > 0 && logW[from - 1] + u > tinyExponent) from--;
    while (to > 0 && logW[to - 1] + u > largeExponent) to--;
    // 1 − φ by expm1, so that φ^k keeps its digits where φ is near 1; Σ π exp(−t w) itself where φ is small.
    let complement = below[nodes.length] - below[to];
    for (let i = from; i < to; i++) complement -= probability[i] * Math.expm1(-Math.exp(logW[i] + u));
    if (complement < 0.5) logPhi.push(Math.log1p(-complement));
    else {
      let phi = below[from] + zero;
      for (let i = from; i < to; i++) phi += probability[i] * Math.exp(-Math.exp(logW[i] + u));
      logPhi.push(Math.log(phi));
    }
    logT.push(u);
    if (u > largeExponent && power * logPhi[j] < vanished) break;
  }
  return { logT: Float64Array.from(logT), logPhi: Float64Array.from(logPhi), logScale, zero, step };
}

function maximum(values: Float64Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > most) most = value;
  if (most === Number.NEGATIVE_INFINITY)
    throw new RangeError("Every importance weight is zero: p(x, z) vanishes wherever q has mass.");
  return most;
}
