import { expect, it } from "vitest";
import { redMites } from "../../src/data/redMites.js";
import { mean, variance } from "../../src/diagnostics/moments.js";
import { emptyEnvironment } from "./fixtures.js";

it("red mites come with the project: 172 on 150 leaves, with the moments that are published", async () => {
  const mites = await redMites({ environment: emptyEnvironment(), download: false });
  expect(mites).toMatchObject({ name: "red-mites" });
  expect(mites.source).toContain("Bliss & Fisher 1953");
  expect(Array.from(mites.values)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(Array.from(mites.frequencies)).toEqual([70, 38, 17, 10, 9, 3, 2, 1]);
  expect(mites.observations).toHaveLength(150);
  expect(mean(mites.observations)).toBeCloseTo(1.14667, 5);
  expect(variance(mites.observations)).toBeCloseTo(2.2736, 4);
});
