import { expect, it } from "vitest";
import { documentationProblems } from "../../src/cli/test/docs.js";

it("lists typedoc's warnings and errors, and not their count", () => {
  const output = [
    "[info] html generated",
    "[warning] elbo, defined in src/bounds/elbo.ts, does not have any documentation",
    "[error] src/index.ts has no exports",
    "[warning] Found 1 errors and 1 warnings",
  ].join("\n");
  expect(documentationProblems(output)).toEqual([
    "[warning] elbo, defined in src/bounds/elbo.ts, does not have any documentation",
    "[error] src/index.ts has no exports",
  ]);
});
