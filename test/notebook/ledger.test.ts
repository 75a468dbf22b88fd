import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Claim, ClaimsFile } from "../../src/notebook/claim.js";
import { collectLedger, readClaims, writeLedger } from "../../src/notebook/ledger.js";
import { temporaryFolder } from "./temporary.js";

const folder = temporaryFolder();
const claim: Claim = {
  id: "rises",
  paper: "iwae",
  where: "Eq. 3",
  statement: "L_k | rises",
  published: { value: -84.78, standardError: 0.1, source: "Burda et al. 2016, Table 1" },
  measured: { value: 0.5, standardError: 0.1, n: 3 },
  expected: "> 0",
  minimumProfile: "standard",
  verdict: "reproduced",
  figure: "bound",
  cell: 7,
};
const file = (notebook: string, change: Partial<ClaimsFile> = {}): ClaimsFile => ({
  notebook,
  paper: "iwae",
  profile: "standard",
  backend: "tensorflow",
  startedAt: "2026-01-02T03:04:05.000Z",
  seconds: 12.5,
  seed: 1,
  finished: true,
  claims: [claim],
  figures: ["bound"],
  tables: ["nll"],
  ...change,
});

async function put(path: string, content: unknown): Promise<string> {
  const full = join(folder.path, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, typeof content === "string" ? content : JSON.stringify(content));
  return full;
}

describe("readClaims", () => {
  it("reads what a notebook wrote, null as NaN", async () => {
    expect(await readClaims(await put("a/claims.json", file("iwae/01")))).toEqual(file("iwae/01"));
    const nan = { ...claim, measured: { value: null } };
    const read = await readClaims(await put("b/claims.json", { ...file("iwae/01"), claims: [nan] }));
    expect(read.claims[0]!.measured!.value).toBeNaN();
  });

  it.each([
    ["cut off", JSON.stringify(file("iwae/01")).slice(0, 200), "is not valid JSON (cut off or edited by hand)"],
    ["empty", "", "is not valid JSON"],
    ["a list", [], "the file is not an object"],
    ["without seconds", { ...file("iwae/01"), seconds: undefined }, '"seconds" of the file is not a number'],
    ["of an unknown profile", { ...file("iwae/01"), profile: "fast" }, 'Unknown profile "fast"'],
    [
      "with an unknown verdict",
      { ...file("iwae/01"), claims: [{ ...claim, verdict: "passed" }] },
      'claim 0 has the unknown verdict "passed"',
    ],
    ["with a claim that is no object", { ...file("iwae/01"), claims: [claim, 3] }, "claim 1 is not an object"],
    [
      "with a wrong measured",
      { ...file("iwae/01"), claims: [{ ...claim, measured: { value: "1" } }] },
      '"value" of "measured" of claim 0 is not a number',
    ],
    [
      "with a published number without its source",
      { ...file("iwae/01"), claims: [{ ...claim, published: { value: 1 } }] },
      '"source" of "published" of claim 0 is not a text',
    ],
    ["with wrong figures", { ...file("iwae/01"), figures: [1] }, '"figures" of the file is not a list of texts'],
  ])("says what is wrong in a file %s", async (_, content, message) => {
    const path = await put("claims.json", content);
    await expect(readClaims(path)).rejects.toThrow(message);
    await expect(readClaims(path)).rejects.toThrow(path);
  });

  it("says that there is none", async () => {
    await expect(readClaims(join(folder.path, "claims.json"))).rejects.toThrow("run the notebook first");
  });
});

describe("the ledger", () => {
  const options = () => ({ output: join(folder.path, "figures"), notebooks: join(folder.path, "notebooks") });

  it("collects what is there, leaves out what is stale, and is the same when collected again", async () => {
    await put("figures/iwae/02-bound/claims.json", file("iwae/02-bound"));
    await put(
      "figures/iwae/01-distribution/claims.json",
      file("iwae/01-distribution", { claims: [], finished: false }),
    );
    await put("figures/iwae/00-gone/claims.json", file("iwae/00-gone"));
    await put("figures/report/index.html", "");
    for (const name of ["01-distribution", "02-bound"]) await put(`notebooks/iwae/${name}.ipynb`, "{}");
    const ledger = await writeLedger(options());
    expect(ledger.notebooks.map(({ notebook }) => notebook)).toEqual(["iwae/01-distribution", "iwae/02-bound"]);
    expect(ledger.stale).toEqual(["iwae/00-gone"]);
    expect(JSON.parse(await readFile(join(folder.path, "figures/claims.json"), "utf8"))).toEqual(ledger);
    const page = await readFile(join(folder.path, "figures/CLAIMS.md"), "utf8");
    expect(page).toMatchSnapshot();
    await writeLedger(options());
    expect(await readFile(join(folder.path, "figures/CLAIMS.md"), "utf8")).toBe(page);
  });

  it("names the profile that a claim needs in the command that runs it again", async () => {
    const unresolved: Claim = { ...claim, verdict: "unresolved", minimumProfile: "full" };
    await put("figures/iwae/01/claims.json", file("iwae/01", { profile: "quick", claims: [unresolved] }));
    await writeLedger({ output: options().output });
    const page = await readFile(join(folder.path, "figures/CLAIMS.md"), "utf8");
    expect(page).toContain("`npm run reproduce -- iwae/01 --profile full`");
  });

  it("is empty where nothing was run, and stops at a damaged file", async () => {
    expect(await collectLedger(options())).toEqual({ notebooks: [], stale: [] });
    await put("figures/iwae/01/claims.json", "{");
    await put("notebooks/iwae/01.ipynb", "{}");
    await expect(writeLedger(options())).rejects.toThrow("not valid JSON");
  });
});
