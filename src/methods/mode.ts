import { breathe } from "../engine/interrupt.js";
import type { SlopeOf } from "./numericSlope.js";

/** A point where a log-density is largest, as far as was sought. */
export interface Mode {
  /** `[D]`. */
  readonly point: Float64Array;
  readonly logDensity: number;
  /** `[D]`. */
  readonly gradient: Float64Array;
  readonly steps: number;
  /** Whether the search ended because nothing rose any more. */
  readonly converged: boolean;
}

/** How to seek a mode. */
export interface ModeOptions {
  readonly slope: SlopeOf;
  /** `[D]`. */
  readonly start: Float64Array;
  /** Default 500. */
  readonly maxSteps?: number;
}

/** Pairs of steps and gradient changes that are remembered. */
const memory = 10;
/** What float32 makes of a sum of terms, as a share of its size. */
const rounding = 2 ** -22;

/**
 * The mode of a log-density by L-BFGS in Float64 on gradients in float32: direction by the two-loop recursion, step halved until the log-density rises by a share of what its
 * slope promises.
 *
 * It ends where the log-density no longer rises beyond its rounding; Newton steps with the curvature then add what digits there are.
 *
 * @throws Error if the log-density or its gradient is not finite at the start.
 * Source: Nocedal & Wright 2006, "Numerical optimization", algorithms 7.4 and 7.5.
 * @internal
 */
export async function findMode({ slope, start, maxSteps = 500 }: ModeOptions): Promise<Mode> {
  let point = Float64Array.from(start);
  let at = evaluate(slope, point);
  if (!at)
    throw new Error(
      "The log-density or its gradient is not finite at the start; start inside the support, away from log 0.",
    );
  const history: { readonly moved: Float64Array; readonly changed: Float64Array; readonly curvature: number }[] = [];
  for (let step = 0; step < maxSteps; step++) {
    await breathe();
    const direction = ascent(at.gradient, history);
    const promised = dot(direction, at.gradient);
    const slack = rounding * Math.max(1, Math.abs(at.value));
    if (!(promised > slack / 10))
      return { point, logDensity: at.value, gradient: at.gradient, steps: step, converged: true };
    let next: { value: number; gradient: Float64Array } | undefined;
    let moved = point;
    // The first direction has the gradient's length, which says nothing of how far to go.
    let size = history.length === 0 ? Math.min(1, 1 / Math.hypot(...at.gradient)) : 1;
    for (let halvings = 0; halvings < 40; halvings++, size /= 2) {
      moved = point.map((x, d) => x + size * direction[d]);
      next = evaluate(slope, moved);
      if (next && next.value >= at.value + 1e-4 * size * promised - slack) break;
      next = undefined;
    }
    if (!next) return { point, logDensity: at.value, gradient: at.gradient, steps: step, converged: true };
    const { gradient } = next;
    const difference = moved.map((x, d) => x - point[d]);
    const changed = gradient.map((g, d) => (at as { gradient: Float64Array }).gradient[d] - g);
    const curvature = dot(difference, changed);
    if (curvature > 1e-10 * Math.hypot(...difference) * Math.hypot(...changed)) {
      history.push({ moved: difference, changed, curvature });
      if (history.length > memory) history.shift();
    }
    const gain = next.value - at.value;
    point = moved;
    at = next;
    if (Math.abs(gain) <= slack && Math.max(...gradient.map(Math.abs)) === 0)
      return { point, logDensity: at.value, gradient, steps: step + 1, converged: true };
  }
  return { point, logDensity: at.value, gradient: at.gradient, steps: maxSteps, converged: false };
}

/** The L-BFGS direction uphill. */
function ascent(
  gradient: Float64Array,
  history: readonly { readonly moved: Float64Array; readonly changed: Float64Array; readonly curvature: number }[],
): Float64Array {
  const direction = Float64Array.from(gradient);
  const shares: number[] = [];
  for (const { moved, changed, curvature } of [...history].reverse()) {
    const share = dot(moved, direction) / curvature;
    shares.push(share);
    for (let d = 0; d < direction.length; d++) direction[d] -= share * changed[d];
  }
  const last = history.at(-1);
  if (last) {
    const scale = last.curvature / dot(last.changed, last.changed);
    for (let d = 0; d < direction.length; d++) direction[d] *= scale;
  }
  history.forEach(({ moved, changed, curvature }, i) => {
    const correction = shares[history.length - 1 - i] - dot(changed, direction) / curvature;
    for (let d = 0; d < direction.length; d++) direction[d] += correction * moved[d];
  });
  return direction;
}

function evaluate(slope: SlopeOf, point: Float64Array): { value: number; gradient: Float64Array } | undefined {
  const { values, gradients } = slope(point);
  return Number.isFinite(values[0]) && gradients.every((g) => Number.isFinite(g))
    ? { value: values[0], gradient: gradients }
    : undefined;
}

/** aᵀ b. */
export function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}
