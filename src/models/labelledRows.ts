import { checkShape } from "../engine/shape.js";
import { type Tensor2D, tf } from "../engine/tf.js";

/**
 * The rows (label, inputs) that a {@link RegressionModel} reads, `[N, 1 + P]`.
 *
 * @param options.inputs `[N, P′]`, N ≥ 1.
 * @param options.labels N class numbers, 0 … C − 1.
 * @param options.classes C.
 * @param options.intercept whether to put a 1 before every row's inputs, so that P = 1 + P′. Default true.
 * @throws Error if there is not one label for each row, or a label is no class number.
 */
export function labelledRows(options: {
  readonly inputs: Tensor2D;
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  readonly intercept?: boolean;
}): Tensor2D {
  const { inputs, classes, intercept = true } = options;
  const labels = Array.from(options.labels);
  checkShape("labelledRows: inputs", inputs, ["*", "*"]);
  const n = inputs.shape[0];
  if (n === 0) throw new Error("labelledRows: there are no rows; give it at least one.");
  if (labels.length !== n)
    throw new Error(`labelledRows: ${labels.length} labels for ${n} rows; give one label a row.`);
  const bad = labels.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (bad !== -1)
    throw new Error(
      `labelledRows: the label of row ${bad} is ${labels[bad]}, but must be an integer from 0 to ${classes - 1}.`,
    );
  return tf.tidy(
    () => tf.concat([tf.tensor2d(labels, [n, 1]), ...(intercept ? [tf.ones([n, 1])] : []), inputs], 1) as Tensor2D,
  );
}
