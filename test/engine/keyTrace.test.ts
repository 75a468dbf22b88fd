import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { gamma } from "../../src/engine/gamma.js";
import { type KeyTrace, type Redraw, withKeyTrace } from "../../src/engine/keyTrace.js";
import { type Key, permutation, randomKey } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import type { Words } from "../../src/engine/threefry.js";
import { draws } from "./draws.js";
import { read } from "./support.js";

/** Follows the tree of keys as a recorder does: by the identity of the keys, from a root that it knows. */
class Follower implements KeyTrace {
  readonly paths = new Map<object, readonly Words[]>();
  readonly seeds: { path: readonly Words[] | undefined; values: number[] }[] = [];
  readonly made: { key: Key; values: number[]; redraw: Redraw; inputs: readonly Tensor[] }[] = [];

  constructor(readonly root: Key) {
    this.paths.set(root, []);
  }

  derived(parent: object, child: object, counter: Words): void {
    const path = this.paths.get(parent);
    if (path) this.paths.set(child, [...path, counter]);
  }

  seeded(key: object, tensor: Tensor): void {
    this.seeds.push({ path: this.paths.get(key), values: Array.from(tensor.dataSync()) });
  }

  drawn(key: object, tensor: Tensor, redraw: Redraw, inputs: readonly Tensor[]): void {
    const kept = inputs.map((input) => tf.tensor(input.dataSync().slice(), input.shape));
    for (const input of kept) tf.keep(input);
    this.made.push({ key: key as Key, values: Array.from(tensor.dataSync()), redraw, inputs: kept });
  }

  dispose(): void {
    for (const { inputs } of this.made) tf.dispose([...inputs]);
  }
}

describe("natively", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  test.each(draws)("$name takes every seed from a key of the tree, and nothing else from the key", ({ draw }) => {
    const record = (root: Key): { seeds: Follower["seeds"]; operations: string[] } => {
      const follower = new Follower(root);
      const operations: string[] = [];
      tf.tidy(() => {
        const parameter = tf.tensor1d([1, 2]);
        withKeyTrace(follower, () => watch(operations, () => draw(root, parameter)));
      });
      return { seeds: follower.seeds, operations };
    };
    const [first, second] = [record(randomKey(1)), record(randomKey(2))];
    expect(first.seeds.length).toBeGreaterThan(0);
    for (const { path } of first.seeds) expect(path).toBeDefined();
    // The same tree and the same operations whatever the root: only the seeds differ, and no two seeds of a draw are equal.
    expect(second.seeds.map(({ path }) => path)).toEqual(first.seeds.map(({ path }) => path));
    expect(first.operations.length).toBeGreaterThan(0);
    expect(second.operations).toEqual(first.operations);
    expect(new Set([...first.seeds, ...second.seeds].map(({ values }) => values.join())).size).toBe(
      2 * first.seeds.length,
    );
  });
});

/** Notes every operation that `body` runs: its name, its attributes and the shape of what it makes. */
function watch(operations: string[], body: () => Tensor): void {
  type Execute = (name: string, attributes: object[], ...rest: unknown[]) => Tensor | Tensor[];
  const methods = ["executeSingleOutput", "executeMultipleOutputs"] as const;
  const backend = tf.backend() as unknown as Record<(typeof methods)[number], Execute>;
  for (const method of methods) {
    const execute = backend[method];
    backend[method] = function (this: unknown, name, attributes, ...rest) {
      const made = execute.call(this, name, attributes, ...rest);
      operations.push(JSON.stringify([name, attributes, [made].flat().map(({ shape }) => shape)]));
      return made;
    };
  }
  try {
    body();
  } finally {
    for (const method of methods) Reflect.deleteProperty(backend, method);
  }
}

describe.each(["wasm", "cpu"] as const)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test.each(draws)("$name tells how to draw again from another key", ({ draw }) => {
    const [first, second] = [1, 2].map((seed) => {
      const follower = new Follower(randomKey(seed));
      tf.tidy(() => {
        const parameter = tf.tensor1d([1, 2]);
        withKeyTrace(follower, () => draw(follower.root, parameter));
      });
      return follower;
    }) as [Follower, Follower];
    expect(first.made.length).toBeGreaterThan(0);
    expect(second.made.length).toBe(first.made.length);
    first.made.forEach(({ key, values, redraw, inputs }, i) => {
      const twin = second.made[i]!;
      expect(first.paths.get(key)).toBeDefined();
      expect(second.paths.get(twin.key)).toEqual(first.paths.get(key));
      expect(read(redraw(key, inputs))).toEqual(values);
      expect(read(redraw(twin.key, inputs))).toEqual(twin.values);
      expect(twin.values).not.toEqual(values);
    });
    first.dispose();
    second.dispose();
  });

  test("a draw that depends on a tensor can be made again from other values of it", () => {
    tf.tidy(() => {
      const key = randomKey(5);
      const follower = new Follower(key);
      withKeyTrace(follower, () => gamma(key, tf.tensor1d([1, 2]), [3]));
      const [{ redraw, inputs }] = follower.made as [Follower["made"][number]];
      expect(inputs.map(({ shape }) => shape)).toEqual([[2]]);
      const others = tf.tensor1d([0.5, 30]);
      expect(read(redraw(key, [others]))).toEqual(read(gamma(key, others, [3])));
      follower.dispose();
    });
  });
});

test("a permutation in JavaScript numbers tells that a replay cannot follow it", () => {
  const root = randomKey(1);
  const opened: unknown[] = [];
  const trace: KeyTrace = { derived: () => {}, seeded: () => {}, opened: (key, by) => opened.push([key, by]) };
  withKeyTrace(trace, () => permutation(root, 3));
  expect(opened).toEqual([[root, "permutation"]]);
});
