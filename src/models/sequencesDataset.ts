import { type Sequences, selectSequences } from "../data/sequences.js";
import type { Dataset } from "./conjugateModel.js";

/** Sequences as a data set that batches can be taken of: a datum is a whole sequence. */
export function sequencesDataset(sequences: Sequences): Dataset<Sequences> {
  return { size: sequences.size, all: sequences, take: (rows) => selectSequences(sequences, rows) };
}
