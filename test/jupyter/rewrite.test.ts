import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { applyEdits } from "../../src/jupyter/positions.js";
import { expandShorthands, rewriteAwaits, rewriteDynamicImports, type TypeScript } from "../../src/jupyter/rewrite.js";

const require = createRequire(import.meta.url);
const compiler = createRequire(require.resolve("tslab/dist/main.js"))("@tslab/typescript-for-tslab") as TypeScript;

const awaits = (script: string) => {
  const { edits, kind, sites } = rewriteAwaits(compiler, script);
  return { text: applyEdits(script, edits).text, kind, sites };
};

it("writes shorthand properties out, also with defaults", () => {
  const source = "({ a, b: c, d = 1 } = { a, ...rest });";
  expect(applyEdits(source, expandShorthands(compiler, source)).text).toBe(
    "({ a: a, b: c, d: d = 1 } = { a: a, ...rest });",
  );
});

it("yields where the top level awaits", () => {
  expect(awaits("const x = await f(await g());\nawait x;")).toEqual({
    text: "const x = (yield [0, f((yield [1, g()]))]);\n(yield [2, x]);",
    kind: "generator",
    sites: [
      { line: 0, column: 10 },
      { line: 0, column: 18 },
      { line: 1, column: 0 },
    ],
  });
});

it("checks around the awaits of functions", () => {
  expect(awaits("const f = async () => { await g(); };")).toEqual({
    text: "const f = async () => { __marginalia__.check(await __marginalia__.gate( g())); };",
    kind: "plain",
    sites: [],
  });
});

it("keeps an async function where the top level iterates with for await", () => {
  const { text, kind } = awaits("for await (const x of xs) await x;");
  expect(kind).toBe("async");
  expect(text).toBe(
    "for await (const x of __marginalia__.each(xs)) __marginalia__.check(await __marginalia__.gate( x));",
  );
});

it("gives dynamic imports to the kernel, and leaves text alone", () => {
  const source = "const m = await import(`a` + name); 'import(x)';";
  expect(applyEdits(source, rewriteDynamicImports(compiler, source)).text).toBe(
    "const m = await __marginalia__.import(`a` + name); 'import(x)';",
  );
});

it("knows an await before a parenthesis, as calls of imported functions are compiled", () => {
  expect(awaits("exports.b = await (0, m.ready)();\nexports.c = await other;")).toEqual({
    text: "exports.b = (yield [0, (0, m.ready)()]);\nexports.c = (yield [1, other]);",
    kind: "generator",
    sites: [
      { line: 0, column: 12 },
      { line: 1, column: 12 },
    ],
  });
  expect(awaits("const f = async () => await (0, m.ready)();").kind).toBe("plain");
});
