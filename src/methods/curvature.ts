import type { SlopeOf } from "./numericSlope.js";

/**
 * −∇² log p times directions, by central differences of the gradient: `−[g(x + h v) − g(x − h v)] / 2h`, with Richardson's combination of h and 2h, whose error is O(h⁴).
 *
 * Differences, because a log-density of the user may use operations of tfjs that differentiate once only, some of them without a word. At h = 0.2 standard deviations the
 * rounding of float32 gradients and the error of the quotient are both about 2e-6 of the curvature, twice what second derivatives in float32 come to (measured on a logistic
 * regression with 22 coefficients).
 *
 * Where the two quotients differ by more than half a percent the density is not quadratic at that width, and the step is cut to a quarter, twice at most.
 *
 * @param point - x, `[D]`.
 * @param directions - `[n · D]`, row by row, each as long as one unit of it is to be, for instance a standard deviation.
 * @param step - h, in units of each direction. Default 0.2.
 * @returns `[n · D]`: the curvature times each direction.
 * @internal
 */
export function curvatureAlong(
  slope: SlopeOf,
  point: Float64Array,
  directions: Float64Array,
  step = 0.2,
): Float64Array {
  const D = point.length;
  const n = directions.length / D;
  const shifts = [step, -step, 2 * step, -2 * step];
  const points = new Float64Array(4 * n * D);
  for (let i = 0; i < n; i++) {
    shifts.forEach((shift, s) => {
      for (let d = 0; d < D; d++) points[(4 * i + s) * D + d] = point[d] + shift * directions[i * D + d];
    });
  }
  const { gradients } = slope(points);
  const out = new Float64Array(n * D);
  const coarse: number[] = [];
  for (let i = 0; i < n; i++) {
    // The step that float32 really took, along the direction.
    const taken = [0, 2].map((s) => stepTaken(points, directions, D, 4 * i + s, i));
    let [difference, size] = [0, 0];
    for (let d = 0; d < D; d++) {
      const [near, far] = [0, 2].map(
        (s) => (gradients[(4 * i + s + 1) * D + d] - gradients[(4 * i + s) * D + d]) / taken[s / 2],
      );
      out[i * D + d] = (4 * near - far) / 3;
      difference += (near - far) ** 2;
      size += near ** 2;
    }
    if (!(difference <= 5e-3 ** 2 * size) && step > 0.02) coarse.push(i);
  }
  if (coarse.length > 0) {
    const again = new Float64Array(coarse.length * D);
    for (const [j, i] of coarse.entries()) again.set(directions.subarray(i * D, (i + 1) * D), j * D);
    const finer = curvatureAlong(slope, point, again, step / 4);
    for (const [j, i] of coarse.entries()) out.set(finer.subarray(j * D, (j + 1) * D), i * D);
  }
  return out;
}

function stepTaken(points: Float64Array, directions: Float64Array, D: number, row: number, i: number): number {
  let [along, length] = [0, 0];
  for (let d = 0; d < D; d++) {
    const v = directions[i * D + d];
    along += v * (Math.fround(points[row * D + d]) - Math.fround(points[(row + 1) * D + d]));
    length += v * v;
  }
  return along / length;
}

/** How often the scales are taken anew at most. */
const passes = 12;

/**
 * The coordinates' conditional standard deviations 1/√Λ_dd at a point, `[D]`, and Λ's rows through `curvatureAlong`, each pass with the scales of the one before, until they agree.
 *
 * @param each - told Λ's row d (`[D]`) of the last pass.
 * @returns scales `[D]`.
 * @throws Error if a coordinate has no curvature downwards, one too sharp for float32 at the size of x, or one that depends on the width it is measured over.
 * @internal
 */
export function curvatureRows(
  slope: SlopeOf,
  point: Float64Array,
  each: (d: number, row: Float64Array) => void,
): Float64Array {
  const D = point.length;
  // First a step of a thousandth, which is short for most scales and not yet lost in float32.
  let scales = point.map((x) => 5e-3 * Math.max(1, Math.abs(x)));
  for (let pass = 0; ; pass++) {
    const next = new Float64Array(D);
    let [unsteady, lost]: (Fault | undefined)[] = [];
    for (let start = 0; start < D; start += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, D - start);
      const directions = new Float64Array(count * D);
      for (let i = 0; i < count; i++) directions[i * D + start + i] = scales[start + i];
      const products = curvatureAlong(slope, point, directions);
      for (let i = 0; i < count; i++) {
        const d = start + i;
        const row = products.slice(i * D, (i + 1) * D).map((value) => value / scales[d]);
        const downward = row[d] > 0 && row.every(Number.isFinite);
        // Too long a step leaves the peak, or the support: shorten it.
        next[d] = downward ? 1 / Math.sqrt(row[d]) : scales[d] / 10;
        const fault = { d, downward };
        if (!(Math.abs(Math.log(next[d] / scales[d])) < Math.LN2)) unsteady ??= fault;
        // Where a step hardly moves x in float32, nothing shorter will.
        if (!downward && scales[d] < resolution * Math.abs(point[d])) lost ??= fault;
        each(d, row);
      }
    }
    if (!unsteady) return next;
    if (lost || pass === passes - 1) throw new Error(complaint(lost ?? unsteady, point));
    scales = next;
  }
}

/** A coordinate whose scale was not found, and whether its last curvature was one downwards. */
interface Fault {
  readonly d: number;
  readonly downward: boolean;
}

function complaint({ d, downward }: Fault, point: Float64Array): string {
  if (downward)
    return `coordinate ${d} has a curvature at the point that was found that depends on the width it is measured over: the density is too far from a Gaussian there. Reparameterise it.`;
  const size = Math.abs(point[d]);
  const narrow =
    size > 1
      ? ` If it does, its peak is too narrow for float32 at ${size.toPrecision(3)}: subtract a constant from the unknown.`
      : "";
  return `coordinate ${d} has no downward curvature at the point that was found: it is no mode, or one flatter than any Gaussian's. Look for a direction along which the density does not fall (reparameterise, or give a prior).${narrow}`;
}

const rowsAtOnce = 64;

/** What float32 tells apart, as a share of a number's size. */
const resolution = 2 ** -23;
