import { afterAll, beforeAll, describe, it } from "vitest";
import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import type { Parameters } from "../../src/engine/parameters.js";
import { antithetic } from "../../src/gradients/antithetic.js";
import { arm } from "../../src/gradients/arm.js";
import { leaveOneOut, vimco } from "../../src/gradients/baselines.js";
import { doublyReparameterised } from "../../src/gradients/doublyReparameterised.js";
import { enumeration } from "../../src/gradients/enumeration.js";
import type { Gradient } from "../../src/gradients/gradient.js";
import { gumbelSoftmax, straightThrough } from "../../src/gradients/gumbelSoftmax.js";
import { iwhviDoublyReparameterised } from "../../src/gradients/iwhviDoublyReparameterised.js";
import { learnedBaseline } from "../../src/gradients/learnedBaseline.js";
import { pathDerivative } from "../../src/gradients/pathDerivative.js";
import { quasiMonteCarlo } from "../../src/gradients/quasiMonteCarlo.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { rebar } from "../../src/gradients/rebar.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { scoreControlVariate } from "../../src/gradients/scoreControlVariate.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { taylorControlVariate } from "../../src/gradients/taylorControlVariate.js";
import { backends } from "../engine/support.js";
import { factorBaselineCase } from "./baselineCase.js";
import { categoricalCase } from "./discreteCases.js";
import { gaussianHierarchy } from "./hierarchyCases.js";
import { type Case, chainCase, expectCompiled, gaussianCase } from "./support.js";

type AnyCase = Case<Parameters, Parameters, unknown>;
const bits = (): AnyCase => chainCase(2, elbo, 1);
const categories = (): AnyCase => categoricalCase(2, 3);
const gaussian = (): AnyCase => gaussianCase(2);
const hierarchy = (): AnyCase => gaussianHierarchy(elbo, 1, 1);

/** Small problems: what is asked is that the recorded step is the eager one, on every backend. */
const runs: readonly { name: string; gradient: Gradient; given: () => AnyCase; bound: Bound }[] = (
  [
    ["score function", scoreFunction(), bits],
    ["VIMCO", scoreFunction({ baseline: vimco }), bits, iwae],
    ["Rao-Blackwellised", raoBlackwell({ baseline: leaveOneOut }), bits],
    ["held-out weights", scoreControlVariate({ weights: "heldOut" }), bits],
    ["same weights, Rao-Blackwellised", scoreControlVariate({ of: raoBlackwell(), weights: "same" }), bits],
    ["learned baseline", learnedBaseline({ of: raoBlackwell() }), () => factorBaselineCase(2)],
    ["ARM", arm, bits],
    ["REBAR", rebar({ temperature: 0.5, scale: "leaveOneOut" }), bits],
    ["REBAR of categories", rebar({ temperature: 0.5 }), categories],
    ["Gumbel-softmax", gumbelSoftmax({ temperature: 0.5 }), bits],
    ["Gumbel-softmax of categories", gumbelSoftmax({ temperature: 0.5 }), categories],
    ["straight through", straightThrough({ temperature: 0.5 }), bits],
    ["enumeration", enumeration, bits],
    ["enumeration of categories", enumeration, categories],
    ["reparameterised", reparameterised, gaussian, iwae],
    ["antithetic", antithetic(), gaussian],
    ["quasi-Monte-Carlo", quasiMonteCarlo(pathDerivative), gaussian],
    ["Taylor control variate", taylorControlVariate(), gaussian],
    ["path derivative", pathDerivative, gaussian, iwae],
    ["doubly reparameterised", doublyReparameterised, gaussian, iwae],
    ["IWHVI, doubly reparameterised", iwhviDoublyReparameterised, hierarchy, iwae],
  ] as readonly (readonly [string, Gradient, () => AnyCase, Bound?])[]
).map(([name, gradient, given, bound = elbo]) => ({ name, gradient, given, bound }));

describe.each(backends)("gradients on %s", (backend) => {
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  it.each(runs)("runs compiled as eager and leaves nothing behind: $name", ({ gradient, given, bound }) => {
    expectCompiled(gradient, given(), { bound, samples: 4 });
  });
});
