import { beforeAll, describe, expect, it } from "vitest";
import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import type { Parameters } from "../../src/engine/parameters.js";
import type { GradientCheck } from "../../src/gradients/check.js";
import { estimators } from "../../src/gradients/estimators.js";
import { dataCase, evidence, factorBaselineCase } from "./baselineCase.js";
import {
  antitheticMean,
  gumbelSoftmaxMean,
  pathDerivativeMean,
  quasiMonteCarloMean,
  sameDrawsMean,
  straightThroughMean,
  uiviCase,
} from "./biasedMeans.js";
import { numbersOf } from "./discreteCases.js";
import { gaussianFactors } from "./factorCases.js";
import { gammaCase } from "./gammaCase.js";
import { bitHierarchy, gaussianHierarchy } from "./hierarchyCases.js";
import { logisticCase } from "./logisticCase.js";
import { type Case, chainCase, checked, expectUnbiased, gaussianCase, iwaeGaussianCase } from "./support.js";

/** What holds an estimator to its declaration under one bound: a problem with an exact gradient there. */
interface Check {
  /** With the exact gradient of the bound of that many samples. */
  readonly given: () => Case<Parameters, Parameters, unknown>;
  readonly samples: number;
  readonly replicates: number;
  /** Of a biased estimator, its exact mean. */
  readonly mean?: () => Parameters;
}

const bits: Check = { given: () => chainCase(2, elbo, 1), samples: 16, replicates: 400 };
const weighedBits: Check = { given: () => chainCase(2, iwae, 4), samples: 4, replicates: 1500 };
const oneBit = { given: () => chainCase(1, elbo, 1), samples: 16, replicates: 600 };
const gaussian: Check = { given: () => gaussianCase(2), samples: 16, replicates: 300 };
const weighedGaussian: Check = { given: () => iwaeGaussianCase(2, 4), samples: 4, replicates: 4000 };
const weighedPair = { given: () => iwaeGaussianCase(1, 2), samples: 2, replicates: 8000 };
const hierarchy: Check = { given: () => bitHierarchy("Gaussian"), samples: 16, replicates: 600 };
const weighedHierarchy: Check = { given: () => bitHierarchy("Gaussian", iwae, 2), samples: 2, replicates: 3000 };
const gammas: Check = { given: () => gammaCase([0.6, 3]), samples: 16, replicates: 400 };

/** By estimator × bound, as the table has them. */
const checks: Readonly<Record<string, Check>> = {
  "scoreFunction × ELBO": bits,
  "scoreFunction × IWAE": { ...weighedBits, replicates: 6500 },
  "scoreFunction (with −1) × ELBO": bits,
  "scoreFunction (with −1) × IWAE": { ...weighedBits, replicates: 6500 },
  "scoreFunction (without −1) × ELBO": bits,
  "scoreFunction (leave-one-out) × ELBO": bits,
  "scoreFunction (leave-one-out) × IWAE": weighedBits,
  "scoreFunction (VIMCO) × ELBO": bits,
  "scoreFunction (VIMCO) × IWAE": weighedBits,
  "learnedBaseline × ELBO": { given: () => dataCase(elbo, 4, evidence).given, samples: 4, replicates: 1500 },
  "learnedBaseline × IWAE": { given: () => dataCase(iwae, 2, evidence).given, samples: 2, replicates: 3000 },
  "learnedBaseline (raoBlackwell) × ELBO": { given: () => factorBaselineCase(2), samples: 16, replicates: 400 },
  "raoBlackwell × ELBO": bits,
  "overdispersed (τ = 1, 2) × ELBO": { ...gaussian, replicates: 1500 },
  "overdispersedFactors (τ = 1, 3) × ELBO": { given: () => gaussianFactors(2), samples: 16, replicates: 3500 },
  "scoreControlVariate (scoreFunction, heldOut) × ELBO": { ...bits, samples: 6, replicates: 600 },
  "scoreControlVariate (scoreFunction, same) × ELBO": {
    ...oneBit,
    samples: 3,
    replicates: 2000,
    mean: () => sameDrawsMean(oneBit.given(), 3),
  },
  "scoreControlVariate (raoBlackwell, heldOut) × ELBO": { ...bits, samples: 6, replicates: 600 },
  "arm × ELBO": bits,
  "rebar × ELBO": bits,
  "rebar (leave-one-out scale) × ELBO": bits,
  "gumbelSoftmax × ELBO": { ...oneBit, mean: () => gumbelSoftmaxMean(oneBit.given(), 0.5) },
  "straightThrough × ELBO": { ...oneBit, mean: () => straightThroughMean(oneBit.given(), 0.5) },
  "enumeration × ELBO": { ...bits, samples: 1, replicates: 30 },
  "reparameterised × ELBO": gaussian,
  "reparameterised × IWAE": weighedGaussian,
  "generalisedReparameterised × ELBO": gammas,
  "rejectionReparameterised × ELBO": gammas,
  "antithetic (reparameterised) × ELBO": { given: () => logisticCase(2), samples: 16, replicates: 300 },
  "antithetic (taylorControlVariate) × ELBO": { given: () => logisticCase(2), samples: 16, replicates: 300 },
  "antithetic (reparameterised) × IWAE": { ...weighedPair, mean: () => antitheticMean(weighedPair.given()) },
  "quasiMonteCarlo (reparameterised) × ELBO": { given: () => logisticCase(2), samples: 16, replicates: 300 },
  "quasiMonteCarlo (taylorControlVariate) × ELBO": { given: () => logisticCase(2), samples: 16, replicates: 300 },
  "quasiMonteCarlo (reparameterised) × IWAE": { ...weighedPair, mean: () => quasiMonteCarloMean(weighedPair.given()) },
  "taylorControlVariate × ELBO": { given: () => logisticCase(2), samples: 16, replicates: 300 },
  "taylorControlVariate (secant) × ELBO": { given: () => logisticCase(2), samples: 16, replicates: 300 },
  "pathDerivative × ELBO": gaussian,
  "pathDerivative × IWAE": { ...weighedPair, mean: () => pathDerivativeMean(weighedPair.given()) },
  "doublyReparameterised × ELBO": gaussian,
  "doublyReparameterised × IWAE": weighedGaussian,
  "hierarchicalScoreFunction × ELBO": { ...hierarchy, given: () => bitHierarchy("mixture") },
  "hierarchicalScoreFunction × IWAE": weighedHierarchy,
  "hierarchicalScoreFunction along ψ × ELBO": hierarchy,
  "hierarchicalScoreFunction along ψ × IWAE": weighedHierarchy,
  "iwhviDoublyReparameterised × ELBO": { given: () => gaussianHierarchy(elbo, 1, 1), samples: 16, replicates: 400 },
  "iwhviDoublyReparameterised × IWAE": { given: () => gaussianHierarchy(iwae, 2, 1), samples: 2, replicates: 3000 },
  "uivi × ELBO": { given: uiviCase, samples: 16, replicates: 400, mean: () => uiviCase().mean },
};

const rows = estimators.flatMap((estimator) =>
  [elbo, iwae].flatMap((bound: Bound) => {
    const { verdict } = estimator.standing(bound);
    return verdict === "refused" ? [] : [{ row: `${estimator.name} × ${bound.name}`, estimator, bound, verdict }];
  }),
);

/** Noise must be small against the gradient for a mean within its standard errors to mean something: at most a tenth of the norm of its record. */
function expectPrecise({ components }: GradientCheck, says: string): void {
  for (const record of ["theta", "phi"]) {
    const own = components.filter(({ name }) => name.startsWith(record));
    const norm = Math.hypot(...own.map(({ exact }) => exact));
    for (const { name, standardError } of own) expect(standardError, `${name}: ${says}`).toBeLessThan(norm / 10);
  }
}

beforeAll(async () => void (await ready()));

describe("every estimator under every bound", () => {
  it("has a case here, and none is left over", () => {
    expect(Object.keys(checks).sort()).toEqual(rows.map(({ row }) => row).sort());
  });

  it.each(rows.map((row) => [row.row, row.verdict, row] as const))(
    "%s is %s",
    async (row, verdict, { estimator, bound }) => {
      const check = checks[row];
      if (!check) throw new Error(`${row} declares itself ${verdict}; give it a case with an exact gradient here.`);
      const { samples, replicates } = check;
      const report = await checked(estimator, check.given(), { bound, samples, replicates, seed: 11 });
      expectPrecise(report, String(report));
      if (verdict === "unbiased") {
        expectUnbiased(report);
        return;
      }
      expect(report.verdict, String(report)).toBe("biased");
      const mean = numbersOf(check.mean!());
      expect(mean).toHaveLength(report.components.length);
      report.components.forEach((component, i) => {
        const off = Math.abs(component.mean - mean[i]!) / component.standardError;
        expect(off, `${component.name} has the mean ${mean[i]}\n${report}`).toBeLessThan(4);
      });
    },
  );
});
