import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type { Estimate } from "../src/diagnostics/moments.js";
import { gaussHermite, logIntegral, productRule } from "../src/diagnostics/quadrature.js";
import type { MarginalSandwich } from "../src/marginals/sandwich.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** log p(deaths) of the README's model by quadrature against its prior 2α ~ N(0, 2²), 10 + 10β ~ N(10, 10²). */
function exactLogEvidence(): number {
  const dose = [-0.86, -0.3, -0.05, 0.73];
  const deaths = [0, 1, 3, 5];
  const rule = productRule(gaussHermite(200), gaussHermite(200));
  const values = new Float64Array(rule.logWeights.length);
  for (let i = 0; i < values.length; i++) {
    const alpha = 2 * rule.points[2 * i];
    const beta = 10 + 10 * rule.points[2 * i + 1];
    for (let j = 0; j < 4; j++) {
      const logit = alpha + beta * dose[j];
      values[i] += deaths[j] * logit - 5 * (Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))));
    }
  }
  return logIntegral(rule, values);
}

/** Runs the n-th TypeScript block of the README as printed, and hands back what it exports. */
async function example<Exports>(n: number): Promise<Exports> {
  const readme = readFileSync(`${root}README.md`, "utf8");
  const code = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].filter(([block]) => block.includes("import * as vi"))[n];
  mkdirSync(`${root}.marginalia/test`, { recursive: true });
  const file = `${root}.marginalia/test/readme-example-${n}.ts`;
  writeFileSync(file, code[1]);
  return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Exports;
}

describe("the README's own models", () => {
  it("run as printed: the evidence is the one that quadrature finds", async () => {
    const { evidence, khat } = await example<{ evidence: Estimate; khat: number }>(0);
    const exact = exactLogEvidence();
    expect(Math.abs(evidence.value - exact)).toBeLessThan(4 * evidence.standardError);
    expect(evidence.standardError).toBeLessThan(0.05);
    expect(khat).toBeLessThan(0.7);
  });

  it("run as printed: the semi-implicit q comes near the banana, nearer than any Gaussian", async () => {
    const { elbo } = await example<{ elbo: MarginalSandwich }>(1);
    expect(elbo.reached).toBe(true);
    expect(elbo.upper.value).toBeLessThan(4 * elbo.upper.standardError); // log p(x) = 0
    // A Gaussian with var z₁ = u, the regression of z₂ and the conditional variance right has KL ½ (u − 1 − log u) + u²/.19; no other mean helps.
    const u = (Math.sqrt(0.25 + 4 / 0.19) - 0.5) / (4 / 0.19);
    const bestGaussian = (u - 1 - Math.log(u)) / 2 + u ** 2 / 0.19;
    expect(bestGaussian).toBeCloseTo(0.615, 3);
    expect(elbo.lower.value - 4 * elbo.lower.standardError).toBeGreaterThan(-bestGaussian / 6);
  });
});
