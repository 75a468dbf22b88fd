/**
 * Jupyter counts a cursor in Unicode code points, the compiler in UTF-16 code units; they differ after a character such as 𝒩.
 */

/** The offset in UTF-16 code units of the code point number `cursor`. */
export function toOffset(text: string, cursor: number): number {
  let offset = 0;
  for (let seen = 0; seen < cursor && offset < text.length; seen++) {
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
  return offset;
}

/** The number of code points before the UTF-16 offset. */
export function toCursor(text: string, offset: number): number {
  return Array.from(text.slice(0, offset)).length;
}
