import { Script } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { inForce } from "../../src/engine/inForce.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { backends } from "./support.js";

const step = Symbol.for("marginalia.test");

/** Ends the code without its `finally`, as an interrupted notebook cell does. */
function broken(code: () => void): void {
  Reflect.set(globalThis, step, code);
  const script = new Script('globalThis[Symbol.for("marginalia.test")]()');
  expect(() => script.runInThisContext({ timeout: 100 })).toThrow("timed out");
}

function forever(): never {
  for (;;);
}

describe("inForce", () => {
  it("undoes the innermost first, whether the code returns, throws or is broken", async () => {
    const undone: string[] = [];
    const nested = (end: () => void): void =>
      inForce(
        () => undone.push("outer"),
        () =>
          inForce(
            () => undone.push("inner"),
            () => end(),
          ),
      );
    const order = ["inner", "outer"];
    nested(() => undefined);
    expect(undone.splice(0)).toEqual(order);
    expect(() => nested(() => expect.unreachable("thrown"))).toThrow("thrown");
    expect(undone.splice(0)).toEqual(order);
    broken(() => nested(forever));
    expect(undone).toEqual([]);
    await Promise.resolve();
    expect(undone.splice(0)).toEqual(order);
    nested(() => undefined);
    expect(undone).toEqual(order);
  });
});

describe.each(backends)("a recording that is broken on %s", (backend) => {
  afterEach(async () => {
    tf.engine().state.scopeStack = [];
    await ready({ backend: "cpu" });
  });

  it("leaves Math.random, the reading of tensors and later recordings as they were", async () => {
    await ready({ backend });
    const { random } = Math;
    const endless = compile(({ x }: { x: Tensor }) => ({ y: tf.add(tf.neg(x), forever()) }));
    const x = tf.tensor1d([1, 2]);
    broken(() => endless({ x }));
    await Promise.resolve();
    expect(Math.random).toBe(random);
    const compiled = compile(({ x }: { x: Tensor }) => ({ y: tf.neg(x) }));
    expect(Array.from(compiled({ x }).y.dataSync())).toEqual([-1, -2]);
    expect(compiled.graphs).toBe(1);
    compiled.dispose();
  });
});
