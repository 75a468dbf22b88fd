import { symmetricEigen } from "../diagnostics/symmetricEigen.js";
import { type Key, normal } from "../engine/random.js";
import { curvatureAlong } from "./curvature.js";
import { dot } from "./mode.js";
import type { SlopeOf } from "./numericSlope.js";

/** Λ ≈ diag(d)^½ (I + Vᵀ diag(λ) V) diag(d)^½. @internal */
export interface LowRankCurvature {
  /** λ, `[R]`, the largest first. */
  readonly values: Float64Array;
  /** V, `[R · D]`, orthonormal rows. */
  readonly directions: Float64Array;
}

/** Directions beyond the rank that the search draws, so as to miss none. */
const oversampling = 5;

/**
 * The R directions in which a curvature exceeds a diagonal one most, without ever forming it: a randomised search of the range, one power step, and the eigenvectors within.
 *
 * Exact where Λ − diag(d) has a rank of at most R, as that of N < D observations of a linear predictor with the prior's precision for d.
 *
 * Source: Halko, Martinsson & Tropp 2011, "Finding structure with randomness", algorithms 4.4 and 5.3.
 * @internal
 */
export function lowRankCurvature(inputs: {
  readonly slope: SlopeOf;
  readonly point: Float64Array;
  /** d > 0, `[D]`. */
  readonly diagonal: Float64Array;
  readonly rank: number;
  readonly key: Key;
}): LowRankCurvature {
  const { slope, point, diagonal, rank, key } = inputs;
  const D = point.length;
  const width = Math.min(D, rank + oversampling);
  const root = diagonal.map(Math.sqrt);
  /** `[diag(d)^−½ Λ diag(d)^−½ − I] v` for rows v of length 1, each difference as wide as the density is along it. */
  const excess = (rows: Float64Array): Float64Array => {
    const n = rows.length / D;
    let lengths = new Float64Array(n).fill(5e-3);
    let products = new Float64Array(rows.length);
    for (let pass = 0; pass < 3; pass++) {
      const directions = rows.map((value, k) => (value * lengths[Math.floor(k / D)]) / root[k % D]);
      const raw = curvatureAlong(slope, point, directions);
      products = raw.map((value, k) => value / lengths[Math.floor(k / D)] / root[k % D]);
      lengths = lengths.map((length, i) => {
        const along = dot(rows.subarray(i * D, (i + 1) * D), products.subarray(i * D, (i + 1) * D));
        return along > 0 ? 1 / Math.sqrt(along) : length;
      });
    }
    return products.map((value, k) => value - rows[k]);
  };
  const noise = normal(key, [width, D]);
  const start = Float64Array.from(noise.dataSync());
  noise.dispose();
  const once = orthonormal(excess(orthonormal(start, D)), D);
  const basis = orthonormal(excess(once), D);
  const images = excess(basis);
  const n = basis.length / D;
  const small = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const product = (a: number, b: number): number =>
        dot(basis.subarray(a * D, (a + 1) * D), images.subarray(b * D, (b + 1) * D));
      small[i * n + j] = (product(i, j) + product(j, i)) / 2;
    }
  }
  const { values, vectors } = symmetricEigen(small, n);
  const kept = Math.min(rank, n);
  const directions = new Float64Array(kept * D);
  for (let r = 0; r < kept; r++) {
    for (let i = 0; i < n; i++) {
      for (let d = 0; d < D; d++) directions[r * D + d] += vectors[r * n + i] * basis[i * D + d];
    }
  }
  return { values: values.slice(0, kept), directions };
}

/** Gram–Schmidt, twice; rows that depend on others up to rounding are left out. */
function orthonormal(rows: Float64Array, D: number): Float64Array {
  const kept: Float64Array[] = [];
  for (let i = 0; i < rows.length / D; i++) {
    const row = rows.slice(i * D, (i + 1) * D);
    const length = Math.sqrt(dot(row, row));
    for (let time = 0; time < 2; time++) {
      for (const other of kept) {
        const share = dot(other, row);
        for (let d = 0; d < D; d++) row[d] -= share * other[d];
      }
    }
    const left = Math.sqrt(dot(row, row));
    if (left > 1e-6 * length && left > 0) kept.push(row.map((value) => value / left));
  }
  const out = new Float64Array(kept.length * D);
  for (const [i, row] of kept.entries()) out.set(row, i * D);
  return out;
}
