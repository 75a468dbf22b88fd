import ts from "@tslab/typescript-for-tslab";
import { describe, expect, it } from "vitest";
import { rewriteAwaits } from "../../src/jupyter/rewrite.js";

describe("rewriteAwaits", () => {
  it("knows an await before a parenthesis, as calls of imported functions are compiled", () => {
    const { kind, sites } = rewriteAwaits(ts, "exports.b = await (0, m.ready)();\nexports.c = await other;");
    expect(kind).toBe("generator");
    expect(sites).toEqual([
      { line: 0, column: 12 },
      { line: 1, column: 12 },
    ]);
  });

  it("leaves a cell without a top-level await plain", () => {
    expect(rewriteAwaits(ts, "const f = async () => await (0, m.ready)();")).toMatchObject({
      kind: "plain",
      sites: [],
    });
  });
});
