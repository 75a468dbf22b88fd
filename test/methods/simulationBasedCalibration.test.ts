import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Key, normal, randomKey, split } from "../../src/engine/random.js";
import { simulationBasedCalibration } from "../../src/methods/simulationBasedCalibration.js";
import { read } from "../engine/support.js";

beforeAll(async () => {
  await ready({ backend: "cpu" });
});

const draw = (key: Key, n = 1): number[] => read(normal(key, [n]));

/** z ~ N(0, 1), x ~ N(z, 1): the posterior is N(x/2, ½). */
const simulate = (key: Key): { truth: { z: number }; data: number } => {
  const [a, b] = split(key);
  const z = draw(a)[0];
  return { truth: { z }, data: z + draw(b)[0] };
};
const q =
  (shift: number, scale: number) =>
  (x: number, key: Key): { z: number[] } => ({
    z: draw(key, 400).map((noise) => x / 2 + shift + scale * Math.SQRT1_2 * noise),
  });
const run = (shift: number, scale: number) =>
  simulationBasedCalibration({ simulate, approximate: q(shift, scale), replicates: 400, key: randomKey(1) });

describe("simulationBasedCalibration", () => {
  it("finds the exact posterior uniform and symmetric", async () => {
    const [z] = await run(0, 1);
    expect(z.name).toBe("z");
    expect(z.probabilities).toHaveLength(400);
    expect(z.uniformity.pValue).toBeGreaterThan(0.01);
    expect(z.symmetry.pValue).toBeGreaterThan(0.01);
  });

  it("finds a q too narrow symmetric, but not uniform", async () => {
    const [z] = await run(0, 0.4);
    expect(z.uniformity.pValue).toBeLessThan(1e-4);
    expect(z.symmetry.pValue).toBeGreaterThan(0.01);
  });

  it("finds a biased q not symmetric, and says which way", async () => {
    const [high] = await run(0.4, 1);
    expect(high.symmetry.pValue).toBeLessThan(1e-4);
    expect(high.symmetry.bias.value).toBeLessThan(-4 * high.symmetry.bias.standardError);
    const [low] = await run(-0.4, 1);
    expect(low.symmetry.bias.value).toBeGreaterThan(4 * low.symmetry.bias.standardError);
  });

  it("tells how far it is, and refuses bad input in a sentence", async () => {
    const seen: number[] = [];
    const options = { simulate, approximate: q(0, 1), replicates: 5, key: randomKey(2) };
    await simulationBasedCalibration({ ...options, onProgress: ({ done }) => void seen.push(done) });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    await expect(simulationBasedCalibration({ ...options, replicates: 4 })).rejects.toThrow("at least 5, not 4");
    await expect(simulationBasedCalibration({ ...options, approximate: () => ({}) })).rejects.toThrow(
      'approximate returned no draws of "z"',
    );
  });
});
