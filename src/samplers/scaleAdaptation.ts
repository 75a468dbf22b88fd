/** A stretch of warm-up transitions, `from` included and `to` not. */
export interface ScaleWindow {
  readonly from: number;
  readonly to: number;
}

/**
 * The windows of warm-up after each of which the scale is estimated from the window's draws: 25, 50, 100, … transitions, between a first
 * 15 % that finds the typical set and a last 20 % that settles the step size.
 *
 * 1,000 transitions have windows that start at 150 and end at 175, 225, 325 and 800; fewer than 20 have none. Many chains fill a window soon, but share
 * one step size, whose average needs a hundred transitions to forget its first swings: so the last stretch is longer than Stan's.
 *
 * Source: Stan Reference Manual, "HMC algorithm parameters: automatic parameter tuning", for the windows.
 */
export function scaleWindows(warmUp: number): ScaleWindow[] {
  if (warmUp < 20) return [];
  const first = Math.floor(0.15 * warmUp);
  const end = warmUp - Math.floor(0.2 * warmUp);
  const windows: ScaleWindow[] = [];
  for (let from = first, size = 25; from < end; size *= 2) {
    // A window whose successor would not fit runs to the end.
    const to = from + 3 * size > end ? end : from + size;
    windows.push({ from, to });
    from = to;
  }
  return windows;
}

/** Standard deviations of every coordinate over all chains and the transitions of a window (Welford's update, Float64). */
export class ScaleEstimate {
  private readonly means: Float64Array;
  private readonly squares: Float64Array;
  private count = 0;

  /** @param dimension D. */
  constructor(dimension: number) {
    this.means = new Float64Array(dimension);
    this.squares = new Float64Array(dimension);
  }

  /** Takes in the positions of all chains, `[C, D]`. */
  add(positions: ArrayLike<number>): void {
    const dimension = this.means.length;
    for (let row = 0; row < positions.length; row += dimension) {
      this.count++;
      for (let d = 0; d < dimension; d++) {
        const difference = positions[row + d] - this.means[d];
        this.means[d] += difference / this.count;
        this.squares[d] += difference * (positions[row + d] - this.means[d]);
      }
    }
  }

  /** `[D]`, the variances drawn towards .001 with the weight of five draws, as Stan does, so that none is 0. */
  scale(): Float32Array {
    const { count } = this;
    return Float32Array.from(this.squares, (square) =>
      Math.sqrt((square / (count - 1)) * (count / (count + 5)) + (1e-3 * 5) / (count + 5)),
    );
  }
}
