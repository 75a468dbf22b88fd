import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { leaveOneOut } from "../../src/gradients/baselines.js";
import { generalisedReparameterised } from "../../src/gradients/generalisedReparameterised.js";
import type { Gradient } from "../../src/gradients/gradient.js";
import { rejectionReparameterised } from "../../src/gradients/rejectionReparameterised.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { backends, read } from "../engine/support.js";
import { gammaCase } from "./gammaCase.js";
import { checked, expectCompiled, expectUnbiased, gaussianCase } from "./support.js";

const gradients = {
  "G-REP": generalisedReparameterised(),
  "G-REP with a baseline": generalisedReparameterised({ baseline: leaveOneOut }),
  "RSVI, B = 0": rejectionReparameterised({ augment: 0 }),
  "RSVI, B = 1": rejectionReparameterised(),
  "RSVI, B = 4, with a baseline": rejectionReparameterised({ augment: 4, baseline: leaveOneOut }),
};

describe("reparameterised gamma laws whose noise depends on the shape", () => {
  beforeAll(async () => void (await ready()));

  describe.each(Object.entries(gradients))("%s", (name, gradient) => {
    it("has the ELBO's gradient in φ and θ", async () => {
      const given = gammaCase(name === "RSVI, B = 0" ? [2, 6] : [0.6, 3]);
      const options = { bound: elbo, samples: 8, seed: 1, replicates: 1500 };
      expectUnbiased(await checked(gradient, given, options));
    });

    it("has the ELBO as its value, compiles and leaves nothing behind", () => {
      const given = gammaCase([1.5, 3]);
      const { value } = gradient({ ...given, bound: elbo, samples: 40_000, key: randomKey(3) });
      expect(Math.abs(read(value)[0]! - given.value)).toBeLessThan(0.05);
      expectCompiled(gradient, given, { bound: elbo, samples: 4 });
    });
  });

  it("is beside implicit draws, by which reparameterised has the ELBO's gradient in φ and θ too", async () => {
    for (const shapes of [
      [0.6, 3],
      [2, 6],
    ] as const) {
      const options = { bound: elbo, samples: 8, seed: 4, replicates: 1500 };
      const { components } = expectUnbiased(await checked(reparameterised, gammaCase(shapes), options));
      const norm = Math.hypot(...components.map(({ exact }) => exact));
      for (const { name, standardError } of components) expect(standardError, name).toBeLessThan(norm / 10);
    }
  });

  it("has less variance in the shapes than the score function; RSVI less than G-REP, and than the implicit gradient with log q on its path", async () => {
    const given = gammaCase([0.5, 1.5]);
    const variance = async (gradient: Gradient): Promise<number> => {
      const { components } = await checked(gradient, given, { bound: elbo, samples: 8, seed: 2, replicates: 1000 });
      const shapes = components.filter(({ name }) => name.includes("logConcentration"));
      return shapes.reduce((sum, { variance }) => sum + variance, 0);
    };
    const [score, implicit, generalised, centred, rejection] = [
      await variance(scoreFunction()),
      await variance(reparameterised),
      await variance(generalisedReparameterised()),
      await variance(generalisedReparameterised({ baseline: leaveOneOut })),
      await variance(rejectionReparameterised()),
    ];
    expect(generalised / score).toBeLessThan(0.4);
    expect(centred / generalised).toBeLessThan(0.95);
    expect(rejection / generalised).toBeLessThan(0.7);
    expect(rejection / implicit).toBeLessThan(0.75);
  });

  it("refuses another bound, a q that is not gamma, and what is no number of steps", () => {
    const at = { samples: 2, key: randomKey(1) };
    const gradient = rejectionReparameterised();
    expect(() => gradient({ ...gammaCase([1, 1]), ...at, bound: iwae })).toThrow(
      "use reparameterised, whose gamma draws",
    );
    expect(() => gradient({ ...gaussianCase(2), ...at, bound: elbo })).toThrow(
      "not known to be one; use meanFieldGamma",
    );
    expect(() => rejectionReparameterised({ augment: 0.5 })).toThrow("whole number of steps ≥ 0, not 0.5");
    const compared = generalisedReparameterised({ baseline: leaveOneOut });
    expect(() => compared({ ...gammaCase([1, 1]), ...at, samples: 1, bound: elbo })).toThrow("needs K ≥ 2");
  });
});

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  it.each(Object.entries(gradients))("%s climbs the ELBO in a compiled fit", async (_, gradient) => {
    const { problem, theta, phi } = gammaCase([1, 2]);
    const fitted = await fitProblem({
      problem: { ...problem, logP: (_theta: object, z) => problem.logP(theta, z) },
      init: { theta: {}, phi },
      bound: elbo,
      samples: 16,
      gradient,
      optimizer: adam({ learningRate: 0.05 }),
      steps: 20,
      traceEvery: 1,
      key: randomKey(1),
      compile: "graph",
    });
    const values = fitted.trace.map(({ value }) => value);
    expect(values.slice(-5).reduce((sum, v) => sum + v, 0)).toBeGreaterThan(
      values.slice(0, 5).reduce((sum, v) => sum + v, 0),
    );
    fitted.dispose();
  });
});
