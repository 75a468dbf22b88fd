import { antithetic } from "./antithetic.js";
import { arm } from "./arm.js";
import { leaveOneOut, vimco } from "./baselines.js";
import type { DeclaredGradient } from "./declared.js";
import { doublyReparameterised } from "./doublyReparameterised.js";
import { enumeration } from "./enumeration.js";
import { generalisedReparameterised } from "./generalisedReparameterised.js";
import { gumbelSoftmax, straightThrough } from "./gumbelSoftmax.js";
import { hierarchicalScoreFunction } from "./hierarchicalScoreFunction.js";
import { iwhviDoublyReparameterised } from "./iwhviDoublyReparameterised.js";
import { learnedBaseline } from "./learnedBaseline.js";
import { overdispersed } from "./overdispersed.js";
import { overdispersedFactors } from "./overdispersedFactors.js";
import { pathDerivative } from "./pathDerivative.js";
import { quasiMonteCarlo } from "./quasiMonteCarlo.js";
import { raoBlackwell } from "./raoBlackwell.js";
import { rebar } from "./rebar.js";
import { rejectionReparameterised } from "./rejectionReparameterised.js";
import { reparameterised } from "./reparameterised.js";
import { scoreControlVariate } from "./scoreControlVariate.js";
import { scoreFunction } from "./scoreFunction.js";
import { taylorControlVariate } from "./taylorControlVariate.js";
import { uivi } from "./uivi.js";

/** The library's gradient estimators, as {@link estimatorTable} lists them. */
export const estimators: readonly DeclaredGradient[] = [
  scoreFunction(),
  scoreFunction({ minusOne: true }),
  scoreFunction({ minusOne: false }),
  scoreFunction({ baseline: leaveOneOut }),
  scoreFunction({ baseline: vimco }),
  learnedBaseline(),
  learnedBaseline({ of: raoBlackwell() }),
  raoBlackwell(),
  overdispersed(),
  overdispersedFactors(),
  scoreControlVariate({ weights: "heldOut" }),
  scoreControlVariate({ weights: "same" }),
  scoreControlVariate({ of: raoBlackwell(), weights: "heldOut" }),
  arm,
  rebar({ temperature: 0.5 }),
  rebar({ temperature: 0.5, scale: "leaveOneOut" }),
  gumbelSoftmax({ temperature: 0.5 }),
  straightThrough({ temperature: 0.5 }),
  enumeration,
  reparameterised,
  generalisedReparameterised(),
  rejectionReparameterised(),
  antithetic(),
  antithetic(taylorControlVariate()),
  quasiMonteCarlo(),
  quasiMonteCarlo(taylorControlVariate()),
  taylorControlVariate(),
  taylorControlVariate({ slopes: "secant" }),
  pathDerivative,
  doublyReparameterised,
  hierarchicalScoreFunction(),
  hierarchicalScoreFunction({ mixing: "path" }),
  iwhviDoublyReparameterised,
  uivi,
];
