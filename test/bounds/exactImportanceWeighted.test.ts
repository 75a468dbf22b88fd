import { describe, expect, it } from "vitest";
import {
  exactChiSquare,
  exactIwae,
  exactLogEvidence,
  exactLogTilt,
  exactMarginalElbo,
  type WeightDistribution,
} from "../../src/bounds/exactImportanceWeighted.js";

/** z ~ N(0, 1), x | z ~ N(z, 1), x = 2, q = prior: p(x) = N(2; 0, 2). */
function conjugate(nodes = 2001): WeightDistribution {
  const step = 28 / (nodes - 1);
  const logWeights = new Float64Array(nodes);
  const probabilities = new Float64Array(nodes);
  for (let i = 0; i < nodes; i++) {
    const z = -14 + i * step;
    probabilities[i] = (step * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
    logWeights[i] = -0.5 * (2 - z) ** 2 - 0.5 * Math.log(2 * Math.PI);
  }
  return { logWeights, probabilities };
}

/** A weight that takes finitely many values: every expectation is a sum over k-tuples. */
const discrete: WeightDistribution = {
  logWeights: Float64Array.from([0.2, 1.5, 4], Math.log),
  probabilities: Float64Array.of(0.5, 0.3, 0.2),
};

/** E over all k-tuples of the discrete weight, by enumeration. */
function enumerate(k: number, value: (weights: number[]) => number): number {
  const { logWeights, probabilities } = discrete;
  let sum = 0;
  for (let code = 0; code < 3 ** k; code++) {
    const weights: number[] = [];
    let probability = 1;
    for (let rest = code, i = 0; i < k; i++, rest = Math.floor(rest / 3)) {
      weights.push(Math.exp(logWeights[rest % 3]));
      probability *= probabilities[rest % 3];
    }
    sum += probability * value(weights);
  }
  return sum;
}

const total = (weights: number[]) => weights.reduce((sum, weight) => sum + weight, 0);

describe("exactIwae", () => {
  it.each([1, 2, 3, 6])("equals enumeration of a three-valued weight at k = %i", (k) => {
    const truth = enumerate(k, (weights) => Math.log(total(weights) / k));
    expect(exactIwae(discrete, k)).toBeCloseTo(truth, 12);
  });

  it("gives the closed forms of the conjugate Gaussian", () => {
    const weights = conjugate();
    const logEvidence = -0.5 * Math.log(4 * Math.PI) - 1;
    expect(exactLogEvidence(weights)).toBeCloseTo(logEvidence, 12);
    // ELBO under the prior: −½ log 2π − ½ E(2 − z)² = −½ log 2π − 5/2
    expect(exactIwae(weights, 1)).toBeCloseTo(-0.5 * Math.log(2 * Math.PI) - 2.5, 12);
    // E w² = N(2; 0, 3/2) / sqrt(4π) by completing the square
    const secondMoment = Math.exp(-4 / 3) / Math.sqrt(3 * Math.PI) / Math.sqrt(4 * Math.PI);
    expect(exactChiSquare(weights)).toBeCloseTo(secondMoment / Math.exp(2 * logEvidence) - 1, 12);
  });

  it("rises with k, stays under log p and meets the asymptote χ²/(2k)", () => {
    const weights = conjugate();
    const logEvidence = exactLogEvidence(weights);
    const ks = [1, 2, 5, 10, 50, 20_000];
    const bounds = ks.map((k) => exactIwae(weights, k));
    for (let i = 1; i < ks.length; i++) expect(bounds[i]).toBeGreaterThan(bounds[i - 1]);
    expect(bounds.at(-1)).toBeLessThan(logEvidence);
    const ratio = (i: number) => ((logEvidence - bounds[i]) * 2 * ks[i]) / exactChiSquare(weights);
    expect(ratio(1)).toBeCloseTo(1.577, 3);
    expect(ratio(4)).toBeCloseTo(1.021, 3);
    expect(Math.abs(ratio(5) - 1)).toBeLessThan(2 / ks[5]); // the next term of the gap is of order 1/k²
  });
});

describe("weights that range over hundreds of orders of magnitude", () => {
  // A proposal far wider than a sharp posterior: half of its weights are practically zero.
  const sharp: WeightDistribution = { logWeights: Float64Array.of(0, -2000), probabilities: Float64Array.of(0.5, 0.5) };
  const binomial = (n: number): number[] => {
    const row = [0.5 ** n];
    for (let j = 1; j <= n; j++) row.push((row[j - 1] * (n - j + 1)) / j);
    return row;
  };

  it.each([1, 2, 10, 100])("gives the bound as a sum over how many of the weights are large, k = %i", (k) => {
    const truth = binomial(k).reduce((sum, p, j) => sum + p * (j === 0 ? -2000 : Math.log(j / k)), 0);
    expect(exactIwae(sharp, k)).toBeCloseTo(truth, 10);
  });

  it.each([2, 10, 100])("gives q_EW / q as the mean of k / (1 + others), k = %i", (k) => {
    const truth = binomial(k - 1).reduce((sum, p, j) => sum + (p * k) / (1 + j), 0);
    const [large, small] = exactLogTilt(sharp, k, sharp.logWeights);
    expect(Math.exp(large)).toBeCloseTo(truth, 12);
    // The small weight wins only where all are small, and then with probability 1/k.
    expect(Math.exp(small)).toBeCloseTo(0.5 ** (k - 1), 12);
  });
});

describe("exactLogTilt", () => {
  it.each([1, 2, 4])("equals enumeration at k = %i", (k) => {
    const tilt = exactLogTilt(discrete, k, discrete.logWeights);
    for (let i = 0; i < 3; i++) {
      const w = Math.exp(discrete.logWeights[i]);
      const truth = enumerate(k - 1, (others) => (k * w) / (w + total(others)));
      expect(Math.exp(tilt[i])).toBeCloseTo(truth, 12);
    }
  });

  it("makes q_EW integrate to one for every k", () => {
    const weights = conjugate();
    for (const k of [1, 2, 10, 100]) {
      const tilt = exactLogTilt(weights, k, weights.logWeights);
      const mass = weights.probabilities.reduce((sum, probability, i) => sum + probability * Math.exp(tilt[i]), 0);
      expect(mass).toBeCloseTo(1, 12);
    }
  });

  it("tends to the posterior over q as k grows, and is zero where p is", () => {
    const weights = conjugate();
    const logEvidence = exactLogEvidence(weights);
    const tilt = exactLogTilt(
      weights,
      20000,
      Float64Array.of(logEvidence, logEvidence + 0.5, Number.NEGATIVE_INFINITY),
    );
    expect(tilt[0]).toBeCloseTo(0, 3);
    expect(tilt[1]).toBeCloseTo(0.5, 3);
    expect(tilt[2]).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe("exactMarginalElbo", () => {
  it.each([2, 3])("equals enumeration at k = %i", (k) => {
    const truth = enumerate(k, (weights) => {
      const ratio = (w: number) => enumerate(k - 1, (others) => (k * w) / (w + total(others)));
      return weights.reduce((sum, w) => sum + (w / total(weights)) * Math.log(w / ratio(w)), 0);
    });
    expect(exactMarginalElbo(discrete, k)).toBeCloseTo(truth, 11);
  });

  it("lies between L_k and log p, equal to L_1 at k = 1", () => {
    const weights = conjugate();
    expect(exactMarginalElbo(weights, 1)).toBeCloseTo(exactIwae(weights, 1), 12);
    expect(exactMarginalElbo(weights, 2)).toBeCloseTo(-2.590961, 6);
    for (const k of [2, 5, 20]) {
      expect(exactMarginalElbo(weights, k)).toBeGreaterThan(exactIwae(weights, k));
      expect(exactMarginalElbo(weights, k)).toBeLessThan(exactLogEvidence(weights));
    }
  });
});

describe("weights that vanish with positive probability", () => {
  const half: WeightDistribution = {
    logWeights: Float64Array.of(Number.NEGATIVE_INFINITY, 0),
    probabilities: Float64Array.of(0.5, 0.5),
  };

  it("makes the bound −∞ (all k weights may be zero) but not the tilt", () => {
    expect(exactIwae(half, 3)).toBe(Number.NEGATIVE_INFINITY);
    // w = 1, S ~ Binomial(1, ½) at k = 2: 2 (½ · 1 + ½ · ½) = 3/2
    expect(Math.exp(exactLogTilt(half, 2, Float64Array.of(0))[0])).toBeCloseTo(1.5, 12);
  });
});

describe("points with weights beyond those of the nodes", () => {
  const half: WeightDistribution = {
    logWeights: Float64Array.of(Number.NEGATIVE_INFINITY, 0),
    probabilities: Float64Array.of(0.5, 0.5),
  };
  const asked = Float64Array.of(-800, -20, -3, 30, 60, 800);

  it.each([2, 3])("are resampled as k w E[1/(w + S)] says, k = %i", (k) => {
    exactLogTilt(discrete, k, asked).forEach((tilt, i) => {
      const truth = enumerate(k - 1, (others) => k / (1 + total(others) * Math.exp(-asked[i])));
      expect(Math.exp(tilt)).toBeCloseTo(truth, 12);
    });
  });

  it("are so too beside weights of zero, where a small weight wins if all others vanish", () => {
    exactLogTilt(half, 2, asked).forEach((tilt, i) => {
      // S is 0 or 1, each with probability ½: 2 (½ + ½ w/(w + 1))
      expect(Math.exp(tilt)).toBeCloseTo(1 + 1 / (1 + Math.exp(-asked[i])), 12);
    });
  });
});

describe("bad input", () => {
  it("is refused in a sentence", () => {
    expect(() => exactIwae(discrete, 0)).toThrow(/positive integer/);
    expect(() => exactIwae({ ...discrete, probabilities: Float64Array.of(0.5, 0.3, 0.1) }, 2)).toThrow(/sum to 1/);
    expect(() => exactIwae({ ...discrete, probabilities: Float64Array.of(1) }, 2)).toThrow(/one probability a node/);
    expect(() =>
      exactLogEvidence({ logWeights: Float64Array.of(Number.NEGATIVE_INFINITY), probabilities: Float64Array.of(1) }),
    ).toThrow(/Every importance weight is zero/);
  });
});
