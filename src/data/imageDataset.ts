import { DataError } from "./dataError.js";
import { type GlyphOptions, glyphs } from "./glyphs.js";
import type { ImageDataset, ImageDatasetName } from "./images.js";
import type { LocateOptions } from "./locate.js";
import { mnist } from "./mnist.js";
import { optdigits } from "./optdigits.js";

/** Where to look for files, and how many glyphs to draw where glyphs are drawn. */
export interface ImageDatasetOptions extends LocateOptions {
  readonly glyphs?: GlyphOptions;
}

/**
 * An image data set by name; `"auto"` is MNIST where it can be had, else the generated glyphs with a `notice` to print.
 *
 * Look at the result's `name` before comparing with published numbers: those for MNIST hold for `"mnist"` alone.
 *
 * @param name - `"mnist"`, `"glyphs"`, `"optdigits"` or `"auto"` (the default).
 * @param options - where to look, whether to download, how many glyphs.
 * @throws DataError if a named set is missing, or if a file is damaged (then `"auto"` throws too, rather than hide it).
 * @throws RangeError if there is no set of that name.
 */
export async function imageDataset(
  name: ImageDatasetName | "auto" = "auto",
  options: ImageDatasetOptions = {},
): Promise<ImageDataset> {
  switch (name) {
    case "mnist":
      return mnist(options);
    case "optdigits":
      return optdigits(options);
    case "glyphs":
      return glyphs(options.glyphs);
    case "auto":
      try {
        return await mnist(options);
      } catch (error) {
        if (!(error instanceof DataError) || error.reason !== "missing") throw error;
        const notice =
          "NOTICE: MNIST was not found, so these are glyphs, digits that marginalia generates; published MNIST numbers do not apply. " +
          "For MNIST, set MARGINALIA_DATA to a folder that holds mnist/ with its four idx files; `npm run doctor` says where it was sought.";
        return { ...(await glyphs(options.glyphs)), notice };
      }
    default:
      throw new RangeError(`There is no image data set "${name}"; choose "mnist", "glyphs", "optdigits" or "auto".`);
  }
}
