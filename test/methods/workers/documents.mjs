// A worker's module of a test's own: LDA over documents that it is started with, and ways to go wrong.
import { rowsMap } from "../../../dist/methods/statisticsPool.js";
import { corpusDataset } from "../../../dist/models/corpusDataset.js";
import { latentDirichletAllocation } from "../../../dist/models/latentDirichletAllocation.js";

export function statistics({ model, corpus, fail }) {
  if (fail === "start") throw new RangeError("no data here.");
  const map = rowsMap(latentDirichletAllocation(model), corpusDataset(corpus));
  let calls = 0;
  return (global, rows) => {
    calls++;
    if (fail === "throw" && calls === 3) throw new Error("the third step is too much.");
    if (fail === "exit" && calls === 3) process.exit(7);
    if (fail === "hang" && calls === 3) for (;;);
    return map(global, rows);
  };
}
