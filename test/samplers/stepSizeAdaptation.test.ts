import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { adaptedStepSize } from "../../src/samplers/stepSizeAdaptation.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("is ε (1 + rate (ā − target)/target), over all chains or one by one", () => {
    const acceptance = tf.tensor1d([1, 0.5]);
    expectClose(read(adaptedStepSize(tf.scalar(0.2), acceptance)), [0.2 * (1 + (0.05 * (0.75 - 0.9)) / 0.9)], 1e-6);
    const own = adaptedStepSize(tf.tensor1d([0.2, 0.4]), acceptance, { target: 0.8, rate: 0.1 });
    expectClose(read(own), [0.2 * 1.025, 0.4 * (1 - 0.1 * 0.375)], 1e-6);
    const stepSize: Tensor = tf.scalar(0.2);
    expectNoLeak(() => adaptedStepSize(stepSize, acceptance));
  });

  test("refuses a target or a rate that is no share", () => {
    const [stepSize, acceptance] = [tf.scalar(1), tf.ones([2])];
    expect(() => adaptedStepSize(stepSize, acceptance, { target: 90 })).toThrow(
      "target must be between 0 and 1, not 90",
    );
    expect(() => adaptedStepSize(stepSize, acceptance, { rate: 0 })).toThrow("rate must be between 0 and 1, not 0");
  });
});
