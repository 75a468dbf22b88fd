import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyEdits, positionAt } from "../../src/jupyter/positions.js";

describe("applyEdits", () => {
  it("replaces, inserts and keeps the order of insertions at one place", () => {
    const { text } = applyEdits("await f(x);", [
      { at: 0, length: 5, text: "yield" },
      { at: 10, length: 0, text: "A" },
      { at: 10, length: 0, text: "B" },
    ]);
    expect(text).toBe("yield f(x)AB;");
  });

  it("leads what was not edited back to where it was", () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        words,
        fc.infiniteStream(fc.tuple(fc.boolean(), fc.stringMatching(/^[A-Z]{0,6}$/))),
        (parts, choices) => {
          // Every word starts a line or follows a space; some get something in front of them.
          const separators = parts.map((_, index) => (index % 3 === 2 ? "\n" : " "));
          const source = parts.map((word, index) => word + separators[index]).join("");
          const starts = parts.map((_, index) => parts.slice(0, index).reduce((sum, word) => sum + word.length + 1, 0));
          const edits = starts.flatMap((at) => {
            const { value } = choices.next();
            return value?.[0] ? [{ at, length: 0, text: value[1] }] : [];
          });
          const edited = applyEdits(source, edits);
          let from = 0;
          for (const [index, word] of parts.entries()) {
            const at = edited.text.indexOf(word, from);
            from = at + word.length;
            expect(edited.original(positionAt(edited.text, at))).toEqual(positionAt(source, starts[index]!));
          }
        },
      ),
    );
  });
});
