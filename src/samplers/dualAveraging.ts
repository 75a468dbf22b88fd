/** Nesterov's dual averaging of the logarithm of a step size: what it remembers. */
export interface DualAveraging {
  /** ε_t, to use in the next transition. */
  readonly stepSize: number;
  /** ε̄_t, the average that a run keeps when adaptation ends. */
  readonly averaged: number;
  /** t, updates so far. */
  readonly count: number;
  /** μ = log 10 ε_1, what early steps are drawn towards: larger steps are cheaper to try. */
  readonly anchor: number;
  /** H̄_t, the running mean of target − acceptance. */
  readonly shortfall: number;
}

const [gamma, delay, kappa] = [0.05, 10, 0.75];

/** Dual averaging that starts at a step size. */
export function dualAveraging(stepSize: number): DualAveraging {
  return { stepSize, averaged: 1, count: 0, anchor: Math.log(10 * stepSize), shortfall: 0 };
}

/**
 * One update: `H̄_t = (1 − 1/(t + t₀)) H̄_{t−1} + (δ − α)/(t + t₀)`, `log ε_{t+1} = μ − √t/γ H̄_t`, `log ε̄_t = t^−κ log ε_{t+1} + (1 − t^−κ) log ε̄_{t−1}`, with
 * γ = .05, t₀ = 10, κ = .75.
 *
 * @param acceptance α, the last transition's acceptance probability, averaged over chains.
 * @param target δ.
 * Source: Hoffman & Gelman 2014, "The No-U-Turn sampler", equation 6 and algorithm 5.
 */
export function updatedDualAveraging(state: DualAveraging, acceptance: number, target: number): DualAveraging {
  const count = state.count + 1;
  const weight = 1 / (count + delay);
  const shortfall = (1 - weight) * state.shortfall + weight * (target - acceptance);
  const logStep = state.anchor - (Math.sqrt(count) / gamma) * shortfall;
  const forget = count ** -kappa;
  const averaged = Math.exp(forget * logStep + (1 - forget) * Math.log(state.averaged));
  return { ...state, stepSize: Math.exp(logStep), averaged, count, shortfall };
}
