import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { addObservation, normalWishartFamily } from "../../src/families/normalWishartFamily.js";
import { gatheredMoments, moveObservation } from "../../src/families/normalWishartMoments.js";
import { uniforms } from "../../src/models/randomStart.js";

const D = 2;
const N = 60;
const draws = uniforms(randomKey(3), N * D + 2 * N * 40);
const prior = (centre: number) => ({
  mean: Float64Array.of(centre, centre + 0.5),
  meanPrecision: 0.3,
  inverseScale: Float64Array.of(1, 0.2, 0.2, 1.5),
  degrees: 3.5,
});
const pointsAbout = (centre: number): Float64Array => draws.slice(0, N * D).map((u) => centre + 6 * (u - 0.5));

describe("moments of a Normal–Wishart", () => {
  it("are those of the natural parameters, gathered or moved", () => {
    const [family, values] = [normalWishartFamily(D), pointsAbout(1)];
    const weights = draws.slice(N * D, N * D + N);
    const natural = family.natural(prior(0));
    const moved = gatheredMoments(prior(0), values, () => 0);
    for (let i = 0; i < N; i++) {
      addObservation(natural, 0, D, values, i * D, weights[i]);
      moveObservation(moved, values, i * D, weights[i]);
    }
    const expected = family.parameters(natural);
    for (const moments of [moved, gatheredMoments(prior(0), values, (row) => weights[row])]) {
      expect(moments.meanPrecision).toBeCloseTo(expected.meanPrecision, 11);
      expect(moments.degrees).toBeCloseTo(expected.degrees, 11);
      moments.mean.forEach((m, d) => {
        expect(m).toBeCloseTo(expected.mean[d], 11);
      });
      moments.inverseScale.forEach((s, at) => {
        expect(s).toBeCloseTo(expected.inverseScale[at], 10);
      });
    }
  });

  it("are after 2400 moves what they are from scratch, also far from zero, where natural parameters lose every digit", () => {
    for (const centre of [0, 1e8]) {
      const values = pointsAbout(centre);
      const weights = new Float64Array(N).fill(1);
      const moments = gatheredMoments(prior(centre), values, () => 1);
      for (let move = 0; move < 40 * N; move++) {
        const i = move % N;
        moveObservation(moments, values, i * D, -weights[i]);
        weights[i] = draws[N * D + move];
        moveObservation(moments, values, i * D, weights[i]);
      }
      const scratch = gatheredMoments(prior(centre), values, (row) => weights[row]);
      expect(moments.meanPrecision / scratch.meanPrecision).toBeCloseTo(1, 12);
      // Positions near 1e8 are themselves known to 1.5e-8.
      const digits = centre === 0 ? 11 : 6;
      moments.inverseScale.forEach((s, at) => {
        expect(s / scratch.inverseScale[0]).toBeCloseTo(scratch.inverseScale[at] / scratch.inverseScale[0], digits);
      });
      moments.mean.forEach((m, d) => {
        expect(m - centre).toBeCloseTo(scratch.mean[d] - centre, digits);
      });
    }
  });
});
