import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";

let out = "";
let err = "";
const before = process.stdout.listeners("error");
beforeEach(() => {
  out = "";
  err = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(signal);
  for (const listener of process.stdout.listeners("error")) {
    if (!before.includes(listener)) process.stdout.removeListener("error", listener as () => void);
  }
});

describe("main", () => {
  it("explains itself, with every command, the exit codes and the environment", async () => {
    expect(await main(["--help"])).toBe(0);
    for (const word of [
      "reproduce",
      "lab",
      "export",
      "test",
      "setup",
      "doctor",
      "build",
      "130 interrupted",
      "MARGINALIA_CACHE",
    ]) {
      expect(out).toContain(word);
    }
    expect(err).toBe("");
  });

  it.each(["setup", "doctor", "lab", "build"])("explains %s with an example", async (command) => {
    expect(await main(["help", command])).toBe(0);
    expect(out).toContain(`Usage: marginalia ${command}`);
    expect(out).toMatch(/Examples?:\n {2}\$ marginalia/);
  });

  it.each([
    [["setpu"], /^marginalia: Unknown command 'setpu'.*Did you mean setup\?/],
    [["help", "nothing"], /^marginalia: Unknown command 'nothing'/],
    [["setup", "--nothing"], /^marginalia: Unknown option '--nothing'/],
    [["setup", "nothing"], /^marginalia: Too many arguments for 'setup'/],
    [["lab", "--port", "99999"], /^marginalia: .*a port is a whole number from 1 to 65535/],
    [["lab", "--port"], /^marginalia: .*argument missing/],
  ])("answers wrong usage %j in one sentence, with exit code 2", async (args, sentence) => {
    vi.stubEnv("NO_COLOR", "1");
    expect(await main(args)).toBe(2);
    expect(err).toMatch(sentence);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect(out).toBe("");
    vi.unstubAllEnvs();
  });
});
