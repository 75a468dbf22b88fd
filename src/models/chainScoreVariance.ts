import type { ChainNumbers } from "./bernoulliChain.js";

/** Options of {@link exactChainScoreVariance}. */
export interface ChainScoreOptions {
  /** K ≥ 1, or ≥ 2 with `leaveOneOut`. */
  readonly samples: number;
  /** Whether a logit's score meets the terms of its own Markov blanket alone. Default false. */
  readonly raoBlackwell?: boolean;
  /** Whether the mean of the other draws' signals is taken off. Default false. */
  readonly leaveOneOut?: boolean;
  /** Whether −1 stands beside the signal, as in Chaney 2015. Default false. */
  readonly minusOne?: boolean;
}

/**
 * The exact variance of the score-function gradient of a `bernoulliChain`'s ELBO, one number for each logit, for any N and K.
 *
 * With h = z_n − μ_n, ∂ log q/∂l_n, and S the signal of one draw (log p − log q, or its terms in the Markov blanket of z_n) it is (E[S²h²] − E[Sh]²)/K; with the mean of the
 * other draws taken off, where the estimate is the sample covariance of S and h,
 *
 * μ_22/K − (K − 2) μ_11²/(K(K − 1)) + μ_20 μ_02/(K(K − 1)), with the central moments μ_ij of (S, h).
 *
 * The moments come of one pass along the chain a logit, so that the cost is N².
 *
 * @throws Error if K is no positive integer, or 1 with `leaveOneOut`, or if bias, coupling and logits are not of one length.
 */
export function exactChainScoreVariance(chain: ChainNumbers, options: ChainScoreOptions): Float64Array {
  const { samples: K, raoBlackwell = false, leaveOneOut = false, minusOne = false } = options;
  const least = leaveOneOut ? 2 : 1;
  if (!Number.isInteger(K) || K < least)
    throw new Error(
      `exactChainScoreVariance: the number of samples K must be an integer of at least ${least}, not ${K}.`,
    );
  const { bias, coupling, logits } = chain;
  if (bias.length !== logits.length || coupling.length !== logits.length)
    throw new Error(
      `exactChainScoreVariance: bias, coupling and logits must be of one length, not ${bias.length}, ${coupling.length} and ${logits.length}.`,
    );
  return Float64Array.from(logits, (_, n) => {
    const signal = signalOf(chain, raoBlackwell ? n : undefined);
    const moments = (power: number): readonly number[] => chainMoments(chain, signal, n, power);
    const [[, mean, square], [, cross], [own, slanted, full]] = [moments(0), moments(1), moments(2)];
    if (!leaveOneOut) {
      const second = minusOne ? full - 2 * slanted + own : full;
      return (second - cross ** 2) / K;
    }
    const [mu22, mu12] = [full - 2 * mean * slanted + mean ** 2 * own, slanted - mean * own];
    const covariance = mu22 / K + ((square - mean ** 2) * own - (K - 2) * cross ** 2) / (K * (K - 1));
    return minusOne ? covariance + (own - 2 * mu12) / K : covariance;
  });
}

/** S = Σ_m unary(m, z_m) + Σ_m pair(m) z_m z_{m+1}. */
interface Signal {
  unary(m: number, bit: number): number;
  pair(m: number): number;
}

/** The signal of a whole draw, or of the blanket of one site. */
function signalOf({ bias, coupling, logits }: ChainNumbers, site: number | undefined): Signal {
  const within = (m: number): boolean => site === undefined || m === site;
  const logQ = (m: number, bit: number): number => bit * logits[m] - Math.log1p(Math.exp(logits[m]));
  return {
    unary: (m, bit) => (within(m) ? bit * bias[m] - logQ(m, bit) : 0),
    pair: (m) => (within(m) || within(m + 1) ? coupling[m] : 0),
  };
}

/** E[h^power S^j] for j = 0, 1, 2, with h = z_site − μ_site. */
function chainMoments(
  { logits }: ChainNumbers,
  { unary, pair }: Signal,
  site: number,
  power: number,
): readonly number[] {
  type Moments = readonly [number, number, number];
  const add = ([m0, m1, m2]: Moments, c: number, weight: number): Moments => [
    weight * m0,
    weight * (m1 + c * m0),
    weight * (m2 + 2 * c * m1 + c * c * m0),
  ];
  const sum = ([a, b, c]: Moments, [d, e, f]: Moments): Moments => [a + d, b + e, c + f];
  /** q(z_m = bit) h^power, h where m is the site. */
  const weight = (m: number, bit: number): number => {
    const mean = 1 / (1 + Math.exp(-logits[m]));
    return (bit === 1 ? mean : 1 - mean) * (m === site ? (bit - mean) ** power : 1);
  };
  // Moments over the sites so far, apart by the last one's bit.
  let states: readonly Moments[] = [0, 1].map((bit) => add([1, 0, 0], unary(0, bit), weight(0, bit)));
  for (let m = 1; m < logits.length; m++) {
    states = [0, 1].map((bit) => {
      const [off, on] = states.map((before, last) =>
        add(before, pair(m - 1) * last * bit + unary(m, bit), weight(m, bit)),
      );
      return sum(off, on);
    });
  }
  const [off, on] = states;
  return sum(off, add(on, pair(logits.length - 1), 1)); // the last couples to a neighbour held at 1
}
