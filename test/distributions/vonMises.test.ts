import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VonMises } from "../../src/distributions/vonMises.js";
import { vonMisesSlope } from "../../src/distributions/vonMisesQuadrature.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { backends, expectClose, expectNoLeak, kolmogorovSmirnov, mean, read, variance } from "../engine/support.js";
import { gradientOf } from "../ops/support.js";
import { vonMisesCdf, vonMisesIntegral, vonMisesMean } from "./exactLaws.js";

const concentrations = [1e-4, 0.3, 2, 12.25, 50, 1e3, 1e6];

describe.each(backends)("VonMises on %s", (backend) => {
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  test("has the density, the entropy and the circular variance of its law, from flat to narrow", () => {
    const kappa = tf.tensor1d(concentrations);
    const law = new VonMises({ location: 0.7, concentration: kappa });
    const logIntegrals = concentrations.map((k) => Math.log(2 * vonMisesIntegral(() => 1, k)));
    const spreads = concentrations.map((k) => vonMisesMean((t) => 2 * Math.sin(t / 2) ** 2, k));
    expectClose(
      read(law.variance()).map((v, i) => v / spreads[i]!),
      spreads.map(() => 1),
      3e-6,
    );
    expectClose(
      read(law.entropy()),
      concentrations.map((k, i) => logIntegrals[i]! + k * spreads[i]!),
      3e-6,
    );
    for (const away of [0, 0.3, 1, 2.5]) {
      const x = concentrations.map((k) => away / Math.sqrt(Math.max(1, k)));
      const exact = concentrations.map((k, i) => -2 * k * Math.sin(x[i]! / 2) ** 2 - logIntegrals[i]!);
      const centred = new VonMises({ location: 0, concentration: kappa });
      expectClose(read(centred.logProb(tf.tensor1d(x))), exact, 3e-6);
    }
    const around = new VonMises({ location: 0.7, concentration: 2 });
    expectClose(read(around.logProb(tf.scalar(1 + 2 * Math.PI))), read(around.logProb(tf.scalar(1))), 1e-5);
    expectClose(
      read(law.mean()),
      concentrations.map(() => 0.7),
      1e-7,
    );
  });

  test("the log-density's slope in κ is cos(x − μ) − A(κ)", () => {
    const kappa = tf.tensor1d([0.3, 2, 50]);
    const slope = gradientOf(
      (k) => new VonMises({ location: 0.2, concentration: k! }).logProb(tf.scalar(0.5)),
      [kappa],
      0,
    );
    const exact = [0.3, 2, 50].map((k, i) => Math.cos(1 + 2 * i) * (Math.cos(0.3) - vonMisesMean(Math.cos, k)));
    expectClose(read(slope), exact, 1e-5);
  });

  test.each(concentrations)("a draw at κ = %d follows the law", (k) => {
    const n = 20_000;
    const x = read(new VonMises({ location: 1, concentration: k }).sample(randomKey(3), [n]));
    expect(kolmogorovSmirnov(x, (value) => vonMisesCdf(value, 1, k))).toBeLessThan(1.95);
    const falls = x.map((value) => 2 * Math.sin((value - 1) / 2) ** 2);
    const exact = vonMisesMean((t) => 2 * Math.sin(t / 2) ** 2, k);
    // Near 1 the float32 angles of a narrow law are 1e-7 apart, in standard deviations of 1e-3.
    expect(Math.abs(mean(falls) - exact)).toBeLessThan(4 * Math.sqrt(variance(falls) / n));
    expect(Math.max(...x.map((value) => Math.abs(value - 1)))).toBeLessThan(Math.PI + 1e-6);
  });

  test.each(concentrations)("the implicit gradient at κ = %d is −(∂F/∂κ)/p to 1e-5 of its scale", (k) => {
    const width = 1 / Math.sqrt(Math.max(1, k));
    const y = [-3, -1.2, -0.4, 0.01, 0.5, 1, 1.6, 2, 2.6, 3.1].map((u) => u * width);
    const resultantGap = vonMisesMean((t) => 2 * Math.sin(t / 2) ** 2, k);
    const exact = y.map((at) => {
      const integral = vonMisesIntegral((t) => resultantGap - 2 * Math.sin(t / 2) ** 2, k, at);
      return -integral * Math.exp(2 * k * Math.sin(at / 2) ** 2);
    });
    const scale = Math.max(...exact.map(Math.abs));
    const slope = read(tf.tidy(() => vonMisesSlope(tf.scalar(k), tf.tensor1d(y))));
    expectClose(
      slope.map((v) => v / scale),
      exact.map((v) => v / scale),
      1e-5,
    );
  });

  test("draws by key, of its shape, and leaves no tensor behind", () => {
    const concentration = tf.tensor2d([[1], [4]]);
    const location = tf.tensor1d([0, 1, 2]);
    const law = new VonMises({ location, concentration });
    expect(law.sample(randomKey(1), [5]).shape).toEqual([5, 2, 3]);
    expect(law.logProb(tf.zeros([5, 2, 3])).shape).toEqual([5, 2, 3]);
    expect(read(law.sample(randomKey(1)))).toEqual(read(law.sample(randomKey(1))));
    expect(read(law.sample(randomKey(1)))).not.toEqual(read(law.sample(randomKey(2))));
    for (const make of [
      () => law.sample(randomKey(1)),
      () => law.logProb(location),
      () => law.entropy(),
      () => law.variance(),
    ])
      expectNoLeak(make);
    expectNoLeak(() =>
      gradientOf((k) => new VonMises({ location, concentration: k! }).sample(randomKey(1)), [concentration], 0),
    );
  });
});

test("VonMises refuses a concentration that is not positive, and shapes that do not broadcast", () => {
  expect(() => new VonMises({ location: 0, concentration: 0 })).toThrow(
    "VonMises: concentration must be positive and finite, not 0",
  );
  expect(() => new VonMises({ location: tf.zeros([2]), concentration: tf.ones([3]) })).toThrow(
    "location [2] and concentration [3]",
  );
});
