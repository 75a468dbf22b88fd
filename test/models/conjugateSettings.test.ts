import { describe, expect, it } from "vitest";
import { bayesianLinearRegression } from "../../src/models/bayesianLinearRegression.js";
import { categoricalEmissions } from "../../src/models/categoricalEmissions.js";
import type { NaturalParameters } from "../../src/models/conjugateModel.js";
import { gaussianEmissions } from "../../src/models/gaussianEmissions.js";
import { gaussianMean } from "../../src/models/gaussianMean.js";
import { gaussianMixture } from "../../src/models/gaussianMixture.js";
import { hiddenMarkovModel } from "../../src/models/hiddenMarkovModel.js";
import { latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { matrixFactorisation } from "../../src/models/matrixFactorisation.js";
import { poissonFactorisation } from "../../src/models/poissonFactorisation.js";

type Described = {
  readonly name: string;
  readonly prior: NaturalParameters;
  readonly settings: Readonly<Record<string, string | number>>;
};
/** What a checkpoint tells models by. */
const described = ({ name, prior, settings }: Described): string =>
  JSON.stringify([name, settings, Object.entries(prior).map(([of, values]) => [of, Array.from(values)])]);

const normalWishart = {
  mean: Float64Array.of(0, 1),
  meanPrecision: 0.3,
  inverseScale: Float64Array.of(1, 0, 0, 1),
  degrees: 4,
};
const aside = { ...normalWishart, mean: Float64Array.of(0, 2) };
const gamma = { shape: 2, rate: 3 };
const lda = { topics: 2, vocabulary: 5, alpha: 0.2, eta: 0.1 };
const poisson = { components: 2, items: 3, users: gamma, itemPrior: gamma };
const factors = { rank: 2, items: 3, itemPrecision: 1, noise: gamma };
const gaussian = { mean: Float64Array.of(0), precision: Float64Array.of(1) };
const regression = { mean: Float64Array.of(0), precision: Float64Array.of(1), shape: 1, rate: 1 };
const chain = (
  of: { prior?: typeof normalWishart; stickiness?: number; transition?: number; initial?: number } = {},
) => {
  const { prior = normalWishart, ...rest } = of;
  return hiddenMarkovModel({ emissions: gaussianEmissions({ states: 2, prior }), ...rest });
};
const symbols = (concentration: number, states = 2) =>
  hiddenMarkovModel({ emissions: categoricalEmissions({ states, symbols: 3, concentration }) });
const mixture = (of: { components?: number; concentration?: number; prior?: typeof normalWishart } = {}) =>
  gaussianMixture({ components: 2, concentration: 1, prior: normalWishart, ...of });

describe("a conjugate model's settings, name and prior", () => {
  it.each<[string, Described, readonly Described[]]>([
    [
      "LDA",
      latentDirichletAllocation(lda),
      [{ topics: 3 }, { vocabulary: 6 }, { alpha: 5 }, { eta: 0.2 }, { tolerance: 1e-4 }, { maxUpdates: 9 }].map((of) =>
        latentDirichletAllocation({ ...lda, ...of }),
      ),
    ],
    [
      "Poisson factorisation",
      poissonFactorisation(poisson),
      [
        { components: 3 },
        { items: 4 },
        { users: { shape: 2.5, rate: 3 } },
        { users: { shape: 2, rate: 3.5 } },
        { itemPrior: { shape: 2.5, rate: 3 } },
        { itemPrior: { shape: 2, rate: 3.5 } },
        { tolerance: 1e-4 },
        { maxUpdates: 9 },
      ].map((of) => poissonFactorisation({ ...poisson, ...of })),
    ],
    [
      "matrix factorisation",
      matrixFactorisation(factors),
      [
        { rank: 3 },
        { items: 4 },
        { userPrecision: 2 },
        { itemPrecision: 2 },
        { noise: { shape: 2.5, rate: 3 } },
        { noise: { shape: 2, rate: 3.5 } },
      ].map((of) => matrixFactorisation({ ...factors, ...of })),
    ],
    [
      "a Gaussian mean",
      gaussianMean({ prior: gaussian, noiseVariance: 1 }),
      [
        gaussianMean({ prior: gaussian, noiseVariance: 2 }),
        gaussianMean({ prior: { ...gaussian, mean: Float64Array.of(1) }, noiseVariance: 1 }),
        gaussianMean({ prior: { ...gaussian, precision: Float64Array.of(2) }, noiseVariance: 1 }),
      ],
    ],
    [
      "linear regression",
      bayesianLinearRegression({ prior: regression }),
      [{ mean: Float64Array.of(1) }, { precision: Float64Array.of(2) }, { shape: 2 }, { rate: 2 }].map((of) =>
        bayesianLinearRegression({ prior: { ...regression, ...of } }),
      ),
    ],
    [
      "a mixture",
      mixture(),
      [
        mixture({ components: 3 }),
        mixture({ concentration: 2 }),
        mixture({ prior: aside }),
        mixture({ prior: { ...normalWishart, meanPrecision: 0.4 } }),
        mixture({ prior: { ...normalWishart, degrees: 5 } }),
      ],
    ],
    [
      "a hidden Markov model, Gaussian",
      chain(),
      [chain({ prior: aside }), chain({ stickiness: 1 }), chain({ transition: 2 }), chain({ initial: 2 }), symbols(1)],
    ],
    ["a hidden Markov model, symbols", symbols(1), [symbols(2), symbols(1, 3)]],
  ])("tell %s from another with any option changed", (_, model, others) => {
    const all = [model, ...others].map(described);
    expect(new Set(all).size).toBe(all.length);
  });
});
