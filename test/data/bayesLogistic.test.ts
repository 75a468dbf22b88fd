import { describe, expect, it } from "vitest";
import { type BayesLogisticName, bayesLogistic } from "../../src/data/bayesLogistic.js";
import { catalogue } from "../../src/data/catalogue.js";
import type { NumberTable } from "../../src/data/csv.js";
import { DataError } from "../../src/data/dataError.js";
import { findDatasets } from "../../src/data/locate.js";
import { emptyEnvironment, put } from "./fixtures.js";

const here = (name: string): boolean => findDatasets().some((set) => set.name === name && set.found);
const small = { waveform: { train: 3, test: 2 } } as const;
const ones = ({ values, rows, columns }: NumberTable, column: number): number =>
  Array.from({ length: rows }, (_, row) => values[row * columns + column]).reduce((sum, x) => sum + x, 0);

describe("bayesLogistic", () => {
  it("falls back from waveform to a generated one with a notice that says so", async () => {
    const data = await bayesLogistic("auto", { ...small, environment: emptyEnvironment() });
    expect(data.name).toBe("waveform-generated");
    expect([data.train.rows, data.test.rows, data.train.columns]).toEqual([3, 2, 23]);
    expect(data.notice).toMatch(
      /^NOTICE: the waveform data of the literature were not found, .*; published numbers do not apply/,
    );
    expect(data.notice).toMatch(/set MARGINALIA_DATA to a folder/);
    const named = await bayesLogistic("waveform-generated", small);
    expect(named.notice).toBeUndefined();
    expect(Array.from(named.train.values)).toEqual(Array.from(data.train.values));
  });

  it("throws for a set by name where it is missing, and never hides a damaged one", async () => {
    const environment = emptyEnvironment();
    for (const name of ["waveform", "nodal"] as const) {
      await expect(bayesLogistic(name, { environment })).rejects.toMatchObject({
        name: "DataError",
        reason: "missing",
      });
    }
    put(environment.MARGINALIA_DATA, catalogue.waveform.files.train.name, new Uint8Array(9));
    await expect(bayesLogistic("auto", { environment })).rejects.toBeInstanceOf(DataError);
  });

  it.skipIf(!here("waveform"))("reads waveform: 400 and 4,600 rows of 22 inputs, 268 and 3,085 of them 1", async () => {
    const { name, notice, train, test } = await bayesLogistic();
    expect([name, notice]).toEqual(["waveform", undefined]);
    expect([train.rows, test.rows, train.columns, test.columns]).toEqual([400, 4_600, 23, 23]);
    expect([ones(train, 0), ones(test, 0)]).toEqual([268, 3_085]);
    expect([ones(train, 1), ones(test, 1)]).toEqual([400, 4_600]);
    expect(train.header?.slice(0, 3)).toEqual(["y", "x0", "x1"]);
  });

  it.skipIf(!here("nodal"))("reads nodal: 25 and 28 rows of 6 inputs", async () => {
    const { train, test, title } = await bayesLogistic("nodal");
    expect(title).toBe("nodal");
    expect([train.rows, test.rows, train.columns]).toEqual([25, 28, 7]);
    expect([ones(train, 0), ones(test, 0), ones(train, 1)]).toEqual([16, 17, 25]);
  });

  it("refuses an unknown name with the list", async () => {
    await expect(bayesLogistic("spam" as BayesLogisticName)).rejects.toThrow(
      'There is no data set "spam" for logistic regression; choose "waveform", "nodal", "waveform-generated" or "auto".',
    );
  });
});
