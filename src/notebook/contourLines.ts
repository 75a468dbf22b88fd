/** Lines of equal value of a function on a grid, by marching squares. */
import type { GridAxis } from "./heatmaps.js";

/** A line of equal value; a closed one ends where it begins. */
export type ContourLine = readonly { readonly x: number; readonly y: number }[];

/**
 * The lines on which a function on a grid takes a value: linear between grid points, open only where they leave the grid.
 *
 * Every cell whose corners lie on both sides of the level is crossed; where two opposite corners are above and two below, the mean of the four says which of
 * them are joined.
 *
 * @param grid.values `values[j · x.points + i]` is the value at (x_i, y_j).
 * @throws Error if the values do not fit the grid, or one is not finite.
 */
export function contourLines(
  grid: { readonly x: GridAxis; readonly y: GridAxis; readonly values: ArrayLike<number> },
  level: number,
): ContourLine[] {
  const { x, y, values } = grid;
  const columns = x.points;
  if (values.length !== columns * y.points)
    throw new Error(
      `A contour needs a value at each of the ${columns} × ${y.points} grid points, not ${values.length} values.`,
    );
  const bad = Array.prototype.findIndex.call(values, (value: number) => !Number.isFinite(value));
  if (bad !== -1) throw new Error(`The function is ${values[bad]} at grid point ${bad}: it has no contour there.`);
  const above = (i: number, j: number): boolean => values[j * columns + i]! >= level;

  // An edge of the grid is numbered by its lower left point: 2n goes right from point n, 2n + 1 up. Each crossed one has one or two neighbours on the line.
  const neighbours = new Map<number, number[]>();
  const join = (a: number, b: number): void => {
    neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
    neighbours.set(b, [...(neighbours.get(b) ?? []), a]);
  };
  for (let j = 0; j + 1 < y.points; j++) {
    for (let i = 0; i + 1 < columns; i++) {
      const n = j * columns + i;
      const [bottom, left, top, right] = [2 * n, 2 * n + 1, 2 * (n + columns), 2 * (n + 1) + 1];
      const [a, b, c, d] = [above(i, j), above(i + 1, j), above(i + 1, j + 1), above(i, j + 1)]; // counter-clockwise
      if (a === c && b === d && a !== b) {
        const mean = (values[n]! + values[n + 1]! + values[n + columns]! + values[n + columns + 1]!) / 4;
        const joinsA = mean >= level === a; // the corners a and c belong together: cut off b and d
        join(bottom, joinsA ? right : left);
        join(top, joinsA ? left : right);
        continue;
      }
      const crossed = [a !== b && bottom, b !== c && right, c !== d && top, d !== a && left].filter((e) => e !== false);
      if (crossed.length === 2) join(crossed[0]!, crossed[1]!);
    }
  }

  const at = (edge: number): { x: number; y: number } => {
    const n = Math.floor(edge / 2);
    const [i, j, other] = [n % columns, Math.floor(n / columns), edge % 2 === 0 ? n + 1 : n + columns];
    const share = (level - values[n]!) / (values[other]! - values[n]!);
    return {
      x: x.from + ((x.to - x.from) * (i + (edge % 2 === 0 ? share : 0))) / (x.points - 1),
      y: y.from + ((y.to - y.from) * (j + (edge % 2 === 0 ? 0 : share))) / (y.points - 1),
    };
  };
  const follow = (start: number): ContourLine => {
    const line = [at(start)];
    for (let edge: number | undefined = start; edge !== undefined; ) {
      const next: number | undefined = neighbours.get(edge)?.pop();
      if (next === undefined) break;
      const back = neighbours.get(next)!;
      back.splice(back.indexOf(edge), 1);
      line.push(at(next));
      edge = next;
    }
    return line;
  };
  const ends = [...neighbours.keys()].filter((edge) => neighbours.get(edge)!.length === 1);
  const lines: ContourLine[] = [];
  for (const edge of [...ends, ...neighbours.keys()]) if (neighbours.get(edge)!.length > 0) lines.push(follow(edge));
  return lines;
}

/**
 * The levels above which a density on a grid holds given shares of its mass: the edges of its highest-density regions.
 *
 * @param values the density, on a grid that holds nearly all of it.
 * @param shares each in (0, 1).
 * @throws Error if a share is out of range, or the density is negative or 0 throughout.
 */
export function massLevels(values: ArrayLike<number>, shares: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort().reverse();
  const total = sorted.reduce((sum, value) => sum + value, 0);
  if (!(total > 0) || !(sorted[sorted.length - 1]! >= 0))
    throw new Error("massLevels: the values must be a density, nowhere negative and somewhere positive.");
  const cumulative = new Float64Array(sorted.length);
  sorted.forEach((value, i) => {
    cumulative[i] = (cumulative[i - 1] ?? 0) + value / total;
  });
  return shares.map((share) => {
    if (!(share > 0 && share < 1))
      throw new Error(`massLevels: a share of the mass must be between 0 and 1, not ${share}.`);
    return sorted[cumulative.findIndex((mass) => mass >= share)] ?? sorted[sorted.length - 1]!;
  });
}
