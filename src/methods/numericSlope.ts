import { onOwnTape } from "../engine/ownTape.js";
import { tf } from "../engine/tf.js";
import { type LogDensity, slopeAt } from "../samplers/slope.js";

/** Log-density and gradient at points, as numbers. */
export interface NumericSlope {
  /** `[n]`. */
  readonly values: Float64Array;
  /** `[n · D]`, row by row. */
  readonly gradients: Float64Array;
}

/** A log-density with its gradient as a function of numbers: points `[n · D]`, row by row. */
export type SlopeOf = (points: Float64Array) => NumericSlope;

/** Numbers that one call hands to the backend at most. */
const numbersAtOnce = 1 << 16;

/**
 * A log-density on tensors as a function of numbers: many points in few calls. The points are rounded to float32, and so is what comes back.
 *
 * @internal
 */
export function numericSlope(logDensity: LogDensity, dimension: number): SlopeOf {
  const rowsAtOnce = Math.max(1, Math.floor(numbersAtOnce / dimension));
  return (points) => {
    const n = points.length / dimension;
    const values = new Float64Array(n);
    const gradients = new Float64Array(points.length);
    for (let start = 0; start < n; start += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, n - start);
      const rows = Float32Array.from(points.subarray(start * dimension, (start + count) * dimension));
      tf.tidy(() => {
        const slope = onOwnTape(() => slopeAt(logDensity, tf.tensor2d(rows, [count, dimension])));
        values.set(slope.logDensity.dataSync<"float32">(), start);
        gradients.set(slope.gradient.dataSync<"float32">(), start * dimension);
      });
    }
    return { values, gradients };
  };
}
