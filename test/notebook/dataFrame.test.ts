import { describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
import { dataFrame } from "../../src/notebook/dataFrame.js";

describe("dataFrame", () => {
  it("makes a DataFrame beside the running backend and on its engine, or says what it needs", async () => {
    await ready({ backend: "cpu" });
    const rows = [
      { k: 1, bound: -2.5 },
      { k: 5, bound: -2.3 },
    ];
    const made = await dataFrame(rows).catch((error: Error) => error);
    expect(tf.getBackend()).toBe("cpu");
    if (made instanceof Error) {
      expect(made.message).toMatch(/danfojs cannot be loaded .* npm run setup/);
    } else {
      expect(made.columns).toEqual(["k", "bound"]);
      expect(made.values).toEqual([
        [1, -2.5],
        [5, -2.3],
      ]);
      expect(tf.engine().findBackend("tensorflow")).not.toBeNull();
    }
  });
});
