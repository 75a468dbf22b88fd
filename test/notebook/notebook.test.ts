import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import type { ClaimInput } from "../../src/notebook/claim.js";
import { readClaims } from "../../src/notebook/ledger.js";
import { lineChart } from "../../src/notebook/lineChart.js";
import { type Notebook, notebook } from "../../src/notebook/notebook.js";
import { temporaryFolder } from "./temporary.js";

const folder = temporaryFolder();
const cellHook = Symbol.for("marginalia.cell");
const cell = (count: number, id?: string): void => {
  Reflect.set(globalThis, cellHook, { count, id });
};
let printed: string[];
beforeEach(() => {
  printed = [];
  vi.stubEnv("MARGINALIA_BACKEND", "cpu");
  vi.stubEnv("MARGINALIA_PROFILE", "quick");
  vi.stubEnv("MARGINALIA_OUTPUT", folder.path);
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, cellHook);
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const id = "iwae/02-the-bound";
const claims = () => readClaims(join(folder.path, id, "claims.json"));
const claim: ClaimInput = {
  id: "rises",
  where: "Eq. 3",
  statement: "The bound rises with k.",
  measured: { value: 1, standardError: 0.1, n: 3 },
  holds: { kind: "greaterThan", value: 0 },
};
const chart = lineChart({
  rows: [1, 2].map((k) => ({ k, v: k })),
  x: { field: "k", title: "k" },
  y: { field: "v", title: "v" },
});

describe("notebook", () => {
  it("says how it runs and starts an empty claims file over an old one", async () => {
    const old = await notebook(id);
    old.claim(claim);
    await old.finish();
    const nb = await notebook(id, { seed: 3 });
    expect(printed.at(-1)).toMatch(/^iwae\/02-the-bound: profile quick, seed 3, backend cpu /);
    expect(nb).toMatchObject({
      id,
      paper: "iwae",
      profile: "quick",
      seed: 3,
      backend: "cpu",
      output: join(folder.path, id),
    });
    expect(await claims()).toMatchObject({
      notebook: id,
      paper: "iwae",
      profile: "quick",
      seed: 3,
      finished: false,
      claims: [],
      figures: [],
    });
  });

  it("takes the standard profile where none is named", async () => {
    vi.stubEnv("MARGINALIA_PROFILE", "");
    expect((await notebook(id)).profile).toBe("standard");
  });

  it.each([
    ["fast", {}, 'Unknown profile "fast": use quick, standard or full.'],
    ["quick", { seed: -1 }, "The seed -1 of iwae/02-the-bound is not a whole number"],
  ])("refuses what it cannot run (%s, %j)", async (profile, options, message) => {
    vi.stubEnv("MARGINALIA_PROFILE", profile);
    await expect(notebook(id, options)).rejects.toThrow(message);
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("refuses an id without a paper, and an output folder that cannot be written", async () => {
    await expect(notebook("the-bound")).rejects.toThrow('"the-bound" is not a notebook\'s id');
    await expect(notebook("../the-bound")).rejects.toThrow("is not a notebook's id");
    const file = join(folder.path, "file");
    await writeFile(file, "");
    await expect(notebook(id, { output: file })).rejects.toThrow(
      /^Cannot write .*claims.json: part of its path is a file, not a folder\. Choose another folder with MARGINALIA_OUTPUT/,
    );
  });

  it("gives the profile's budget, whose three rows have one type", async () => {
    const nb = await notebook(id, { profile: "standard" });
    const budget = nb.budget({
      quick: { steps: 10, ks: [1] },
      standard: { steps: 100, ks: [1, 10] },
      full: { steps: 1000, ks: [1, 10, 100] },
    });
    expect(budget).toEqual({ steps: 100, ks: [1, 10] });
    expectTypeOf(budget).toEqualTypeOf<{ steps: number; ks: number[] }>();
    // @ts-expect-error A row of another type is refused.
    nb.budget({ quick: { steps: 1 }, standard: { step: 1 }, full: { steps: 1 } });
    // @ts-expect-error A profile without a row is refused.
    nb.budget({ quick: 1, standard: 2 });
  });

  it("records figures, tables and claims, and finishes with a table of claims", async () => {
    const nb = await notebook(id);
    cell(4);
    await nb.figure("bound", { ...chart, caption: "A bound.", alt: "A line." });
    await nb.table("values", [{ k: 1, v: 2 }], { caption: "Values." });
    nb.claim({ ...claim, figure: "bound" });
    expect(printed.at(-1)).toMatch(
      /^✓ reproduced: The bound rises with k. \[Eq. 3\]\n {2}measured 1.00 ± 0.10 \(n = 3\)/,
    );
    await nb.finish();
    expect(await claims()).toMatchObject({
      finished: true,
      figures: ["bound"],
      tables: ["values"],
      claims: [
        {
          id: "rises",
          paper: "iwae",
          verdict: "reproduced",
          cell: 4,
          figure: "bound",
          measured: { value: 1, standardError: 0.1, n: 3 },
        },
      ],
    });
    expect(printed.join("")).toContain("✓ reproduced: The bound rises with k. [Eq. 3]");
    expect((await readdir(join(folder.path, id))).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("throws at the end if a claim failed, after all is written; other verdicts pass", async () => {
    const nb = await notebook(id);
    nb.claim({ id: "a", where: "Eq. 3", statement: "It rises.", skipped: "no data" });
    nb.claim({ ...claim, id: "b", minimumProfile: "full" });
    nb.claim({ ...claim, id: "c", holds: { kind: "greaterThan", value: 9 }, negative: "known" });
    await nb.finish();
    nb.claim({ ...claim, id: "d", holds: { kind: "greaterThan", value: 9 } });
    await expect(nb.finish()).rejects.toThrow(
      "A claim of iwae/02-the-bound failed: d (Expected > 9 (established, 2 s.e.).)",
    );
    expect((await claims()).claims.map(({ verdict }) => verdict)).toEqual([
      "skipped",
      "unresolved",
      "negative",
      "failed",
    ]);
  });

  it("refuses a claim that names a figure which is not there", async () => {
    const nb = await notebook(id);
    nb.claim({ ...claim, figure: "bond" });
    await expect(nb.finish()).rejects.toThrow(
      'The claim "rises" names the figure "bond", which iwae/02-the-bound does not draw.',
    );
  });

  it("keeps a measured NaN as such through the file", async () => {
    const nb = await notebook(id);
    nb.claim({ ...claim, measured: { value: Number.NaN } });
    await expect(nb.finish()).rejects.toThrow("not a finite number");
    expect((await claims()).claims[0]!.measured!.value).toBeNaN();
  });

  describe("names", () => {
    const twice: [string, (nb: Notebook) => unknown][] = [
      ["claim", (nb) => nb.claim(claim)],
      ["figure", (nb) => nb.figure("rises", { ...chart, caption: "c", alt: "a" })],
      ["table", (nb) => nb.table("rises", [{ k: 1 }], { caption: "c" })],
    ];
    it.each(twice)(
      "refuses a second %s of one name from one run of a cell, and from another cell",
      async (kind, make) => {
        const nb = await notebook(id);
        cell(2, "aaa");
        await make(nb);
        await expect((async () => make(nb))()).rejects.toThrow(`has a ${kind} named "rises" already`);
        cell(3, "bbb");
        await expect((async () => make(nb))()).rejects.toThrow(`has a ${kind} named "rises" already`);
      },
    );

    it.each(twice)("lets a cell that is run again make its %s again", async (_, make) => {
      const nb = await notebook(id);
      cell(2, "aaa");
      await make(nb);
      cell(5, "aaa");
      await make(nb);
      await nb.finish();
      const file = await claims();
      expect(file.claims.length + file.figures.length + file.tables.length).toBe(1);
    });

    it("refuses names that are no file names", async () => {
      const nb = await notebook(id);
      for (const name of ["../x", "A b", "", "-x", "x/y"]) {
        await expect(nb.table(name, [{ k: 1 }], { caption: "c" })).rejects.toThrow("cannot name a table");
      }
    });
  });
});
