import { describe, expect, it } from "vitest";
import { simulatedSequences } from "../../src/data/simulatedSequences.js";
import { randomKey } from "../../src/engine/random.js";

const options = {
  key: randomKey(1),
  initial: [0.7, 0.3],
  transitions: [0.9, 0.1, 0.4, 0.6],
  emissions: {
    means: [
      [-1, 2],
      [3, 0],
    ],
    covariances: [
      [1, 0.6, 0.6, 2],
      [0.5, -0.2, -0.2, 0.3],
    ],
  },
  lengths: Array<number>(4000).fill(5),
};
/** Within four standard errors of a share of n. */
const expectShare = (count: number, n: number, share: number): void => {
  expect(Math.abs(count / n - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / n));
};

describe("simulatedSequences", () => {
  it("has the first states, transitions and Gaussians that it was given", () => {
    const { states, values } = simulatedSequences(options);
    const first = states.filter((_, t) => t % 5 === 0);
    expectShare(first.filter((z) => z === 0).length, 4000, 0.7);
    for (const from of [0, 1]) {
      const next = states.filter((_, t) => t % 5 > 0 && states[t - 1] === from);
      expectShare(next.filter((z) => z === 0).length, next.length, options.transitions[2 * from]);
      const at = Array.from(states.keys()).filter((t) => states[t] === from);
      const n = at.length;
      const [mean, covariance] = [options.emissions.means[from], options.emissions.covariances[from]];
      for (const i of [0, 1]) {
        const average = at.reduce((sum, t) => sum + values[2 * t + i], 0) / n;
        expect(Math.abs(average - mean[i])).toBeLessThan(4 * Math.sqrt(covariance[3 * i] / n));
        for (const j of [0, 1]) {
          const products = at.map((t) => (values[2 * t + i] - mean[i]) * (values[2 * t + j] - mean[j]));
          // Var[x y] of a Gaussian is s_xx s_yy + s_xy².
          const error = Math.sqrt((covariance[3 * i] * covariance[3 * j] + covariance[2 * i + j] ** 2) / n);
          expect(Math.abs(products.reduce((a, b) => a + b) / n - covariance[2 * i + j])).toBeLessThan(4 * error);
        }
      }
    }
  });

  it("emits symbols with their probabilities, and never one of probability 0", () => {
    const probabilities = [
      [0, 0.2, 0.8],
      [0.5, 0.5, 0],
    ];
    const { states, values, columns } = simulatedSequences({ ...options, emissions: { probabilities } });
    expect(columns).toBe(1);
    for (const k of [0, 1]) {
      const of = values.filter((_, t) => states[t] === k);
      for (const v of [0, 1, 2]) {
        const count = of.filter((x) => x === v).length;
        if (probabilities[k][v] === 0) expect(count).toBe(0);
        else expectShare(count, of.length, probabilities[k][v]);
      }
    }
  });

  it("gives the same numbers for the same key, however many sequences there are", () => {
    const few = simulatedSequences({ ...options, lengths: [5, 5] });
    expect(few.values).toEqual(simulatedSequences(options).values.slice(0, 20));
    expect(few.values).not.toEqual(simulatedSequences({ ...options, lengths: [5, 5], key: randomKey(2) }).values);
  });

  it("refuses what does not fit", () => {
    const probabilities = [[0.5, 0.5]];
    expect(() => simulatedSequences({ ...options, emissions: { probabilities } })).toThrow(
      "2 states have 4 transitions and 2 emissions, not 4 and 1.",
    );
    expect(() => simulatedSequences({ ...options, emissions: { probabilities: [[1], [0.5, 0.5]] } })).toThrow(
      "as many columns or symbols as the first",
    );
    expect(() => simulatedSequences({ ...options, initial: [0, 0] })).toThrow(
      "the weights of the first state sum to 0",
    );
    expect(() => simulatedSequences({ ...options, transitions: [1, 0, -1, 2] })).toThrow(
      "a weight of the transitions from state 1 is -1, but must be ≥ 0.",
    );
    expect(() => simulatedSequences({ ...options, lengths: [5, 0] })).toThrow("the length of sequence 1 must be");
    const covariances = [
      [1, 0, 0, 1],
      [1, 2, 2, 1],
    ];
    const emissions = { means: options.emissions.means, covariances };
    expect(() => simulatedSequences({ ...options, emissions })).toThrow(
      "the covariance of state 1 must be positive definite",
    );
  });
});
