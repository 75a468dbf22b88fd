import { describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { randomKey } from "../../src/engine/random.js";
import { vimco } from "../../src/gradients/baselines.js";
import { estimatorTable } from "../../src/gradients/declared.js";
import { doublyReparameterised } from "../../src/gradients/doublyReparameterised.js";
import { estimators } from "../../src/gradients/estimators.js";
import { pathDerivative } from "../../src/gradients/pathDerivative.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";

describe("estimatorTable", () => {
  it("is written from what the estimators declare, each reason once", () => {
    const table = estimatorTable(
      [
        scoreFunction({ baseline: vimco }),
        raoBlackwell(),
        raoBlackwell({ minusOne: true }),
        pathDerivative,
        doublyReparameterised,
      ],
      [elbo, iwae],
    ).split("\n");
    expect(table.slice(0, 7)).toEqual([
      "| estimator | ELBO | IWAE |",
      "| --- | --- | --- |",
      "| `scoreFunction (VIMCO)` | unbiased | unbiased |",
      "| `raoBlackwell` | unbiased | refused (1) |",
      "| `raoBlackwell (with −1)` | unbiased | refused (1) |",
      "| `pathDerivative` | unbiased | biased (2) |",
      "| `doublyReparameterised` | unbiased | unbiased |",
    ]);
    expect(table[8]).toMatch(/^1\. .*use scoreFunction/);
    expect(table[9]).toMatch(/^2\. .*use doublyReparameterised/);
    expect(table).toHaveLength(10);
  });

  it("lists the library's estimators, each by a name of its own, and every standing is what the estimator does", () => {
    const names = estimators.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const estimator of estimators) {
      for (const bound of [elbo, iwae]) {
        const standing = estimator.standing(bound);
        if (standing.verdict !== "refused") continue;
        const inputs = { problem: {} as never, theta: {}, phi: {}, samples: 2, key: randomKey(1), bound };
        expect(() => estimator(inputs)).toThrow(`${estimator.name}: ${standing.why}`);
      }
    }
    expect(
      estimatorTable(estimators, [elbo, iwae])
        .split("\n")
        .filter((line) => line.startsWith("|")),
    ).toHaveLength(2 + names.length);
  });

  it("refuses an empty table", () => {
    expect(() => estimatorTable([], [elbo])).toThrow("at least one estimator and one bound");
  });
});
