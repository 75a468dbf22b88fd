import type { Corpus } from "../../src/data/ldaC.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { logGamma } from "../../src/diagnostics/specialFunctions.js";
import { poissonDeepExponentialFamily } from "../../src/models/poissonDeepExponentialFamily.js";

/** One document that holds one word four times. */
const corpus: Corpus = {
  size: 1,
  vocabulary: 1,
  offsets: Int32Array.from([0, 1]),
  words: Int32Array.from([0]),
  counts: Float64Array.from([4]),
};
const law = { weightShape: 2, weightRate: 1, topRate: 2, floor: 0.1 };

/** z ~ Poisson(2), w ~ Gamma(2, 1), x = 4 of Poisson(0.1 + z w): all of it by a sum over z and quadrature over log w. */
export const tinyPoissonDef = () => poissonDeepExponentialFamily({ corpus, layers: [1], ...law });

export const logPoisson = (n: number, rate: number): number => n * Math.log(rate) - rate - logGamma(n + 1);
export const logGammaDensity = (w: number, shape: number, rate: number): number =>
  shape * Math.log(rate) - logGamma(shape) + (shape - 1) * Math.log(w) - rate * w;

const counts = Array.from({ length: 40 }, (_, z) => z);
const rule = trapezoid(-14, 4, 400);
/** Weights w with the rule's dw. */
const nodes = Array.from(rule.points, (t, i) => ({ w: Math.exp(t), dw: Math.exp(t + rule.logWeights[i]) }));

/** log p(x, z, w). */
export function logJoint(z: number, w: number): number {
  return logPoisson(z, law.topRate) + logGammaDensity(w, 2, 1) + logPoisson(4, law.floor + z * w);
}

/** log p(x). */
export function tinyEvidence(): number {
  let total = 0;
  for (const z of counts) for (const { w, dw } of nodes) total += dw * Math.exp(logJoint(z, w));
  return Math.log(total);
}

/** The coordinates of q: log λ of the count; log α and the log of the mean of the weight. */
export type TinyPoint = readonly [number, number, number];

/** q(z) as values and masses. */
export function countLaw([logRate]: TinyPoint): { z: number; p: number }[] {
  return counts.map((z) => ({ z, p: Math.exp(logPoisson(z, Math.exp(logRate))) })).filter(({ p }) => p > 1e-18);
}

/** q(w) as values and masses of the rule. */
export function weightLaw(at: TinyPoint): { w: number; p: number }[] {
  return nodes.map(({ w, dw }) => ({ w, p: dw * Math.exp(logWeightQ(w, at)) })).filter(({ p }) => p > 1e-18);
}

/** E_q f(z, w). */
export function expectation(at: TinyPoint, f: (z: number, w: number) => number): number {
  const ofCounts = countLaw(at);
  return weightLaw(at).reduce(
    (sum, { w, p }) => sum + p * ofCounts.reduce((inner, c) => inner + c.p * f(c.z, w), 0),
    0,
  );
}

export const logCountQ = (z: number, [logRate]: TinyPoint): number => logPoisson(z, Math.exp(logRate));
export const logWeightQ = (w: number, [, logShape, logMean]: TinyPoint): number =>
  logGammaDensity(w, Math.exp(logShape), Math.exp(logShape - logMean));

/** The ELBO of q. */
export function tinyElbo(at: TinyPoint): number {
  return expectation(at, (z, w) => logJoint(z, w) - logCountQ(z, at) - logWeightQ(w, at));
}
