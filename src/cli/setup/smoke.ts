import { ready } from "../../engine/backend.js";
import { tf } from "../../engine/tf.js";

/**
 * Loads the native backend in a process of its own and compares a matrix product with one done by hand: exit code 0 and the
 * backend's version on standard output, or a sentence on standard error.
 */
async function check(): Promise<void> {
  const { version } = await ready({ backend: "tensorflow" });
  const n = 37;
  const a = Float32Array.from({ length: n * n }, (_, i) => Math.sin(i));
  const b = Float32Array.from({ length: n * n }, (_, i) => Math.cos(i));
  const product = tf.tidy(() => tf.matMul(tf.tensor2d(a, [n, n]), tf.tensor2d(b, [n, n])).dataSync());
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      let expected = 0;
      for (let k = 0; k < n; k++) expected += a[row * n + k]! * b[k * n + column]!;
      const difference = Math.abs(product[row * n + column]! - expected);
      if (!(difference < 1e-4)) throw new Error(`a matrix product is wrong by ${difference}.`);
    }
  }
  process.stdout.write(`${version}\n`);
}

check().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
