import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { foldIn, type Key, randomKey, split } from "../../src/engine/random.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { draws } from "./draws.js";
import { read } from "./support.js";

describe("inside a compiled step", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  test.each(draws)(
    "$name gives the bits of eager, from keys derived in the step and parameters given to it",
    ({ draw }) => {
      const step = ({ key, parameter }: { key: Key; parameter: Tensor }): { one: Tensor; other: Tensor } => {
        const [left, right] = split(key);
        return { one: draw(left, parameter), other: draw(foldIn(right, 5), tf.mul(parameter, 1.5)) };
      };
      const compiled = compile(step);
      const seen = new Set<string>();
      for (const [seed, values] of [
        [1, [1, 2]],
        [2, [0.3, 2.5]],
        [3, [1.5, 0.2]],
      ] as const) {
        const inputs = { key: randomKey(seed), parameter: tf.tensor1d([...values]) };
        const [ours, eager] = [compiled(inputs), tf.tidy(() => step(inputs))];
        const bits = [ours.one, ours.other].map(read);
        expect(bits).toEqual([eager.one, eager.other].map(read));
        for (const draw of bits) seen.add(draw.join());
        inputs.parameter.dispose();
      }
      // Six draws from six keys: none is a constant of the graph.
      expect(seen.size).toBe(6);
      expect(compiled.graphs).toBe(1);
      compiled.dispose();
    },
  );
});
