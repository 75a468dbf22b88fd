import { describe, expect, it } from "vitest";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { betaFamily } from "../../src/families/betaFamily.js";
import { categoricalFamily } from "../../src/families/categoricalFamily.js";
import { dirichletFamily } from "../../src/families/dirichletFamily.js";
import { dot, type ExponentialFamily, klDivergence, logDensity } from "../../src/families/exponentialFamily.js";
import { gammaFamily } from "../../src/families/gammaFamily.js";
import { gaussianFamily } from "../../src/families/gaussianFamily.js";
import { normalGammaFamily } from "../../src/families/normalGammaFamily.js";
import { normalWishartFamily } from "../../src/families/normalWishartFamily.js";

/** Points z with the log of what ∫ dz weighs them by. */
interface Rule<Value> {
  readonly points: readonly { readonly value: Value; readonly logWeight: number }[];
}
interface Case<P, Value> {
  readonly family: ExponentialFamily<P, Value>;
  readonly q: P;
  readonly p: P;
  /** A quadrature over the whole space. */
  readonly rule: Rule<Value>;
  /** Pairs of entries of η that move together, since t(z) has them equal: a symmetric matrix. */
  readonly symmetric?: readonly (readonly [number, number])[];
}

const of = (...values: number[]): Float64Array => Float64Array.from(values);
const pointsOf = <Value>(
  low: number,
  high: number,
  n: number,
  at: (t: number) => { readonly value: Value; readonly logJacobian: number },
): Rule<Value>["points"] => {
  const rule = trapezoid(low, high, n);
  return Array.from(rule.points, (t, i) => {
    const { value, logJacobian } = at(t);
    return { value, logWeight: rule.logWeights[i] + logJacobian };
  });
};
const logit = { at: (t: number) => 1 / (1 + Math.exp(-t)) };
const logisticSlope = (t: number): number => -Math.abs(t) - 2 * Math.log1p(Math.exp(-Math.abs(t)));
const cross = <A, B, Value>(
  a: Rule<A>["points"],
  b: Rule<B>["points"],
  combine: (a: A, b: B) => { readonly value: Value; readonly logJacobian: number },
): Rule<Value>["points"] =>
  a.flatMap((left) =>
    b.map((right) => {
      const { value, logJacobian } = combine(left.value, right.value);
      return { value, logWeight: left.logWeight + right.logWeight + logJacobian };
    }),
  );

// Beyond t = 34 the float next to 1 is 1.
const unit = pointsOf(-45, 34, 1500, (t) => ({ value: logit.at(t), logJacobian: logisticSlope(t) }));
const unitCoarse = pointsOf(-36, 34, 240, (t) => ({ value: logit.at(t), logJacobian: logisticSlope(t) }));
const positive = pointsOf(-30, 6, 1200, (t) => ({ value: Math.exp(t), logJacobian: t }));
const positiveCoarse = pointsOf(-14, 5, 220, (t) => ({ value: Math.exp(t), logJacobian: t }));
const real = pointsOf(-14, 14, 200, (value) => ({ value, logJacobian: 0 }));
const line = pointsOf(-12, 12, 161, (value) => ({ value, logJacobian: 0 }));

const cases: readonly Case<never, never>[] = [
  { family: betaFamily, q: { a: 0.7, b: 2.5 }, p: { a: 3, b: 1.2 }, rule: { points: unit } },
  { family: gammaFamily, q: { shape: 0.8, rate: 1.5 }, p: { shape: 3, rate: 0.6 }, rule: { points: positive } },
  {
    family: categoricalFamily(3),
    q: { probabilities: of(0.2, 0.5, 0.3) },
    p: { probabilities: of(0.6, 0.1, 0.3) },
    rule: { points: [0, 1, 2].map((value) => ({ value, logWeight: 0 })) },
  },
  {
    family: dirichletFamily(3),
    q: { concentration: of(0.9, 2, 1.5) },
    p: { concentration: of(3, 0.8, 1) },
    // Stick-breaking: θ = (u, (1 − u) v, (1 − u)(1 − v)) has the Jacobian 1 − u.
    rule: {
      points: cross(unitCoarse, unitCoarse, (u, v) => ({
        value: of(u, (1 - u) * v, (1 - u) * (1 - v)),
        logJacobian: Math.log1p(-u),
      })),
    },
  },
  {
    family: gaussianFamily(2),
    q: { mean: of(0.5, -1), precision: of(2, 0.6, 0.6, 1) },
    p: { mean: of(-0.3, 0.2), precision: of(1, -0.3, -0.3, 0.8) },
    rule: { points: cross(real, real, (a, b) => ({ value: of(a, b), logJacobian: 0 })) },
    symmetric: [[3, 4]],
  },
  {
    family: normalGammaFamily(1),
    q: { mean: of(0.4), precision: of(2), shape: 3, rate: 2 },
    p: { mean: of(-0.2), precision: of(1.5), shape: 4, rate: 3 },
    // w = m + s t with s as wide as w is given τ.
    rule: {
      points: cross(positiveCoarse, line, (tau, t) => ({
        value: { weights: of(t / Math.sqrt(tau)), noisePrecision: tau },
        logJacobian: -Math.log(tau) / 2,
      })),
    },
  },
  {
    family: normalWishartFamily(1),
    q: { mean: of(0.3), meanPrecision: 2, inverseScale: of(1.5), degrees: 5 },
    p: { mean: of(-0.1), meanPrecision: 1.2, inverseScale: of(2), degrees: 6 },
    rule: {
      points: cross(positiveCoarse, line, (lambda, t) => ({
        value: { mean: of(t / Math.sqrt(lambda)), precision: of(lambda) },
        logJacobian: -Math.log(lambda) / 2,
      })),
    },
  },
] as unknown as readonly Case<never, never>[];

const expectation = ({ family, rule }: Case<never, never>, natural: Float64Array, f: (value: never) => number) =>
  rule.points.reduce(
    (total, { value, logWeight }) => total + Math.exp(logWeight + logDensity(family, natural, value)) * f(value),
    0,
  );

describe.each(cases.map((given) => [given.family.name, given] as const))("%s", (_, given) => {
  const { family } = given;
  const [q, p] = [family.natural(given.q), family.natural(given.p)];

  it("has a density of integral 1, and the mean parameters that quadrature gives", () => {
    expect(expectation(given, q, () => 1)).toBeCloseTo(1, 9);
    expect(expectation(given, p, () => 1)).toBeCloseTo(1, 9);
    family.mean(q).forEach((mean, i) => {
      expect(
        expectation(given, q, (value) => family.statistics(value)[i]),
        `statistic ${i}`,
      ).toBeCloseTo(mean, 8);
    });
  });

  it("has the KL divergence that quadrature gives", () => {
    const byQuadrature = expectation(given, q, (value) => logDensity(family, q, value) - logDensity(family, p, value));
    expect(klDivergence(family, q, p)).toBeCloseTo(byQuadrature, 7);
    expect(klDivergence(family, q, q)).toBe(0);
  });
});

const wishart = normalWishartFamily(3);
const wishartParameters = (shift: number) => ({
  mean: of(0.3, -1, shift),
  meanPrecision: 1.5 + shift,
  inverseScale: of(2, 0.4, -0.3, 0.4, 1.5 + shift, 0.2, -0.3, 0.2, 1),
  degrees: 4.5 + shift,
});
const larger: readonly Case<never, never>[] = [
  ...cases,
  { family: wishart, q: wishartParameters(0.1), p: wishartParameters(0.7) },
  {
    family: normalGammaFamily(3),
    q: { mean: of(0.3, -1, 2), precision: wishartParameters(0.1).inverseScale, shape: 2.5, rate: 0.7 },
    p: { mean: of(0, 0, 1), precision: wishartParameters(0.4).inverseScale, shape: 1.5, rate: 2 },
  },
] as unknown as readonly Case<never, never>[];

describe.each(larger.map((given) => [`${given.family.name}, ${given.family.size} statistics`, given] as const))(
  "%s",
  (_, { family, q, p }) => {
    it("has the mean parameters ∇A(η)", () => {
      const natural = family.natural(q);
      const mean = family.mean(natural);
      const direction = family.natural(p).map((value, i) => value - natural[i]);
      // Towards another member all symmetric matrices stay symmetric; a five-point difference is off by h⁴.
      const h = 1e-3;
      const A = (t: number): number => family.logNormaliser(natural.map((value, i) => value + t * direction[i]));
      const slope = (8 * (A(h) - A(-h)) - (A(2 * h) - A(-2 * h))) / (12 * h);
      expect(slope / dot(mean, direction)).toBeCloseTo(1, 8);
    });

    it("goes from parameters to η and back", () => {
      const natural = family.natural(q);
      const back = family.natural(family.parameters(natural));
      back.forEach((value, i) => {
        expect(value).toBeCloseTo(natural[i], 12);
      });
    });

    it("has a positive KL divergence between different members, 0 between equal ones", () => {
      const [a, b] = [family.natural(q), family.natural(p)];
      expect(klDivergence(family, a, b)).toBeGreaterThan(0);
      expect(klDivergence(family, b, a)).toBeGreaterThan(0);
      expect(klDivergence(family, a, a)).toBe(0);
    });
  },
);

describe("bad parameters", () => {
  it.each<[string, ExponentialFamily<never, never>, Float64Array, string]>([
    ["Gamma, shape", gammaFamily as never, of(-1.5, -2), "Gamma: the shape must be positive"],
    ["Gamma, rate", gammaFamily as never, of(1.5, 2), "Gamma: the rate must be positive"],
    ["Gamma, length", gammaFamily as never, of(1, -2, 3), "Gamma: η must have 2 values, not 3."],
    ["Beta", betaFamily as never, of(2, -0.5), "the concentration must be positive"],
    ["Dirichlet", dirichletFamily(3) as never, of(2, 1, -0.5), "the concentration must be positive"],
    ["Dirichlet, length", dirichletFamily(3) as never, of(2, 1), "must have 3 values, not 2."],
    ["Categorical", categoricalFamily(2) as never, of(0, Number.NaN), "the logits must be finite, but number 1 is NaN"],
    ["Gaussian", gaussianFamily(1) as never, of(0, 0.5), "the precision must be positive definite"],
    ["Gaussian, mean", gaussianFamily(1) as never, of(Number.NaN, -0.5), "must be finite, but number 0 is NaN"],
    ["Normal–Gamma", normalGammaFamily(1) as never, of(0, -0.5, 1, 2), "the rate must be positive"],
    ["Normal–Wishart", normalWishartFamily(1) as never, of(0, -0.5, -0.5, -2), "the degrees of freedom must be above"],
  ])("are the same from every function of η: %s", (_, family, natural, said) => {
    for (const f of [family.parameters, family.logNormaliser, family.mean]) expect(() => f(natural)).toThrow(said);
  });

  it("are named where a value has another length", () => {
    expect(() => dirichletFamily(3).statistics(of(0.5, 0.5))).toThrow("the probabilities must have 3 values, not 2.");
    expect(() => gaussianFamily(2).statistics(of(1))).toThrow("Gaussian: the value must have 2 values, not 1.");
    expect(() => normalGammaFamily(2).statistics({ weights: of(1), noisePrecision: 1 })).toThrow("must have 2 values");
    expect(() => normalWishartFamily(2).statistics({ mean: of(1), precision: of(1, 0, 0, 1) })).toThrow(
      "the mean μ must have 2 values, not 1.",
    );
  });

  it("are named", () => {
    expect(() => dirichletFamily(1)).toThrow("the categories must be an integer ≥ 2, not 1.");
    expect(() => dirichletFamily(2).natural({ concentration: of(1, 0) })).toThrow(
      "Dirichlet: the concentration must be positive and finite, but number 1 is 0.",
    );
    expect(() => dirichletFamily(2).natural({ concentration: of(1) })).toThrow("must have 2 values, not 1.");
    expect(() => gammaFamily.natural({ shape: 1, rate: -2 })).toThrow(
      "Gamma: the rate must be positive and finite, but it is -2.",
    );
    expect(() => gammaFamily.parameters(of(1, 2))).toThrow("Gamma: the rate must be positive and finite");
    expect(() => categoricalFamily(2).natural({ probabilities: of(0.5, 0.6) })).toThrow("they sum to 1.1.");
    expect(() => categoricalFamily(2).statistics(2)).toThrow("one of 0 to 1, not 2.");
    expect(() => gaussianFamily(0)).toThrow("the dimension must be a positive integer, not 0.");
    expect(() => gaussianFamily(2).natural({ mean: of(0, 0), precision: of(1, 2, 2, 1) })).toThrow(
      "Gaussian: the precision must be positive definite",
    );
    expect(() => gaussianFamily(1).natural({ mean: of(Number.NaN), precision: of(1) })).toThrow(
      "must be finite, but number 0 is NaN.",
    );
    expect(() => wishart.natural({ ...wishartParameters(0), degrees: 2 })).toThrow(
      "the degrees of freedom must be above D − 1 = 2, not 2.",
    );
    expect(() => wishart.natural({ ...wishartParameters(0), meanPrecision: 0 })).toThrow("Normal–Wishart: β must be");
  });
});
