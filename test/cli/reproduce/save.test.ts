import { expect, it } from "vitest";
import { withLightOutputs } from "../../../src/cli/reproduce/save.js";

const outputs = [
  { output_type: "stream" as const, name: "stdout", text: "hello\n" },
  {
    output_type: "display_data" as const,
    data: {
      "application/vnd.vegalite.v5+json": { mark: "line" },
      "image/svg+xml": "<svg/>",
      "image/png": "iVBORw0KGgo=",
      "text/html": "<b>x</b>",
      "text/plain": "Figure",
    },
    metadata: { "image/png": { width: 312 }, "application/vnd.vegalite.v5+json": { embed_options: {} } },
  },
];

const committed = {
  nbformat: 4,
  metadata: { kernelspec: { name: "marginalia" }, marginalia: { minutes: { quick: 0.2, standard: 9 } } },
  cells: [
    { cell_type: "markdown", source: "# Title", metadata: {} },
    { cell_type: "code", source: "draw()", metadata: { tags: ["a"] }, outputs: [], execution_count: null },
  ],
};

const executed = {
  ...committed,
  cells: [
    committed.cells[0]!,
    { cell_type: "code", source: "draw()", metadata: { execution: { started: "now" } }, outputs, execution_count: 1 },
  ],
};

it("keeps text and PNG, and the notebook's own sources and metadata", () => {
  const saved = withLightOutputs(committed, executed, 150);
  expect(saved.cells[0]).toEqual(committed.cells[0]);
  const cell = saved.cells[1]!;
  expect(cell.metadata).toEqual({ tags: ["a"] });
  expect(cell.execution_count).toBe(1);
  expect(cell.outputs![0]).toEqual(outputs[0]);
  expect(cell.outputs![1]!.data).toEqual({ "image/png": "iVBORw0KGgo=", "text/plain": "Figure" });
  expect(cell.outputs![1]!.metadata).toEqual({ "image/png": { width: 312 } });
});

it("notes the minutes of the standard profile and leaves the others", () => {
  const saved = withLightOutputs(committed, executed, 150);
  expect(saved.metadata.marginalia!.minutes).toEqual({ quick: 0.2, standard: 2.5 });
  expect(saved.metadata.kernelspec).toEqual({ name: "marginalia" });
});
