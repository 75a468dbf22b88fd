import { foldIn, type Key, permutation, split } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { checkFiniteRows } from "../engine/values.js";

/** One batch of rows. */
export interface Minibatch {
  /** `[S, P]`. */
  readonly x: Tensor2D;
  /** N/S, what a problem asks for as its `scale`. */
  readonly scale: number;
  /** Which rows of the data these are, `[S]`, int32. */
  readonly rows: Tensor1D;
}

/** Batches as a function of the step alone. */
export interface Minibatches {
  /** Batches in one pass. */
  readonly perEpoch: number;
  /** Step t transforms its batch with the key folded from this one by t. */
  readonly key: Key;
  /** The rows of a step's batch, from 0. */
  rowsAt(step: number): Int32Array;
  /** The batch of these rows, `[S]`: a pure function that a compiled step can record. */
  take(rows: Tensor1D, key: Key): Minibatch;
  /** The batch of a step, from 0; the caller disposes `x` and `rows`. */
  at(step: number): Minibatch;
}

/**
 * Shuffled minibatches without replacement: pass e goes through the rows in the order of a permutation drawn from (key, e).
 *
 * Every batch has exactly S rows; the N mod S rows left over sit out that pass (others each pass), so (N/S) Σ over a batch is an unbiased
 * estimate of the sum over the data.
 *
 * @param options.data `[N, P]`, finite.
 * @param options.size S, 1 ≤ S ≤ N.
 * @param options.transform what to make of a batch as it is drawn, for instance binarise its grey values at random. It must not change its shape.
 * @throws Error if the data are no matrix, are empty or hold a value that is not finite (the error names the first), or if S is out of range.
 */
export function minibatches(options: {
  readonly data: Tensor2D;
  readonly size: number;
  readonly key: Key;
  readonly transform?: (x: Tensor2D, key: Key) => Tensor2D;
}): Minibatches {
  const { data, size, key, transform } = options;
  checkShape("minibatches: data", data, ["*", "*"]);
  const n = data.shape[0];
  if (data.size === 0) throw new Error("minibatches: the data are empty; give them at least one row and one column.");
  if (!Number.isInteger(size) || size < 1 || size > n)
    throw new Error(`minibatches: size must be an integer from 1 to the ${n} rows of the data, not ${size}.`);
  checkFiniteRows("minibatches: data", data);
  const perEpoch = Math.floor(n / size);
  const [order, change] = split(key);
  let shuffled: { epoch: number; order: Int32Array } | undefined;
  const rowsAt = (step: number): Int32Array => {
    const epoch = Math.floor(step / perEpoch);
    if (shuffled?.epoch !== epoch) shuffled = { epoch, order: permutation(foldIn(order, epoch), n) };
    const start = (step % perEpoch) * size;
    return shuffled.order.slice(start, start + size);
  };
  const take = (rows: Tensor1D, batchKey: Key): Minibatch => {
    const x = tf.tidy(() => {
      const picked = tf.gather(data, rows) as Tensor2D;
      return transform ? transform(picked, batchKey) : picked;
    });
    return { x, scale: n / size, rows };
  };
  return {
    perEpoch,
    key: change,
    rowsAt,
    take,
    at: (step) => take(tf.tensor1d(rowsAt(step), "int32"), foldIn(change, step)),
  };
}
