import { catalogue } from "./catalogue.js";
import { parseCsv } from "./csv.js";
import { type LocateOptions, loadFile } from "./locate.js";

/** A table of counts: how often each value was observed. */
export interface CountDataset {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly licence: string;
  /** The values that were counted, ascending. */
  readonly values: Float64Array;
  /** How often each was observed. */
  readonly frequencies: Float64Array;
  /** All observations, one number each. */
  readonly observations: Float64Array;
}

/**
 * Adult red mites on 150 apple leaves: 0 to 7 a leaf, 172 in all, more spread than a Poisson law has them (the variance is twice the mean).
 *
 * Shipped with the project.
 *
 * @param options - where to look.
 * @throws DataError if the file is missing or damaged.
 * Source: Bliss & Fisher 1953, "Fitting the negative binomial distribution to biological data", Biometrics 9, table 1.
 */
export async function redMites(options: LocateOptions = {}): Promise<CountDataset> {
  const { files, name, title, source, licence } = catalogue.redMites;
  const text = new TextDecoder().decode(await loadFile(files.counts, options));
  const table = parseCsv(text, files.counts.name, { header: true });
  const column = (c: number): Float64Array =>
    Float64Array.from({ length: table.rows }, (_, row) => table.values[row * table.columns + c]);
  const [values, frequencies] = [column(0), column(1)];
  const observations = Float64Array.from(
    Array.from(values).flatMap((value, i) => Array<number>(frequencies[i]).fill(value)),
  );
  return { name, title, source, licence, values, frequencies, observations };
}
