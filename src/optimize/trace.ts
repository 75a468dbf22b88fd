/** One point of the trace: a row of a table. */
export type TracePoint = {
  /** How many steps had been taken. */
  readonly step: number;
  /** Mean objective over the steps since the point before, averaged over data. */
  readonly value: number;
  /** Root mean square of the gradient's norm over the same steps; null where the steps do not give it. */
  readonly gradientNorm: number | null;
  /** Seconds since the start, spent running. */
  readonly seconds: number;
};

/** What one step adds to a trace. */
export interface TraceStep {
  /** How many steps have been taken with it. */
  readonly step: number;
  readonly value: number;
  readonly gradientNorm: number | null;
  readonly seconds: number;
}

/** Sums over the steps since the last point. */
export interface PartialPoint {
  readonly count: number;
  readonly sum: number;
  /** Σ ‖g‖² */
  readonly squares: number;
  /** The last step; null where there is none. */
  readonly last: TraceStep | null;
}

/** A trace as it grows. */
export interface Tracer {
  readonly every: number;
  /** The complete points. */
  readonly points: readonly TracePoint[];
  /** What the next point has so far. */
  readonly partial: PartialPoint;
  add(step: TraceStep): void;
  /** All points, with one of the steps that are left over at the end. */
  finished(): readonly TracePoint[];
}

/** A trace with a point every so many steps, from the start or from where another left off. */
export function tracer(
  every: number,
  from: { readonly trace: readonly TracePoint[]; readonly partial: PartialPoint } = { trace: [], partial: nothing },
): Tracer {
  const points = [...from.trace];
  let partial = from.partial;
  return {
    every,
    points,
    get partial() {
      return partial;
    },
    add: (last) => {
      const { count, sum, squares } = partial;
      partial = {
        count: count + 1,
        sum: sum + last.value,
        squares: squares + (last.gradientNorm ?? 0) ** 2,
        last,
      };
      if (last.step % every !== 0) return;
      points.push(pointOf(partial, last));
      partial = { ...nothing, last };
    },
    finished: () => (partial.last && partial.count > 0 ? [...points, pointOf(partial, partial.last)] : points),
  };
}

const nothing: PartialPoint = { count: 0, sum: 0, squares: 0, last: null };

function pointOf({ count, sum, squares }: PartialPoint, { step, gradientNorm, seconds }: TraceStep): TracePoint {
  return {
    step,
    value: sum / count,
    gradientNorm: gradientNorm === null ? null : Math.sqrt(squares / count),
    seconds,
  };
}
