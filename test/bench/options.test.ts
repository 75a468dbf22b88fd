import { describe, expect, it } from "vitest";
import { readOptions, titles } from "../../bench/harness/options.js";

describe("the benchmark's command line", () => {
  it("runs the check, the steps, the starts and the topics of every workload by default", () => {
    expect(readOptions([])).toMatchObject({
      parts: ["check", "steps", "start", "topics"],
      usual: true,
      seeds: 5,
      workloads: Object.keys(titles),
      without: [],
      rounds: 5,
      seconds: 0.5,
    });
  });

  it("keeps the usual order, whatever order it is asked in", () => {
    const options = readOptions(["machine", "steps", "--only", "iwhvi, sivi", "--without", "torch,jax", "--rounds=2"]);
    expect(options).toMatchObject({
      parts: ["steps", "machine"],
      usual: false,
      workloads: ["sivi", "iwhvi"],
      without: ["jax", "torch"],
    });
    expect(options.rounds).toBe(2);
  });

  it.each([
    [["--only", "svgd"], 'There is no workload "svgd": choose from sivi, uivi'],
    [["fast"], 'There is no part "fast": choose from check, steps'],
    [["--without", "numpy"], 'There is no framework "numpy": choose from jax, torch'],
    [["--rounds", "0"], '--rounds must be a positive integer, not "0"'],
    [["--rounds", "1.5"], '--rounds must be a positive integer, not "1.5"'],
    [["--seeds", "0"], '--seeds must be a positive integer, not "0"'],
    [["--seconds", "soon"], '--seconds must be a positive number, not "soon"'],
    [["--quick"], "--quick"],
  ])("refuses %j with the exit code of wrong usage", (args, sentence) => {
    expect(() => readOptions(args)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(sentence), exitCode: 2 }),
    );
  });
});
