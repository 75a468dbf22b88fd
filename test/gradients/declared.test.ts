import { describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { randomKey } from "../../src/engine/random.js";
import { vimco } from "../../src/gradients/baselines.js";
import { estimatorTable } from "../../src/gradients/declared.js";
import { estimators } from "../../src/gradients/estimators.js";
import { pathDerivative } from "../../src/gradients/pathDerivative.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { scoreControlVariate } from "../../src/gradients/scoreControlVariate.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";

describe("estimatorTable", () => {
  it("is written from what the estimators declare, each reason once", () => {
    const table = estimatorTable(
      [
        scoreFunction({ baseline: vimco }),
        raoBlackwell(),
        raoBlackwell({ minusOne: true }),
        pathDerivative,
        reparameterised,
      ],
      [elbo, iwae],
    ).split("\n");
    expect(table.slice(0, 7)).toEqual([
      "| estimator | made for | ELBO | IWAE |",
      "| --- | --- | --- | --- |",
      "| `scoreFunction (VIMCO)` | any q, log q exact | unbiased | unbiased |",
      "| `raoBlackwell` | q a product, Markov blankets declared | unbiased | refused (1) |",
      "| `raoBlackwell (with −1)` | q a product, Markov blankets declared | unbiased | refused (1) |",
      "| `pathDerivative` | draws with a path, log q exact | unbiased | biased (2) |",
      "| `reparameterised` | draws with a path | unbiased | unbiased |",
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

  it("notes on what condition an estimator is unbiased", () => {
    const lines = estimatorTable([scoreControlVariate({ weights: "heldOut" })], [elbo]).split("\n");
    expect(lines[2]).toMatch(/\| unbiased \(1\) \|$/);
    expect(lines.at(-1)).toMatch(/^1\. for continuous latents weights from held-out draws ask for K ≥ 3/);
  });

  it("refuses an empty table", () => {
    expect(() => estimatorTable([], [elbo])).toThrow("at least one estimator and one bound");
  });
});
