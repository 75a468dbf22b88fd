import { executeNative, isNative } from "../engine/native.js";
import { formatShape } from "../engine/shape.js";
import { spreads } from "../engine/spreads.js";
import { type Tensor, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";

/** Options of {@link matMul}. */
export interface MatMulOptions {
  /** Multiply with aᵀ. */
  readonly transposeA?: boolean;
  /** Multiply with bᵀ. */
  readonly transposeB?: boolean;
}

/**
 * Products of matrices, `a b`, in the form that the backend runs fastest; differentiable any number of times.
 *
 * libtensorflow has two kernels for two matrices, `MatMul` and (what `tf.matMul` calls) `BatchMatMulV2`. The second costs 40 µs more to start, but
 * runs on several threads where the first, below a few megabytes, keeps to one. Transposes are flags, never copies, here and on the way back.
 *
 * @param a `[..., M, N]`, or `[..., N, M]` with `transposeA`.
 * @param b `[..., N, O]`, or `[..., O, N]` with `transposeB`, with the leading dimensions of a.
 * @returns `[..., M, O]`.
 * @throws Error if the leading dimensions or the inner sizes differ.
 */
export function matMul<T extends Tensor>(a: T, b: T, options: MatMulOptions = {}): T {
  const { transposeA = false, transposeB = false } = options;
  return differentiable(
    [a, b],
    (save) => {
      save([a, b]);
      return forward(a, b, transposeA, transposeB);
    },
    (dy, saved) => {
      const [a, b] = saved as [Tensor, Tensor];
      return [
        () =>
          transposeA
            ? matMul(b, dy, { transposeA: transposeB, transposeB: true })
            : matMul(dy, b, { transposeB: !transposeB }),
        () =>
          transposeB
            ? matMul(dy, a, { transposeA: true, transposeB: transposeA })
            : matMul(a, dy, { transposeA: !transposeA }),
      ];
    },
  ) as T;
}

function forward(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const [rows, inner] = sizes(a, transposeA);
  const [innerOfB, columns] = sizes(b, transposeB);
  if (inner !== innerOfB || `${a.shape.slice(0, -2)}` !== `${b.shape.slice(0, -2)}`) {
    const asked = transposeA || transposeB ? ", transposed as asked," : "";
    throw new Error(`matMul: ${formatShape(a.shape)} and ${formatShape(b.shape)}${asked} do not fit as matrices.`);
  }
  if (!isNative() || a.rank > 2 || spreads(rows, inner, columns)) return tf.matMul(a, b, transposeA, transposeB);
  const attributes = { T: { type: "float32" }, transpose_a: transposeA, transpose_b: transposeB } as const;
  return executeNative("MatMul", attributes, [a, b]);
}

function sizes({ shape }: Tensor, transposed: boolean): [number, number] {
  const [rows = 0, columns = 0] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}
