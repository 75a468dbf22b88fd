import { beforeAll, expect, test } from "vitest";
import { Gamma } from "../../src/distributions/gamma.js";
import { Normal } from "../../src/distributions/normal.js";
import { Poisson } from "../../src/distributions/poisson.js";
import { Stacked } from "../../src/distributions/stacked.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { expectClose, mean, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

test("parts of one law are drawn apart from each other", () => {
  const n = 10_000;
  const standard = new Normal({ mean: 0, scale: 1 });
  const draws = read(new Stacked({ parts: [standard, standard] }).sample(randomKey(1), [n]));
  const products = Array.from({ length: n }, (_, i) => draws[2 * i]! * draws[2 * i + 1]!);
  expect(Math.abs(mean(products))).toBeLessThan(4 / Math.sqrt(n));
});

test("is reparameterised as far as all parts are, and its entropy is theirs", () => {
  const [normal, gamma] = [new Normal({ mean: 0, scale: 2 }), new Gamma({ concentration: 3, rate: 2 })];
  const both = new Stacked({ parts: [normal, gamma] });
  expect(both.reparameterised).toBe(true);
  expect(new Stacked({ parts: [normal, new Poisson({ rate: 1 })] }).reparameterised).toBe(false);
  expectClose(read(both.entropy()), [read(normal.entropy())[0]! + read(gamma.entropy())[0]!], 1e-6);
});
