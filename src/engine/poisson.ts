import { isNative } from "./native.js";
import { offTape } from "./offTape.js";
import { type Key, portableElements, statelessNative, unit } from "./random.js";
import { type Tensor, tf } from "./tf.js";
import type { Words } from "./threefry.js";

/**
 * Independent draws from the Poisson distribution, P(n) = λⁿ e^(−λ) / n!.
 *
 * By multiplying uniforms below λ = 10 (Knuth) and by transformed rejection from there on (Hörmann), libtensorflow's own or portable. No gradient flows
 * through the draws.
 *
 * @param rate λ ≥ 0, finite; where it is not the draw is NaN (nothing is read, so that the draw can be compiled).
 * @param sampleShape leading shape of independent draws.
 * @returns counts as float32 (exact to 2²⁴, rounded beyond), `[...sampleShape, ...rate.shape]`.
 * Source: Hörmann 1993, "The transformed rejection method for generating Poisson random variables", algorithm PTRS.
 */
export function poisson(key: Key, rate: Tensor, sampleShape: readonly number[] = []): Tensor {
  return offTape(() => {
    const lambda = tf.cast(rate, "float32");
    if (!isNative()) return portableElements(key, lambda, sampleShape, poissonElement);
    // Given NaN or ∞ the native rejection would never end.
    const valid = tf.logicalAnd(tf.greaterEqual(lambda, 0), tf.less(lambda, Number.POSITIVE_INFINITY));
    const parameters = [tf.where(valid, lambda, 0)];
    const types = { Rtype: { type: "float32" } } as const;
    const shape = [...sampleShape, ...rate.shape];
    const counts = statelessNative("StatelessRandomPoisson", key, shape, { parameters, types });
    return tf.add(counts, tf.where(valid, 0, tf.scalar(Number.NaN)));
  });
}

function poissonElement(rate: number, block: (j: number) => Words): number {
  if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY)) return Number.NaN;
  return rate < 10 ? byMultiplication(rate, block) : byTransformedRejection(rate, block);
}

/** How many uniforms can be multiplied before the product falls below e^(−λ). */
function byMultiplication(rate: number, block: (j: number) => Words): number {
  const end = Math.exp(-rate);
  let product = 1;
  for (let n = 0; ; n++) {
    product *= unit(block(n >>> 1)[n % 2]!);
    if (product <= end) return n;
  }
}

/** Algorithm PTRS; the constants are the paper's, and with them the law is exact to 1e-6 in total variation (where the hat dips below the masses). */
function byTransformedRejection(rate: number, block: (j: number) => Words): number {
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const surelyAccepted = 0.9277 - 3.6224 / (b - 2);
  for (let j = 0; ; j++) {
    const words = block(j);
    const u = unit(words[0]) - 0.5;
    const v = unit(words[1]);
    const edge = 0.5 - Math.abs(u);
    const n = Math.floor(((2 * a) / edge + b) * u + rate + 0.43);
    if (edge >= 0.07 && v <= surelyAccepted) return n;
    if (n < 0 || (edge < 0.013 && v > edge)) continue;
    if (Math.log((v * inverseAlpha) / (a / edge ** 2 + b)) <= logMass(n, rate)) return n;
  }
}

/** log P(n) = n log λ − λ − log n!, by Stirling's series for n ≥ 10 so that nothing large cancels. */
function logMass(n: number, rate: number): number {
  if (n < 10) {
    let sum = -rate;
    for (let i = 1; i <= n; i++) sum += Math.log(rate / i);
    return sum;
  }
  const excess = (rate - n) / n;
  const series = 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
  return n * (Math.log1p(excess) - excess) - 0.5 * Math.log(2 * Math.PI * n) - series;
}
