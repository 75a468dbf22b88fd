import { describe, expect, it } from "vitest";
import { oneTimer, type Timers } from "../../src/jupyter/tslab.js";

/** tslab's timers: one place, which throws when it is taken or when another is given back. */
function strictTimers(): Timers & { fire(): void } {
  let waiting: { readonly run: () => void } | null = null;
  return {
    setTimeout: (callback) => {
      if (waiting) throw new Error("pending");
      waiting = {
        run: () => {
          callback();
          waiting = null;
        },
      };
      return waiting;
    },
    clearTimeout: (timer) => {
      if (timer !== waiting) throw new Error("unexpected");
      waiting = null;
    },
    fire: () => {
      if (!waiting) throw new Error("nothing waits");
      waiting.run();
    },
  };
}

describe("oneTimer", () => {
  it("runs at once what is no update, and leaves the update waiting", () => {
    const host = oneTimer(strictTimers());
    const seen: string[] = [];
    function updateProgramWithWatchStatus(): void {
      seen.push("update");
    }
    function lookAgain(): void {
      seen.push("look");
    }
    host.setTimeout!(updateProgramWithWatchStatus, 250);
    const look = host.setTimeout!(lookAgain, 250);
    expect(seen).toEqual(["look"]);
    host.clearTimeout!(look);
    host.fire();
    expect(seen).toEqual(["look", "update"]);
  });

  it("puts one update in another's place, and is ready again after one that threw", () => {
    const host = oneTimer(strictTimers());
    let updates = 0;
    let broken = true;
    function updateProgramWithWatchStatus(): void {
      if (broken) throw new Error("does not compile");
      updates++;
    }
    host.setTimeout!(updateProgramWithWatchStatus, 250);
    expect(() => host.fire()).toThrow("does not compile");
    broken = false;
    const first = host.setTimeout!(updateProgramWithWatchStatus, 250);
    host.clearTimeout!(first);
    host.clearTimeout!(first);
    host.setTimeout!(updateProgramWithWatchStatus, 250);
    host.setTimeout!(updateProgramWithWatchStatus, 250);
    host.fire();
    expect(updates).toBe(1);
  });
});
