import { describe, expect, it } from "vitest";
import { best, topicGrid } from "../../bench/harness/topics.js";
import { timesTo } from "../../bench/harness/topicsTimes.js";

const course = (library: string, seed: number, points: readonly (readonly [seconds: number, heldOut: number])[]) =>
  points.map(([seconds, heldOut], i) => ({ library, seed, passes: i + 1, seconds, heldOut }));

describe("the times to a held-out level", () => {
  const points = [
    ...course("one", 1, [
      [1, -8.4],
      [2, -8.2],
      [3, -8.1],
    ]),
    ...course("one", 2, [
      [1, -8.3],
      [3, -8.2],
      [5, -8.19],
    ]),
    ...course("two", 1, [
      [4, -8.2],
      [6, -8.0],
    ]),
  ];

  it("lie on a straight line between the checkpoints before and after", () => {
    const [one, two] = timesTo(points, { low: -8.25 }, 2);
    expect(one).toMatchObject({ library: "one", level: "low", heldOut: -8.25, reached: 2, n: 2 });
    expect([one!.least, one!.median, one!.most].map((x) => Number(x!.toFixed(9)))).toEqual([1.75, 1.875, 2]);
    expect(two).toMatchObject({ median: 4, reached: 1 }); // at its first checkpoint already
  });

  it("leave out the fits that never get there", () => {
    const [one, two] = timesTo(points, { high: -8.05 }, 2);
    expect(one).toMatchObject({ median: undefined, reached: 0, n: 2 });
    expect(two!.median).toBeCloseTo(5.5, 9);
    const [middle] = timesTo(points, { middle: -8.15 }, 2);
    expect(middle!.reached).toBe(1);
    expect(middle!.median).toBeCloseTo(2.5, 9);
  });
});

describe("the setting chosen for a library", () => {
  it("is the one soonest at the level, and where none is, the highest", () => {
    const slow = { seconds: 3, heldOut: -8.0 };
    const fast = { seconds: 2, heldOut: -8.1 };
    const never = { seconds: undefined, heldOut: -8.2 };
    const nearer = { seconds: undefined, heldOut: -8.15 };
    expect(best([slow, never, fast])).toBe(fast);
    expect(best([never, nearer])).toBe(nearer);
  });

  it("comes from settings that are all different", () => {
    expect(new Set(topicGrid.map((setting) => JSON.stringify(setting))).size).toBe(topicGrid.length);
  });
});
