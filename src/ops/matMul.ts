import { executeNative, isNative } from "../engine/native.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";

/** Options of {@link matMul}. */
export interface MatMulOptions {
  /** Multiply with aᵀ. */
  readonly transposeA?: boolean;
  /** Multiply with bᵀ. */
  readonly transposeB?: boolean;
}

/**
 * The product of two matrices, `a b`, in the form that the backend runs fastest; differentiable any number of times.
 *
 * libtensorflow has two kernels for it, `MatMul` and (what `tf.matMul` calls) `BatchMatMulV2`. The second costs 40 µs more to start, but
 * runs on several threads where the first, below a few megabytes, keeps to one. Transposes are flags, never copies, here and on the way back.
 *
 * @param a `[M, N]`, or `[N, M]` with `transposeA`.
 * @param b `[N, O]`, or `[O, N]` with `transposeB`.
 * @returns `[M, O]`.
 * @throws Error if the inner sizes differ.
 */
export function matMul(a: Tensor2D, b: Tensor2D, options: MatMulOptions = {}): Tensor2D {
  const { transposeA = false, transposeB = false } = options;
  return differentiable(
    [a, b],
    (save) => {
      save([a, b]);
      return forward(a, b, transposeA, transposeB);
    },
    (dy, saved) => {
      const [a, b, d] = [saved[0], saved[1], dy] as [Tensor2D, Tensor2D, Tensor2D];
      return [
        () =>
          transposeA
            ? matMul(b, d, { transposeA: transposeB, transposeB: true })
            : matMul(d, b, { transposeB: !transposeB }),
        () =>
          transposeB
            ? matMul(d, a, { transposeA: true, transposeB: transposeA })
            : matMul(a, d, { transposeA: !transposeA }),
      ];
    },
  ) as Tensor2D;
}

function forward(a: Tensor2D, b: Tensor2D, transposeA: boolean, transposeB: boolean): Tensor {
  const [rows, inner] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const columns = transposeB ? b.shape[0] : b.shape[1];
  if (inner !== (transposeB ? b.shape[1] : b.shape[0]))
    throw new Error(
      `matMul: the inner sizes of ${formatShape(a.shape)} and ${formatShape(b.shape)}${transposeA || transposeB ? ", transposed as asked," : ""} differ.`,
    );
  if (!isNative() || spreads(rows, inner, columns)) return tf.matMul(a, b, transposeA, transposeB);
  const attributes = { T: { type: "float32" }, transpose_a: transposeA, transpose_b: transposeB } as const;
  return executeNative("MatMul", attributes, [a, b]);
}

/**
 * Whether a product is worth several threads, yet one that `MatMul` would keep to one thread. Measured over 25 shapes on two cores:
 * 1000×200×200 takes .35 ms as a batch and .56 ms as `MatMul`, 100×50×50 .066 and .027, 1000×200×784 1.11 and 1.03.
 */
function spreads(rows: number, inner: number, columns: number): boolean {
  const bytes = 4 * (rows * inner + inner * columns + rows * columns);
  return rows * inner * columns >= 8e6 && bytes <= 4e6;
}
