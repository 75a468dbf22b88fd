import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readArrays } from "../../bench/harness/check.js";
import { relativeError } from "../../bench/harness/statistics.js";
import { openSession, type Session } from "../../bench/typescript/session.js";
import { writeStart } from "../../bench/typescript/start.js";
import { workloads } from "../../bench/typescript/workloads.js";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";

/** Small enough to run eagerly in milliseconds. */
const sizes: Record<string, Record<string, number>> = {
  sivi: { S: 8, K: 5, width: 6 },
  uivi: { S: 8, burnIn: 1, kept: 2, leapfrogs: 2, width: 6 },
  iwae: { batch: 3, k: 4, width: 6, latent: 2 },
  vae: { batch: 4, width: 6, latent: 2 },
  "mean-field": { S: 5 },
  "full-rank": { S: 5 },
  iwhvi: { batch: 4, K: 2, width: 6, latent: 3 },
};

const folder = mkdtempSync(join(tmpdir(), "marginalia-bench-"));
const fileOf = (workload: string): string => join(folder, `${workload}.safetensors`);

beforeAll(async () => {
  await ready();
});
afterAll(() => rmSync(folder, { recursive: true }));

function losses(session: Session, steps: number): number[] {
  return Array.from({ length: steps }, () => {
    session.step();
    return session.loss();
  });
}

function gradientOf(session: Session): Record<string, Float32Array> {
  const tensors = session.firstGradient();
  const arrays = Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync<"float32">()] as const);
  tf.dispose(Object.values(tensors));
  return Object.fromEntries(arrays);
}

describe.each(Object.keys(workloads))("the workload %s", (name) => {
  it("gives the same losses and first gradient eager and compiled, from a file, and leaves no tensor", () => {
    const before = tf.memory().numTensors;
    writeStart(fileOf(name), name, sizes[name]);
    expect(tf.memory().numTensors).toBe(before);
    const eager = openSession(fileOf(name), "eager");
    const compiled = openSession(fileOf(name), "compiled");
    const first = [losses(eager, 1), losses(compiled, 1)];
    expect(relativeError(gradientOf(compiled), gradientOf(eager))).toBeLessThan(1e-5);
    const [slow, fast] = [first[0].concat(losses(eager, 4)), first[1].concat(losses(compiled, 4))];
    for (const [i, loss] of slow.entries()) expect(Math.abs(fast[i] / loss - 1)).toBeLessThan(1e-4);
    expect(new Set(slow).size).toBe(5);
    eager.dispose();
    compiled.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("a loop of steps", () => {
  it("takes the steps that single calls take", () => {
    writeStart(fileOf("sivi"), "sivi", sizes.sivi);
    const loop = openSession(fileOf("sivi"), "loop");
    const single = openSession(fileOf("sivi"), "compiled");
    const [mean] = losses(loop, 1);
    const all = losses(single, 100);
    expect(mean).toBeCloseTo(
      all.reduce((sum, loss) => sum + loss / all.length, 0),
      4,
    );
    loop.dispose();
    single.dispose();
  });
});

describe("the loss of SIVI", () => {
  it("is what its formula gives in Float64", () => {
    const { S, K, width } = { S: 4, K: 3, width: 5 };
    writeStart(fileOf("sivi"), "sivi", { S, K, width });
    const session = openSession(fileOf("sivi"), "eager");
    const [loss] = losses(session, 1);
    session.dispose();
    expect(loss).toBeCloseTo(siviLoss(fileOf("sivi"), { S, K }), 5);
  });
});

/** SIVI's loss at the start with the first step's noise, written out number by number. */
function siviLoss(file: string, { S, K }: { readonly S: number; readonly K: number }): number {
  const arrays = readArrays(file);
  const row = (name: string, i: number, size: number): number[] => [
    ...arrays[`noise.0.${name}`].slice(i * size, (i + 1) * size),
  ];
  const mean = (epsilon: number[]): number[] => {
    return [0, 1, 2].reduce((h, layer) => {
      const weights = arrays[`parameters.net.layers.${layer}.weights`];
      const bias = [...arrays[`parameters.net.layers.${layer}.bias`]];
      const linear = bias.map((b, j) => h.reduce((sum, x, i) => sum + x * weights[i * bias.length + j], b));
      return layer === 2 ? linear : linear.map((x) => Math.max(0, x));
    }, epsilon);
  };
  const scale = [...arrays["parameters.logScale"]].map(Math.exp);
  const logNormal = (x: number, mu: number, sd: number): number =>
    -0.5 * ((x - mu) / sd) ** 2 - Math.log(sd) - 0.5 * Math.log(2 * Math.PI);
  const others = Array.from({ length: K }, (_, k) => mean(row("others", k, 3)));
  let total = 0;
  for (let s = 0; s < S; s++) {
    const own = mean(row("own", s, 3));
    const z = row("within", s, 2).map((u, d) => own[d] + scale[d] * u);
    const q = [own, ...others].reduce(
      (sum, mu) => sum + Math.exp(logNormal(z[0], mu[0], scale[0]) + logNormal(z[1], mu[1], scale[1])),
      0,
    );
    total += Math.log(q / (K + 1)) - logNormal(z[0], z[1] ** 2 / 4, 1) - logNormal(z[1], 0, 2);
  }
  return total / S;
}
