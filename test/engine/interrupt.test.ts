import { afterEach, expect, test } from "vitest";
import { breathe, throwIfInterrupted, untilInterrupted } from "../../src/engine/interrupt.js";

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

test("a wait ends with what it waits for, or with the interrupt, and leaves no listener", async () => {
  await expect(untilInterrupted(Promise.resolve(3))).resolves.toBe(3);
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>): void => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
    listeners--;
    remove(...args);
  };
  published[name] = signal;
  await expect(untilInterrupted(Promise.resolve(3))).resolves.toBe(3);
  await expect(untilInterrupted(Promise.reject(new Error("no")))).rejects.toThrow("no");
  const never = untilInterrupted(new Promise(() => {}));
  expect(listeners).toBe(1);
  controller.abort();
  await expect(never).rejects.toMatchObject({ name: "KeyboardInterrupt" });
  expect(listeners).toBe(0);
  await expect(untilInterrupted(Promise.resolve(3))).rejects.toMatchObject({ name: "KeyboardInterrupt" });
});
