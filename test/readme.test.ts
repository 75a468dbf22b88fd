import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type { Estimate } from "../src/diagnostics/moments.js";
import { gaussHermite, logIntegral, productRule } from "../src/diagnostics/quadrature.js";

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

describe("the README's own model", () => {
  it("runs as printed and finds the evidence that quadrature finds", async () => {
    const readme = readFileSync(`${root}README.md`, "utf8");
    const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
    expect(code).toContain("logDensity");
    mkdirSync(`${root}.marginalia/test`, { recursive: true });
    const file = `${root}.marginalia/test/readme-example.ts`;
    writeFileSync(file, code as string);
    const { evidence, khat } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
      evidence: Estimate;
      khat: number;
    };
    const exact = exactLogEvidence();
    expect(Math.abs(evidence.value - exact)).toBeLessThan(4 * evidence.standardError);
    expect(evidence.standardError).toBeLessThan(0.05);
    expect(khat).toBeLessThan(0.7);
  });
});
