import { choleskyFactor, choleskySolve } from "../diagnostics/choleskyFactor.js";
import { checkPoint, evaluateSum, type FiniteSum } from "../models/finiteSum.js";

/** What {@link newton} finds. */
export interface NewtonResult {
  /** `[D]`. */
  readonly point: Float64Array;
  readonly value: number;
  readonly gradientNorm: number;
  readonly steps: number;
  /** Whether no Newton step lowered the value any more. */
  readonly converged: boolean;
}

/**
 * The minimum of a convex sum by Newton's method with halved steps: the exact optimum, to rounding, that first-order methods are measured against.
 *
 * @param options.maxSteps - default 100.
 * @throws RangeError if the start is not D finite numbers or the Hessian is not positive definite.
 * Source: Nocedal & Wright 2006, "Numerical optimization", algorithm 3.2.
 */
export async function newton(options: {
  readonly sum: FiniteSum & { hessian(point: Float64Array): Float64Array };
  readonly start: Float64Array;
  readonly maxSteps?: number;
}): Promise<NewtonResult> {
  const { sum, start, maxSteps = 100 } = options;
  checkPoint("newton", sum, start);
  const D = sum.dimension;
  let point = Float64Array.from(start);
  let at = await evaluateSum(sum, point);
  for (let step = 0; ; step++) {
    const { value, gradient } = at;
    const factor = choleskyFactor(sum.hessian(point), D, "newton: the Hessian");
    const direction = choleskySolve(factor, D, Float64Array.from(gradient));
    const promised = gradient.reduce((total, g, d) => total + g * direction[d], 0);
    let [size, next, there] = [1, point, at];
    for (let halvings = 0; halvings < 50; halvings++, size /= 2) {
      next = point.map((x, d) => x - size * direction[d]);
      there = await evaluateSum(sum, next);
      if (there.value <= value - 1e-4 * size * promised) break;
    }
    const lower = there.value < value;
    // At the end values are equal to rounding, and the gradient still tells the better point.
    const flatter = Math.abs(there.value - value) <= 1e-14 * Math.abs(value) && norm(there.gradient) < norm(gradient);
    const converged = !(lower || flatter);
    if (converged || step === maxSteps) return { point, value, gradientNorm: norm(gradient), steps: step, converged };
    point = next;
    at = there;
  }
}

function norm(vector: Float64Array): number {
  return Math.hypot(...vector);
}
