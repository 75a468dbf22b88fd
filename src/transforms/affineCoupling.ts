import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { type Bijection, checkCount, ending } from "./bijection.js";

/** Options of {@link affineCoupling}. */
export interface AffineCouplingOptions {
  /** D ≥ 2. */
  readonly dimension: number;
  /** Which entries move: the first ⌊D/2⌋, or the others. */
  readonly moves: "first" | "last";
  /** s and t of the entries that stay, `[..., number that move]` each; any function, differentiable as often as the map shall be. */
  given(kept: Tensor): { readonly logScale: Tensor; readonly shift: Tensor };
}

/**
 * An affine coupling: some entries of x stay, the others are scaled and shifted by functions of those that stay,
 *
 * y_kept = x_kept, y_moved = x_moved · exp(s(x_kept)) + t(x_kept),  log |det ∂y/∂x| = Σ s(x_kept).
 *
 * s and t need not be invertible for the map to be. Two in turn, the second moving what the first kept, move everything.
 *
 * @throws Error if D is no integer of at least 2.
 * Source: Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using Real NVP", section 3.2.
 */
export function affineCoupling(options: AffineCouplingOptions): Bijection<Tensor2D> {
  const { dimension, moves, given } = options;
  checkCount("affineCoupling: dimension", dimension, 2);
  const half = Math.floor(dimension / 2);
  const shape = [dimension];
  const apart = (name: string, x: Tensor): { readonly kept: Tensor; readonly moved: Tensor } => {
    const [first, last] = tf.split(ending(`affineCoupling: ${name}`, x, shape), [half, dimension - half], -1);
    return moves === "first" ? { kept: last!, moved: first! } : { kept: first!, moved: last! };
  };
  const joined = (kept: Tensor, moved: Tensor): Tensor =>
    tf.concat(moves === "first" ? [moved, kept] : [kept, moved], -1);
  return {
    name: "affineCoupling",
    shape,
    unconstrainedShape: shape,
    forward: (x) =>
      tf.tidy(() => {
        const { kept, moved } = apart("x", x);
        const { logScale, shift } = given(kept);
        return joined(kept, tf.add(tf.mul(moved, exp(logScale)), shift));
      }),
    inverse: (y) =>
      tf.tidy(() => {
        const { kept, moved } = apart("y", y);
        const { logScale, shift } = given(kept);
        return joined(kept, tf.mul(tf.sub(moved, shift), exp(tf.neg(logScale))));
      }),
    logDeterminant: (x) => tf.tidy(() => tf.sum(given(apart("x", x).kept).logScale, -1)),
  };
}
