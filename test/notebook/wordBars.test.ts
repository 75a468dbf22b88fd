import { describe, expect, it } from "vitest";
import { inspect, renderSvg } from "../../src/notebook/render.js";
import type { ChartSpec, Row } from "../../src/notebook/spec.js";
import { wordBars } from "../../src/notebook/wordBars.js";

const words = [
  { word: "stock", probability: 0.02 },
  { word: "market", probability: 0.01 },
];

describe("wordBars", () => {
  it("writes every word once under its list's title, on bars to one scale", async () => {
    const { spec, data } = wordBars(
      [
        { title: "1", words },
        { title: "2", words: [{ word: "court", probability: 0.04 }] },
      ],
      2,
    );
    const chart: ChartSpec = { data: { values: data as readonly Row[] }, ...spec };
    expect((await inspect(chart)).warnings).toEqual([]);
    const svg = await renderSvg(chart);
    for (const text of ["stock", "market", "court", "1", "2"]) expect(svg.split(`>${text}</text>`)).toHaveLength(2);
    const lengths = [...svg.matchAll(/M0,[\d.]+h([\d.]+)v/g)].map(([, length]) => Number(length)).filter((l) => l > 0);
    expect(lengths).toEqual(expect.arrayContaining([59, 29.5, 118]));
  });

  it("refuses no lists, two of one title, one without words, and what is no probability", () => {
    expect(() => wordBars([], 2)).toThrow("at least one list");
    expect(() =>
      wordBars(
        [
          { title: "1", words },
          { title: "1", words },
        ],
        2,
      ),
    ).toThrow("the same title");
    expect(() => wordBars([{ title: "1", words: [] }], 2)).toThrow('the list "1" has no words');
    expect(() => wordBars([{ title: "1", words: [{ word: "a", probability: 1.2 }] }], 2)).toThrow(
      'the probability of "a" in "1" is 1.2',
    );
  });
});
