import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { cases } from "./cases.js";
import { differenceQuotient, gradientOf, type Operation } from "./support.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test.each(cases)(
    "$name has the gradient and the second derivatives of its difference quotients",
    ({ f, inputs, bare = f }) => {
      const at = inputs();
      for (const which of at.keys()) {
        expectClose(read(gradientOf(f, at, which)), differenceQuotient(f, at, which), 2e-3);
        const slope: Operation = (...moved) => gradientOf(f, moved, which);
        for (const other of at.keys()) {
          expectClose(read(gradientOf(slope, at, other)), differenceQuotient(slope, at, other), 5e-3);
        }
      }
      expectNoLeak(() => bare(...at));
      expectNoLeak(() => gradientOf(f, at, 0));
    },
  );

  test("the test can fail: a wrong gradient shows", () => {
    const wrong: Operation = (x) =>
      tf.customGrad((y) => ({ value: tf.square(y as Tensor), gradFunc: (dy: Tensor) => dy }))(x!);
    expect(() =>
      expectClose(
        read(gradientOf(wrong, [tf.tensor1d([-1.7, 0.4])], 0)),
        differenceQuotient(wrong, [tf.tensor1d([-1.7, 0.4])], 0),
        2e-3,
      ),
    ).toThrow();
  });
});
