import { expect } from "vitest";
import type { BackendName } from "../../src/engine/backend.js";
import { type Tensor, tf } from "../../src/engine/tf.js";

/** The backends every numerical test runs on. */
export const backends: readonly BackendName[] = ["tensorflow", "wasm", "cpu"];

/** A tensor's values as ordinary numbers; the tensor is disposed. */
export function read(tensor: Tensor): number[] {
  const values = Array.from(tensor.dataSync());
  tensor.dispose();
  return values;
}

/** √n times the Kolmogorov–Smirnov distance between draws and a continuous cdf; above 1.95 with probability .001. */
export function kolmogorovSmirnov(draws: readonly number[], cdf: (x: number) => number): number {
  const sorted = [...draws].sort((a, b) => a - b);
  const n = sorted.length;
  let distance = 0;
  sorted.forEach((x, i) => {
    const p = cdf(x);
    distance = Math.max(distance, Math.abs(p - i / n), Math.abs((i + 1) / n - p));
  });
  return Math.sqrt(n) * distance;
}

/** Φ(x) by the series of the error function (|x| ≤ 5) and 0 or 1 beyond, good to 1e-6. */
export function normalCdf(x: number): number {
  if (Math.abs(x) > 5) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-12; k++) {
    term *= (x * x) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

export function variance(values: readonly number[]): number {
  const m = mean(values);
  return values.reduce((sum, x) => sum + (x - m) ** 2, 0) / (values.length - 1);
}

/** Expects every value within `tolerance · max(1, |expected|)` of the expected one. */
export function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    const target = expected[i]!;
    if (!Number.isFinite(target)) expect(value).toBe(target);
    else
      expect(Math.abs(value - target), `[${i}] ${value} against ${target}`).toBeLessThanOrEqual(
        tolerance * Math.max(1, Math.abs(target)),
      );
  });
}

/** Runs `make`, disposes what it returns, and expects that no tensor was left behind. */
export function expectNoLeak(make: () => Tensor | readonly Tensor[]): void {
  const before = tf.memory().numTensors;
  const made = [make()].flat();
  expect(tf.memory().numTensors - before).toBe(made.length);
  for (const tensor of made) tensor.dispose();
}
