import { checkSparseRows, type SparseRows, selectSparseRows } from "../data/sparseRows.js";
import type { Dataset } from "./conjugateModel.js";

/**
 * A sparse matrix as a data set that batches can be taken of: a datum is a row.
 *
 * @throws RangeError if it has no rows or is malformed, as `checkSparseRows` tells.
 */
export function sparseDataset(matrix: SparseRows): Dataset<SparseRows> {
  if (matrix.size === 0) throw new RangeError("sparseDataset: the matrix has no rows; give it at least one.");
  checkSparseRows("sparseDataset", matrix);
  return { size: matrix.size, all: matrix, take: (rows) => selectSparseRows(matrix, rows) };
}
