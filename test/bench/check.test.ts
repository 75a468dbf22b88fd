import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { check, readArrays } from "../../bench/harness/check.js";
import { type Framework, names } from "../../bench/harness/frameworks.js";
import { bench } from "../../bench/harness/paths.js";
import { startWorker } from "../../bench/harness/process.js";
import { isInstalled, venvPython } from "../../bench/harness/python.js";
import { readContainer, writeContainer } from "../../bench/typescript/container.js";
import { openSession } from "../../bench/typescript/session.js";
import { checkedSteps, writeStart } from "../../bench/typescript/start.js";
import { workloads } from "../../bench/typescript/workloads.js";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";

const folder = mkdtempSync(join(tmpdir(), "marginalia-bench-"));
const fileOf = (workload: string): string => join(folder, `${workload}.safetensors`);

beforeAll(async () => {
  await ready();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** This library in this process, as a framework that answers to `check`; `change` alters what it says. */
function library(change: (losses: number[], gradient: tf.Tensor[]) => unknown = () => undefined): Framework {
  const ask = async (request: object): Promise<object> => {
    const { file, out } = request as { file: string; out: string };
    const session = openSession(file, "eager");
    const losses: number[] = [];
    for (let i = 0; i < checkedSteps; i++) {
      session.step();
      losses.push(session.loss());
      if (i > 0) continue;
      const tensors = session.firstGradient();
      const list = Object.values(tensors);
      change(losses, list);
      writeContainer(out, {
        tensors: Object.fromEntries(Object.keys(tensors).map((name, j) => [name, list[j]])),
        metadata: {},
      });
      tf.dispose([...Object.values(tensors), ...list]);
    }
    session.dispose();
    return { losses };
  };
  return {
    id: "marginalia",
    versions: "",
    threads: 1,
    variants: ["eager"],
    ask: ask as Framework["ask"],
    stop: async () => {},
  };
}

describe("the comparison of frameworks", () => {
  beforeAll(() => writeStart(fileOf("sivi"), "sivi", { S: 4, K: 3, width: 5 }));

  it("finds a gradient of which one tensor is off by a hundredth, a loss that is off by 10⁻⁴, and NaN", async () => {
    const frameworks = [
      library(),
      library(),
      library((_, gradient) => gradient.splice(0, 1, tf.mul(gradient[0], 1.01))),
      library((losses) => losses.splice(0, 1, 1.0001 * losses[0])),
      library((losses) => losses.splice(0, 1, Number.NaN)),
    ];
    const rows = await check(frameworks, "sivi", fileOf("sivi"));
    expect(rows.map(({ agrees }) => agrees)).toEqual([true, true, false, false, false]);
  });

  it("notes why a framework did not run", async () => {
    const broken = { ...library(), id: "torch", ask: () => Promise.reject(new Error("no C++ compiler")) };
    const rows = await check([library(), broken], "sivi", fileOf("sivi"));
    expect(rows[1]).toEqual({
      workload: "sivi",
      framework: "torch",
      variant: "eager",
      agrees: false,
      note: "no C++ compiler",
    });
  });
});

describe("a container", () => {
  it("gives back the tensors and the text that it was given", () => {
    const tensors = { "a.b": tf.tensor2d([[1, -2.5]]), s: tf.scalar(3), none: tf.zeros([0, 4]) };
    const file = join(folder, "some.safetensors");
    writeContainer(file, { tensors, metadata: { sizes: '{"S":1}' } });
    const { tensors: read, metadata } = readContainer(file);
    expect(metadata).toEqual({ sizes: '{"S":1}' });
    expect(Object.entries(read).map(([name, { shape }]) => [name, shape])).toEqual([["a.b", [1, 2]], ["s", []], ["none", [0, 4]]]); // biome-ignore format: one row a tensor
    expect(readArrays(file)["a.b"]).toEqual(Float32Array.of(1, -2.5));
    tf.dispose([...Object.values(tensors), ...Object.values(read)]);
  });
});

const python = process.env.MARGINALIA_BENCH_PYTHON ?? (isInstalled() ? venvPython : undefined);
const sizes: Record<string, Record<string, number>> = {
  sivi: { S: 20, K: 7 },
  uivi: { S: 8, burnIn: 1, kept: 2, leapfrogs: 3 },
  iwae: { batch: 4, k: 5, width: 20, latent: 6 },
  vae: { batch: 6, width: 20, latent: 6 },
  "mean-field": { S: 9 },
  "full-rank": { S: 9 },
  iwhvi: { batch: 5, K: 3, width: 20, latent: 6 },
};

describe.skipIf(!python || !existsSync(python)).each(["jax", "torch"])("the mathematics in %s", (id) => {
  it("is this library's, workload by workload, in losses and gradients", { timeout: 300_000 }, async () => {
    const worker = startWorker(names[id], [python as string, [`${bench}/python/worker.py`, id]]);
    const other = { ...worker, id, versions: "", threads: 1, variants: [id === "jax" ? "jit" : "eager"] };
    try {
      for (const workload of Object.keys(workloads)) {
        writeStart(fileOf(workload), workload, sizes[workload]);
        const [, row] = await check([library(), other], workload, fileOf(workload));
        expect(row, JSON.stringify(row)).toMatchObject({ agrees: true });
      }
    } finally {
      await worker.stop();
    }
  });
});
