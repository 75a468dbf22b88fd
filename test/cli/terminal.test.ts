import { describe, expect, it } from "vitest";
import {
  bar,
  formatBytes,
  formatDuration,
  formatTable,
  isInteractive,
  liveLines,
  paint,
  width,
} from "../../src/cli/terminal.js";

function recorder(
  isTTY: boolean,
  columns = 40,
): { isTTY: boolean; columns: number; text: string; write(text: string): void } {
  return {
    isTTY,
    columns,
    text: "",
    write(text) {
      this.text += text;
    },
  };
}

describe("formatting", () => {
  it.each([
    [0.04, "0.0 s"],
    [9.94, "9.9 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [59.6, "1 min 00 s"],
    [185, "3 min 05 s"],
    [7830, "2 h 10 min"],
  ])("says %d seconds as %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [999, "999 B"],
    [1000, "1.0 kB"],
    [207_208_420, "207 MB"],
    [999_600_000, "1.0 GB"],
  ])("says %d bytes as %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it("fills a bar in proportion and never beyond its ends", () => {
    expect(bar(0.5, 4)).toBe("██░░");
    expect(bar(-1, 4)).toBe("░░░░");
    expect(bar(7, 4)).toBe("████");
  });

  it("aligns columns by what is seen, not by colour codes", () => {
    const red = "\u001b[31mno\u001b[39m";
    expect(width(red)).toBe(2);
    const table = formatTable(
      [{ title: "claim" }, { title: "s.e.", align: "right" }],
      [
        [red, "1"],
        ["longer", "12.5"],
      ],
    );
    expect(table.split("\n")).toEqual(["claim   s.e.", "──────  ────", `${red}         1`, "longer  12.5"]);
  });

  it("cuts a cell that is too long with an ellipsis", () => {
    expect(formatTable([{ title: "t", maxWidth: 4 }], [["abcdef"]])).toContain("abc…");
  });

  it("colours only where colours are shown", () => {
    const terminal = recorder(true);
    const saved = { ...process.env };
    try {
      delete process.env.NO_COLOR;
      delete process.env.FORCE_COLOR;
      process.env.TERM = "xterm";
      expect(paint("red", "x", terminal)).toBe("\u001b[31mx\u001b[39m");
      expect(paint("red", "x", recorder(false))).toBe("x");
      process.env.NO_COLOR = "1";
      expect(paint("red", "x", terminal)).toBe("x");
    } finally {
      process.env = saved;
    }
  });
});

describe("live lines", () => {
  it("are silent in CI, on a dumb terminal and in a file", () => {
    expect(isInteractive(recorder(true), { CI: "true" })).toBe(false);
    expect(isInteractive(recorder(true), { TERM: "dumb" })).toBe(false);
    expect(isInteractive(recorder(false), {})).toBe(false);
    expect(isInteractive(recorder(true), { CI: "false" })).toBe(true);
    const file = recorder(false);
    const lines = liveLines(file, {});
    lines.set(["50 %"]);
    lines.log("kept");
    lines.clear();
    expect(file.text).toBe("kept\n");
  });

  it("are drawn, replaced and removed on a terminal, and kept within its width", () => {
    const terminal = recorder(true, 10);
    const lines = liveLines(terminal, {});
    lines.set(["0123456789abc", "second"]);
    expect(terminal.text).toBe("01234567…\nsecond");
    terminal.text = "";
    lines.log("kept");
    expect(terminal.text).toBe("\r\u001b[1A\u001b[Jkept\n01234567…\nsecond");
    terminal.text = "";
    lines.clear();
    expect(terminal.text).toBe("\r\u001b[1A\u001b[J");
  });
});
