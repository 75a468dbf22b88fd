import { describe, expect, it } from "vitest";
import { chainWeightDistribution, exactChainElbo } from "../../src/models/bernoulliChain.js";
import { type ChainScoreOptions, exactChainScoreVariance } from "../../src/models/chainScoreVariance.js";

const chain = { bias: [0.4, -0.7, 0.2], coupling: [1.1, -0.6, 0.5], logits: [0.3, -1, 0.8] };
const means = chain.logits.map((l) => 1 / (1 + Math.exp(-l)));
const law = chainWeightDistribution(chain);
const bit = (state: number, n: number): number => (n === 3 ? 1 : n < 0 ? 0 : (state >> n) & 1);

/** The signal of site n at a state. */
function signal(state: number, n: number, blanket: boolean): number {
  if (!blanket) return law.logWeights[state];
  const z = bit(state, n);
  const left = n === 0 ? 0 : chain.coupling[n - 1] * bit(state, n - 1) * z;
  const logQ = z * chain.logits[n] - Math.log1p(Math.exp(chain.logits[n]));
  return z * (chain.bias[n] + chain.coupling[n] * bit(state, n + 1)) + left - logQ;
}

/** Mean and variance of the estimate of site n, over all 8^K sets of draws. */
function enumerated(n: number, options: ChainScoreOptions): { mean: number; variance: number } {
  const { samples: K, raoBlackwell = false, leaveOneOut = false, minusOne = false } = options;
  let [first, second] = [0, 0];
  for (let index = 0; index < 8 ** K; index++) {
    const draws = Array.from({ length: K }, (_, k) => Math.floor(index / 8 ** k) % 8);
    const probability = draws.reduce((product, state) => product * law.probabilities[state], 1);
    const signals = draws.map((state) => signal(state, n, raoBlackwell));
    const total = signals.reduce((sum, s) => sum + s, 0);
    const estimate = draws.reduce((sum, state, k) => {
      const baseline = leaveOneOut ? (total - signals[k]) / (K - 1) : 0;
      return sum + ((signals[k] - baseline - (minusOne ? 1 : 0)) * (bit(state, n) - means[n])) / K;
    }, 0);
    first += probability * estimate;
    second += probability * estimate ** 2;
  }
  return { mean: first, variance: second - first ** 2 };
}

describe("exactChainScoreVariance", () => {
  const choices = [false, true].flatMap((raoBlackwell) =>
    [false, true].flatMap((leaveOneOut) =>
      [false, true].flatMap((minusOne) =>
        (leaveOneOut ? [2, 3, 4] : [1, 3]).map((samples) => ({ raoBlackwell, leaveOneOut, minusOne, samples })),
      ),
    ),
  );
  it.each(choices)("is what enumeration of all draws gives: %o", (options) => {
    exactChainScoreVariance(chain, options).forEach((variance, n) => {
      expect(variance).toBeCloseTo(enumerated(n, options).variance, 10);
    });
  });

  it("belongs to an unbiased estimate", () => {
    const h = 1e-5;
    chain.logits.forEach((l, n) => {
      const at = (step: number) =>
        exactChainElbo({ ...chain, logits: chain.logits.map((own, m) => (m === n ? l + step : own)) });
      const slope = (at(h) - at(-h)) / (2 * h);
      for (const raoBlackwell of [false, true])
        expect(enumerated(n, { samples: 2, raoBlackwell }).mean).toBeCloseTo(slope, 8);
    });
  });

  it("does not grow with N in a blanket, grows as N with the mean taken off, and as N² without", () => {
    const uniform = (sites: number) => ({
      bias: Array<number>(sites).fill(0.4),
      coupling: Array<number>(sites).fill(0.9),
      logits: Array<number>(sites).fill(-0.6),
    });
    const growth = (options: Partial<ChainScoreOptions>) => {
      const [few, many] = [100, 400].map(
        (sites) => exactChainScoreVariance(uniform(sites), { samples: 2, ...options })[50],
      );
      return Math.log(many / few) / Math.log(4);
    };
    expect(growth({ raoBlackwell: true })).toBeCloseTo(0, 10);
    expect(growth({ leaveOneOut: true })).toBeCloseTo(1, 1);
    expect(growth({})).toBeCloseTo(2, 1);
  });

  it("refuses too few samples and lists of different lengths", () => {
    expect(() => exactChainScoreVariance(chain, { samples: 0 })).toThrow("an integer of at least 1, not 0");
    expect(() => exactChainScoreVariance(chain, { samples: 1, leaveOneOut: true })).toThrow("at least 2, not 1");
    expect(() => exactChainScoreVariance({ ...chain, bias: [1] }, { samples: 2 })).toThrow("not 1, 3 and 3");
  });
});
