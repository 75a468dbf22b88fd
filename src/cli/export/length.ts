/** CSS pixels in each unit of length. */
const pixels = { in: 96, cm: 96 / 2.54, mm: 96 / 25.4, pt: 96 / 72, px: 1 } as const;

/** Below an inch nothing can be read, above a yard nothing is printed. */
const [narrowest, widest] = [96, 36 * 96];

/**
 * A length such as `3.25in`, `82mm`, `8.2cm`, `234pt` or `312px` in CSS pixels (96 to the inch).
 *
 * @throws Error if there is no unit, the number is not positive, or the length is below 1 in or above 36 in.
 */
export function parseLength(text: string): number {
  const match = /^\s*(\d+(?:\.\d*)?|\.\d+)\s*(in|cm|mm|pt|px)\s*$/.exec(text);
  if (!match)
    throw new Error(`"${text}" is no length: give a number and its unit, in, cm, mm, pt or px, as in 3.25in.`);
  const length = Number(match[1]) * pixels[match[2] as keyof typeof pixels];
  if (length < narrowest || length > widest) throw new Error(`${text} is no width for a figure: give 1in to 36in.`);
  return length;
}
