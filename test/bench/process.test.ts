import { describe, expect, it } from "vitest";
import { startWorker } from "../../bench/harness/process.js";

const node = (code: string): [string, string[]] => [process.execPath, ["-e", code]];
const echo = `require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { fail, die, ...rest } = JSON.parse(line);
  if (die) { console.error("out of memory"); process.exit(3); }
  console.log(JSON.stringify(fail ? { error: fail } : rest));
});`;

describe("a worker", () => {
  it("answers in turn, and goes on after a request that fails", async () => {
    const worker = startWorker("Echo", node(echo));
    expect(await Promise.all([worker.ask({ a: 1 }), worker.ask({ a: 2 })])).toEqual([{ a: 1 }, { a: 2 }]);
    await expect(worker.ask({ fail: "no such variant" })).rejects.toThrow("no such variant");
    expect(await worker.ask({ a: 3 })).toEqual({ a: 3 });
    await worker.stop();
    await expect(worker.ask({})).rejects.toThrow("Echo ended with exit code 0.");
  });

  it("says with its last lines that it has died", async () => {
    const worker = startWorker("Echo", node(echo));
    await expect(worker.ask({ die: true })).rejects.toThrow("Echo ended with exit code 3.\nout of memory");
    await worker.stop();
  });

  it("says that there is no such program", async () => {
    const worker = startWorker("JAX", ["/no/such/python", []]);
    await expect(worker.ask({})).rejects.toThrow("JAX cannot be started");
  });
});
