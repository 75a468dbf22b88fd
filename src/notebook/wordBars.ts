/** Topics as lists of words on bars of their probabilities. */
import type { Chart } from "./figure.js";
import type { ChartSpec, Row } from "./spec.js";

/** One topic's words, most probable first. */
export interface WordList {
  readonly title: string;
  readonly words: readonly { readonly word: string; readonly probability: number }[];
}

/**
 * A panel for each list: its words one under another, each written on a bar as long as its probability, all bars to one scale.
 *
 * @param columns - panels in a row.
 * @throws Error if there is no list, two have the same title, a list has no words, or a probability is not in [0, 1].
 */
export function wordBars(lists: readonly WordList[], columns: number): Chart {
  if (lists.length === 0) throw new Error("wordBars needs at least one list of words.");
  if (new Set(lists.map(({ title }) => title)).size < lists.length)
    throw new Error("wordBars: two lists have the same title; give each its own.");
  const rows = lists.flatMap(({ title, words }) => {
    if (words.length === 0) throw new Error(`wordBars: the list "${title}" has no words.`);
    return words.map(({ word, probability }, rank): Row => {
      if (!(probability >= 0 && probability <= 1))
        throw new Error(`wordBars: the probability of "${word}" in "${title}" is ${probability}, not in [0, 1].`);
      return { list: title, rank: rank + 1, word, probability: Number(probability.toPrecision(4)) };
    });
  });
  const longest = Math.max(...lists.map(({ words }) => words.length));
  const most = Math.max(...rows.map(({ probability }) => Number(probability)));
  const y = { field: "rank", type: "ordinal", axis: null } as const;
  const scale = { domain: [0, most], nice: false };
  const spec: ChartSpec = {
    width: 118,
    height: 13 * longest,
    layer: [
      {
        mark: { type: "bar", color: "#9ecae9", height: { band: 0.92 } },
        encoding: { x: { field: "probability", type: "quantitative", axis: null, scale }, y },
      },
      {
        mark: { type: "text", align: "left", baseline: "middle", dx: 2, color: "black" },
        encoding: {
          x: { datum: 0, type: "quantitative", axis: null, scale },
          y,
          text: { field: "word", type: "nominal" },
        },
      },
    ],
  };
  return {
    spec: {
      facet: {
        field: "list",
        type: "nominal",
        title: null,
        sort: lists.map(({ title }) => title),
        header: { labelAnchor: "start", labelFontWeight: "bold", labelPadding: 2 },
      },
      columns,
      bounds: "flush",
      spacing: { row: 24, column: 10 },
      spec,
    },
    data: rows,
  };
}
