import { afterEach, describe, expect, test, vi } from "vitest";
import { type BackendName, backendReport, ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
import { backends, expectClose, expectNoLeak, read } from "./support.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("asking for the report before anything is loaded says what to do", () => {
  expect(() => backendReport()).toThrow("No backend is loaded yet: await ready() first.");
});

test("an unknown backend is one clear sentence, by option and by environment", async () => {
  const message =
    'Unknown backend "cuda": use one of auto, tensorflow, wasm, cpu (option "backend" or MARGINALIA_BACKEND).';
  await expect(ready({ backend: "cuda" as BackendName })).rejects.toThrow(message);
  vi.stubEnv("MARGINALIA_BACKEND", "cuda");
  await expect(ready()).rejects.toThrow(message);
});

test("concurrent first calls share one load, and later ones cost nothing", async () => {
  const reports = await Promise.all([ready(), ready(), ready()]);
  expect(new Set(reports).size).toBe(1);
  expect(await ready()).toBe(reports[0]);
  expect(backendReport()).toBe(reports[0]);
});

test("the environment chooses where the option is silent, and the option overrides it", async () => {
  vi.stubEnv("MARGINALIA_BACKEND", "cpu");
  expect((await ready({ backend: "wasm" })).backend).toBe("wasm");
  expect(backendReport().why).toContain("the option");
  expect((await ready()).backend).toBe("wasm"); // ready() without options keeps what runs
});

describe.each(backends)("%s", (backend) => {
  test("runs, reports itself, and says what would be faster unless it is the fastest", async () => {
    const report = await ready({ backend });
    expect(tf.getBackend()).toBe(backend);
    expect(report.backend).toBe(backend);
    expect(report.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(report.better === undefined).toBe(backend === "tensorflow");
  });

  test("has the kernels that gradients of common operations need", async () => {
    await ready({ backend });
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const gradient = tf.tidy(() =>
      tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.gather(x, tf.tensor1d([2, 0, 2], "int32")))))(x),
    );
    expect(read(gradient)).toEqual([2, 4, 0, 0, 20, 24]);
    expectClose(read(tf.einsum("ij,kj->ik", x, x)), [5, 11, 17, 11, 25, 39, 17, 39, 61], 1e-6);
    const cpu = tf.engine().findBackend("cpu");
    const heldByCpu = cpu.numDataIds();
    const segments = tf.tensor1d([0, 1, 0], "int32");
    expectNoLeak(() => tf.unsortedSegmentSum(x, segments, 2));
    expectNoLeak(() => tf.einsum("ij,kj->ik", x, x));
    if (backend === "wasm") expect(cpu.numDataIds()).toBe(heldByCpu); // nor in the backend that the fallback borrows
  });

  test("log1p keeps its relative accuracy near 0", async () => {
    await ready({ backend });
    const x = tf.tensor1d([1e-30, 1e-10, -1e-7, 1e-4, 0.5, 100]);
    const exact = Array.from(x.dataSync(), Math.log1p);
    expectClose(
      read(tf.log1p(x)).map((y, i) => y / exact[i]!),
      exact.map(() => 1),
      3e-7,
    );
  });
});

test("tensors made before a switch stay readable after it", async () => {
  await ready({ backend: "tensorflow" });
  const x = tf.tensor1d([1, 2, 3]);
  await ready({ backend: "wasm" });
  expect(read(tf.add(x, 1))).toEqual([2, 3, 4]);
});
