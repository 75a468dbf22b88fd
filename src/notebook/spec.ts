/**
 * The part of Vega-Lite v5 that figures are written in, narrow enough to be checked in a cell by tslab's TypeScript 5.0
 * (vega-lite's own types do not resolve there). What it leaves open is checked by vega-lite when the figure is drawn.
 */

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };
/** A JSON object. */
export type JsonObject = { readonly [name: string]: Json | undefined };
/** One row of data: a flat record of what a CSV can hold. */
export type Row = { readonly [field: string]: string | number | boolean | null };

/** How a field is measured. */
export type FieldType = "quantitative" | "ordinal" | "nominal" | "temporal";

/** What an encoding channel shows: a field of the data, a datum or a constant value. */
export interface ChannelDef {
  readonly field?: string | { readonly repeat: "row" | "column" | "repeat" | "layer" };
  readonly type?: FieldType;
  readonly datum?: Json;
  readonly value?: Json;
  readonly aggregate?: string | JsonObject;
  readonly bin?: boolean | "binned" | JsonObject;
  readonly timeUnit?: string;
  /** The title of the axis, legend or header; every x and y axis needs one. `null` says that it shall have none. */
  readonly title?: string | readonly string[] | null;
  readonly axis?: JsonObject | null;
  readonly legend?: JsonObject | null;
  readonly header?: JsonObject | null;
  readonly scale?: JsonObject | null;
  readonly sort?: Json;
  readonly stack?: boolean | "zero" | "normalize" | "center" | null;
  readonly impute?: JsonObject;
  readonly condition?: Json;
  readonly format?: string;
  readonly bandPosition?: number;
  readonly align?: Json;
  readonly spacing?: Json;
  readonly columns?: number;
}

/** The channels of a mark. */
export type Channel =
  | "x"
  | "y"
  | "x2"
  | "y2"
  | "xError"
  | "yError"
  | "xError2"
  | "yError2"
  | "xOffset"
  | "yOffset"
  | "theta"
  | "theta2"
  | "radius"
  | "radius2"
  | "color"
  | "fill"
  | "stroke"
  | "opacity"
  | "fillOpacity"
  | "strokeOpacity"
  | "strokeWidth"
  | "strokeDash"
  | "size"
  | "shape"
  | "angle"
  | "text"
  | "url"
  | "href"
  | "key"
  | "description"
  | "row"
  | "column"
  | "facet";

/** Channels that take several fields. */
export type ListChannel = "detail" | "order" | "tooltip";

/** An encoding: what each channel shows. */
export type Encoding = { readonly [C in Channel]?: ChannelDef } & {
  readonly [C in ListChannel]?: ChannelDef | readonly ChannelDef[] | null;
};

/** Kinds of mark. */
export type MarkType =
  | "arc"
  | "area"
  | "bar"
  | "boxplot"
  | "circle"
  | "errorband"
  | "errorbar"
  | "image"
  | "line"
  | "point"
  | "rect"
  | "rule"
  | "square"
  | "text"
  | "tick"
  | "trail";

/** Where rows come from: given in place, under the name of another part's data, or generated. */
export type ChartData =
  | { readonly values: readonly Row[]; readonly name?: string }
  | { readonly name: string }
  | { readonly sequence: JsonObject };

/** A Vega-Lite v5 chart: a mark with an encoding, layers of them, or a facet, repetition or concatenation. */
export interface ChartSpec {
  readonly data?: ChartData | null;
  readonly datasets?: { readonly [name: string]: readonly Row[] };
  readonly name?: string;
  readonly description?: string;
  readonly mark?: MarkType | ({ readonly type: MarkType } & JsonObject);
  readonly encoding?: Encoding;
  readonly transform?: readonly JsonObject[];
  readonly params?: readonly JsonObject[];
  readonly layer?: readonly ChartSpec[];
  readonly facet?: ChannelDef | { readonly row?: ChannelDef; readonly column?: ChannelDef };
  readonly repeat?:
    | readonly string[]
    | { readonly row?: readonly string[]; readonly column?: readonly string[]; readonly layer?: readonly string[] };
  readonly spec?: ChartSpec;
  readonly concat?: readonly ChartSpec[];
  readonly hconcat?: readonly ChartSpec[];
  readonly vconcat?: readonly ChartSpec[];
  readonly columns?: number;
  /** Width of a plotting area in px; a figure scales it so that the whole has the width of its column. */
  readonly width?: number | { readonly step: number };
  /** Height of a plotting area in px; scaled together with the width. */
  readonly height?: number | { readonly step: number };
  /** Label of one panel; a whole figure has none, its caption carries it. */
  readonly title?: string | JsonObject | null;
  readonly spacing?: number | JsonObject;
  readonly align?: Json;
  readonly bounds?: "full" | "flush";
  readonly center?: boolean | JsonObject;
  readonly resolve?: JsonObject;
  readonly projection?: JsonObject;
  readonly view?: JsonObject;
  readonly config?: JsonObject;
}
