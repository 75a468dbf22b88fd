import { describe, expect, it } from "vitest";
import { logSumExp } from "../../src/diagnostics/logSumExp.js";
import { randomKey } from "../../src/engine/random.js";
import { type Chain, chainSmoother, forwardBackward } from "../../src/models/forwardBackward.js";
import { uniforms } from "../../src/models/randomStart.js";

/** The same by every sequence of states, in logs. */
function enumerated({ logInitial, logTransitions, logEmissions }: Chain) {
  const K = logInitial.length;
  const T = logEmissions.length / K;
  const paths = Array.from({ length: K ** T }, (_, code) =>
    Array.from({ length: T }, (_, t) => Math.floor(code / K ** t) % K),
  );
  const logs = paths.map((z) =>
    z.reduce(
      (sum, k, t) => sum + (t === 0 ? logInitial[k] : logTransitions[z[t - 1] * K + k]) + logEmissions[t * K + k],
      0,
    ),
  );
  const logNormaliser = logSumExp(logs);
  const [marginals, transitions] = [new Float64Array(T * K), new Float64Array(K * K)];
  paths.forEach((z, i) => {
    const p = Math.exp(logs[i] - logNormaliser);
    z.forEach((k, t) => {
      marginals[t * K + k] += p;
      if (t > 0) transitions[z[t - 1] * K + k] += p;
    });
  });
  return { logNormaliser, marginals, transitions };
}

function expectSame(chain: Chain): void {
  const [found, exact] = [forwardBackward(chain), enumerated(chain)];
  expect(Math.abs(found.logNormaliser - exact.logNormaliser)).toBeLessThan(
    1e-13 * Math.max(1, Math.abs(exact.logNormaliser)),
  );
  for (const name of ["marginals", "transitions"] as const) {
    found[name].forEach((value, i) => {
      expect(Math.abs(value - exact[name][i]), `${name} ${i}`).toBeLessThan(1e-12);
    });
  }
}

const random = (K: number, T: number, spread: number, seed: number): Chain => {
  const draws = uniforms(randomKey(seed), K + K * K + T * K).map((u) => spread * Math.log(u));
  return {
    logInitial: draws.slice(0, K),
    logTransitions: draws.slice(K, K + K * K),
    logEmissions: draws.slice(K + K * K).map((log) => log + 3),
  };
};

describe("forwardBackward", () => {
  it.each([
    [2, 1, 1],
    [2, 6, 1],
    [3, 5, 1],
    [4, 4, 20],
    [3, 5, 60],
    [1, 3, 1],
  ])("sums over the paths of %i states and %i times, weights e^(%i log u)", (K, T, spread) => {
    for (const seed of [1, 2, 3]) expectSame(random(K, T, spread, seed));
  });

  it("keeps a state that seems lost and then is all that is left", () => {
    const chain = random(3, 5, 1, 4);
    // At time 1 state 0 is e^-700 of the others; from time 2 on only it goes on, the others at e^-290.
    chain.logEmissions[3] = -700;
    for (const t of [2, 3]) {
      for (const k of [1, 2]) chain.logEmissions[3 * t + k] = -720;
    }
    for (const j of [1, 2]) {
      chain.logTransitions[3 * j] = -290;
      chain.logTransitions[j] = -290;
    }
    expectSame(chain);
  });

  it("is in logs where a transition is all but impossible, or is", () => {
    const chain = random(3, 5, 1, 5);
    chain.logTransitions[1] = -1500;
    chain.logTransitions[3] = -Infinity;
    chain.logEmissions[3] = -2000;
    expectSame(chain);
    // From left to right: no way back, and the start is known.
    for (const i of [3, 6, 7]) chain.logTransitions[i] = -Infinity;
    chain.logInitial[1] = -Infinity;
    chain.logInitial[2] = -Infinity;
    expectSame(chain);
  });

  it("finds the one way that is left, however unlikely its steps", () => {
    const chain = random(3, 5, 1, 8);
    // Into state 0 by e^-1500 only, and at time 3 all else is e^-4000.
    for (const i of [0, 3, 6]) chain.logTransitions[i] = -1500;
    chain.logEmissions[10] = -4000;
    chain.logEmissions[11] = -4000;
    expectSame(chain);
    // One smoother serves many chains: nothing stays of the one before.
    const other = random(3, 4, 1, 9);
    const smooth = chainSmoother(chain.logInitial, chain.logTransitions);
    const added = new Float64Array(9);
    const bounds = [chain, other].map(({ logEmissions }) =>
      smooth(logEmissions, new Float64Array(logEmissions.length), added),
    );
    const exact = [chain, other].map(({ logEmissions }) => enumerated({ ...chain, logEmissions }));
    exact.forEach(({ logNormaliser }, i) => {
      expect(bounds[i]).toBeCloseTo(logNormaliser, 9);
    });
    added.forEach((value, i) => {
      expect(value).toBeCloseTo(exact[0].transitions[i] + exact[1].transitions[i], 12);
    });
  });

  it("gives the same in both ways on a long chain", () => {
    const chain = random(3, 3000, 2, 6);
    const [scaled, inLogs] = [-299.999, -300.001].map((log) => {
      const logTransitions = Float64Array.from(chain.logTransitions);
      logTransitions[1] = log;
      return forwardBackward({ ...chain, logTransitions });
    });
    expect(scaled.logNormaliser).toBeCloseTo(inLogs.logNormaliser, 8);
    const apart = scaled.marginals.map((p, i) => Math.abs(p - inLogs.marginals[i]));
    expect(Math.max(...apart)).toBeLessThan(1e-10);
    const sums = Float64Array.from({ length: 3000 }, (_, t) =>
      scaled.marginals.subarray(3 * t, 3 * t + 3).reduce((a, b) => a + b),
    );
    expect(Math.max(...sums.map((sum) => Math.abs(sum - 1)))).toBeLessThan(1e-13);
    expect(scaled.transitions.reduce((a, b) => a + b)).toBeCloseTo(2999, 8);
  });

  it("refuses what is no chain", () => {
    const chain = random(2, 3, 1, 7);
    expect(() => forwardBackward({ ...chain, logEmissions: new Float64Array(5) })).toThrow(
      "with 2 states give 4 transitions and 2 emissions for each of at least one time, not 4 and 5.",
    );
    expect(() => forwardBackward({ ...chain, logTransitions: new Float64Array(3) })).toThrow("not 3 and 6.");
    expect(() => forwardBackward({ ...chain, logEmissions: new Float64Array(0) })).toThrow("not 4 and 0.");
    const impossible = Float64Array.from(chain.logEmissions).fill(-Infinity, 2, 4);
    expect(() => forwardBackward({ ...chain, logEmissions: impossible })).toThrow(
      /no sequence of states has a positive/,
    );
    const broken = Float64Array.of(0, Number.NaN, 0, 0, 0, 0);
    expect(() => forwardBackward({ ...chain, logEmissions: broken })).toThrow("log-normaliser is NaN");
    const logTransitions = new Float64Array(4).fill(-Infinity);
    expect(() => forwardBackward({ ...chain, logTransitions })).toThrow("log-normaliser is -Infinity");
  });
});
