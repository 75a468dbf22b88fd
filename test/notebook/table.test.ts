import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  layTable,
  makeTable,
  type TableOptions,
  tableHtml,
  tableMarkdown,
  tableTex,
} from "../../src/notebook/table.js";
import { temporaryFolder } from "./temporary.js";

const folder = temporaryFolder();
const origin = () => ({ id: "iwae/04-k", profile: "full" as const, seed: 1, backend: "cpu", output: folder.path });
const rows = [
  { k: 1, nll: 86.761, se: 0.127, note: "VAE & co_1 50 %" },
  { k: 50, nll: 84.783, se: 0.1349, note: '"IWAE", |k| <b>' },
  { k: 500, nll: null, se: null, note: "" },
];
const columns = [
  { field: "k" },
  { field: "nll", title: "NLL, nats", tex: "$-\\log p(x)$", standardError: "se" },
  { field: "note", title: "note" },
];
const options: TableOptions = { caption: "Test NLL, 100 %.", samples: "3 seeds", columns };
afterEach(() => vi.restoreAllMocks());

describe("table", () => {
  it("lays values out with their errors, and marks what is absent", () => {
    const { cells, numeric, titles } = layTable("t", rows, columns);
    expect(titles).toEqual(["k", "NLL, nats", "note"]);
    expect(cells.map(([, nll]) => nll)).toEqual(["86.76 ± 0.13", "84.78 ± 0.13", "–"]);
    expect(numeric).toEqual([true, true, false]);
  });

  it("writes LaTeX that escapes what has a meaning there", () => {
    expect(tableTex(layTable("t", rows, columns), "100 % of A_1 & {B}\\", "nll")).toBe(
      String.raw`% Needs \usepackage{booktabs}.
\begin{table}
  \centering
  \caption{100 \% of A\_1 \& \{B\}\textbackslash{}}
  \label{tab:nll}
  \begin{tabular}{rrl}
    \toprule
    k & $-\log p(x)$ & note \\
    \midrule
    1 & 86.76 $\pm$ 0.13 & VAE \& co\_1 50 \% \\
    50 & 84.78 $\pm$ 0.13 & "IWAE", |k| \textless{}b\textgreater{} \\
    500 & -- &  \\
    \bottomrule
  \end{tabular}
\end{table}
`,
    );
  });

  it("writes Markdown and HTML that escape too", () => {
    const table = layTable("t", rows, columns);
    expect(tableMarkdown(table, "c").split("\n")[3]).toBe('|  50 | 84.78 ± 0.13 | "IWAE", \\|k\\| \\<b\\> |');
    expect(tableHtml(table, "<i>")).toContain("&quot;IWAE&quot;, |k| &lt;b&gt;");
    expect(tableHtml(table, "<i>")).not.toContain("<i>");
  });

  it("shows the table and writes CSV in full precision, Markdown and LaTeX", async () => {
    const shown = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    await makeTable(origin(), "nll", rows, options);
    expect((await readdir(folder.path)).sort()).toEqual(["nll.csv", "nll.md", "nll.table.json", "nll.tex"]);
    expect(await readFile(join(folder.path, "nll.csv"), "utf8")).toBe(
      'k,nll,se,note\n1,86.761,0.127,VAE & co_1 50 %\n50,84.783,0.1349,"""IWAE"", |k| <b>"\n500,,,\n',
    );
    expect(shown.mock.calls.flat().join("")).toContain("86.76 ± 0.13");
    expect(await readFile(join(folder.path, "nll.md"), "utf8")).toContain("(3 seeds; profile full; seed 1.)");
  });

  it("takes a DataFrame as it takes rows", async () => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const frame = {
      columns: ["k", "nll"],
      values: [
        [1, 86.8],
        [5, 85.5],
      ],
    };
    await makeTable(origin(), "frame", frame, { caption: "From a frame." });
    expect(await readFile(join(folder.path, "frame.csv"), "utf8")).toBe("k,nll\n1,86.8\n5,85.5\n");
  });

  it("refuses an empty table, a missing field and a missing caption", async () => {
    expect(() => layTable("t", [])).toThrow('Table "t" has no rows.');
    expect(() => layTable("t", rows, [{ field: "x" }])).toThrow('no field "x" (there are: k, nll, se, note)');
    expect(() => layTable("t", rows, [{ field: "k", standardError: "y" }])).toThrow('no field "y"');
    await expect(makeTable(origin(), "t", rows, { caption: "" })).rejects.toThrow('Table "t" has no caption');
  });
});
