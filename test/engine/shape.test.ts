import { beforeAll, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { broadcastOf, broadcastShapes, checkShape, formatShape } from "../../src/engine/shape.js";
import { tf } from "../../src/engine/tf.js";

beforeAll(async () => {
  await ready();
});

test("shapes broadcast as in NumPy", () => {
  expect(broadcastShapes([5, 1, 3], [4, 1])).toEqual([5, 4, 3]);
  expect(broadcastShapes([], [2])).toEqual([2]);
  expect(broadcastShapes([0], [1])).toEqual([0]);
  expect(broadcastShapes([2], [3])).toBeUndefined();
  expect(broadcastOf("f", { a: tf.zeros([2, 1]), b: 3, c: tf.zeros([4]) })).toEqual([2, 4]);
  expect(() => broadcastOf("f", { a: tf.zeros([2]), b: 3, c: tf.zeros([4]) })).toThrow(
    "f: the shapes a [2] and b [] and c [4] do not broadcast against each other.",
  );
});

test("a shape is checked against a pattern", () => {
  const x = tf.zeros([2, 3, 4]);
  checkShape("x", x, [2, 3, 4]);
  checkShape("x", x, [2, "*", 4]);
  checkShape("x", x, ["...", 4]);
  checkShape("x", x, ["...", 2, 3, 4]);
  expect(() => checkShape("x", x, [2, 3])).toThrow("x has the shape [2, 3, 4], but needs [2, 3].");
  expect(() => checkShape("x", x, ["...", 3])).toThrow("x has the shape [2, 3, 4], but needs [..., 3].");
  expect(() => checkShape("x", x, ["...", 1, 2, 3, 4])).toThrow(/needs \[\.\.\., 1, 2, 3, 4\]/);
  expect(formatShape([])).toBe("[]");
});
