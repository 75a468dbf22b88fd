import { afterEach, expect, test } from "vitest";
import { breathe, throwIfInterrupted } from "../../src/engine/interrupt.js";

const published = globalThis as Record<symbol, unknown>;
const name = Symbol.for("marginalia.interrupt");

afterEach(() => {
  delete published[name];
});

const hold = (milliseconds: number): void => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
};

test("without a kernel, and with a signal that is not aborted, nothing happens", async () => {
  throwIfInterrupted();
  published[name] = new AbortController().signal;
  throwIfInterrupted();
  await breathe();
});

test("an aborted signal throws a KeyboardInterrupt", async () => {
  published[name] = AbortSignal.abort();
  expect(throwIfInterrupted).toThrow(
    expect.objectContaining({ name: "KeyboardInterrupt", message: "The cell was interrupted." }),
  );
  await expect(breathe()).rejects.toThrow("The cell was interrupted.");
});

test("a loop that breathes lets the abort in, and stops at its next turn", async () => {
  const controller = new AbortController();
  published[name] = controller.signal;
  setTimeout(() => controller.abort(), 20);
  let turns = 0;
  const loop = async (): Promise<void> => {
    for (; turns < 1000; turns++) {
      hold(10);
      await breathe();
    }
  };
  await expect(loop()).rejects.toMatchObject({ name: "KeyboardInterrupt" });
  expect(turns).toBeLessThan(100);
});

test("breathing yields only after 50 ms", async () => {
  await breathe();
  hold(60);
  await breathe(); // resets the clock
  let others = 0;
  setImmediate(() => others++);
  await breathe();
  expect(others).toBe(0);
  hold(60);
  await breathe();
  expect(others).toBe(1);
});
