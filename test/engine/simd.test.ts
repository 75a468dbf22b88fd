import { describe, expect, it, vi } from "vitest";
import {
  again,
  assemble,
  block,
  f64,
  f64x2,
  get,
  i32,
  leaveIf,
  loop,
  pageBytes,
  set,
  tee,
} from "../../src/engine/simd.js";

/** y_i ← a y_i + (x_0 + x_1) over n pairs, for addresses of y, a and x. */
function program() {
  const [y, a, x, n] = [0, 1, 2, 3];
  const [end, shift] = [4, 5];
  return assemble({
    parameters: 4,
    integers: 1,
    pairs: 1,
    body: [
      ...block(
        [...get(n), ...i32.const(0), ...i32.atMost, ...leaveIf],
        [...get(y), ...get(n), ...i32.add, ...set(end)],
        [...get(x), ...f64.load(0), ...get(x), ...f64.load(8), ...f64.add, ...f64x2.splat, ...set(shift)],
        loop(
          [...get(y), ...get(a), ...f64x2.load, ...get(y), ...f64x2.load, ...f64x2.multiply],
          [...get(shift), ...f64x2.add, ...f64x2.store],
          [...get(y), ...i32.const(16), ...i32.add, ...tee(y), ...get(end), ...i32.lessThan, ...again],
        ),
      ),
    ],
  });
}

describe("assemble", () => {
  it("makes a function that computes what it says, on memory that grows", () => {
    const { memory, run } = program()!;
    expect(memory.buffer.byteLength).toBe(pageBytes);
    memory.grow(2);
    const far = 2 * pageBytes + 16;
    const numbers = new Float64Array(memory.buffer, far, 8);
    numbers.set([1, 2, 3, 4, 10, 100, 0.25, 0.5]);
    run(far, far + 32, far + 48, 32);
    expect([...numbers]).toEqual([10.75, 200.75, 30.75, 400.75, 10, 100, 0.25, 0.5]);
    run(far, far + 32, far + 48, 0);
    expect(numbers[0]).toBe(10.75);
  });

  it("writes numbers of more than seven bits as the format has them", () => {
    for (const n of [0, 63, 64, 127, 128, 8191, 8192, 65536, 2 ** 30, -1, -64, -65, -8192, -8193]) {
      const store = assemble({
        parameters: 1,
        integers: 0,
        pairs: 0,
        // memory[0] = n, as an i32
        body: [...get(0), ...i32.const(n), 0x36, 2, 0],
      })!;
      store.run(0);
      expect(new Int32Array(store.memory.buffer)[0]).toBe(n);
    }
  });

  it("is undefined where the host has no WebAssembly, or none of these instructions", () => {
    expect(assemble({ parameters: 0, integers: 0, pairs: 0, body: [0xfd, 0xff, 0x7f] })).toBeUndefined();
    vi.stubGlobal("WebAssembly", undefined);
    try {
      expect(program()).toBeUndefined();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
